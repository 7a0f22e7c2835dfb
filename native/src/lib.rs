//! Patchbay's native diff core: compares two JSON texts without decoding them.
//!
//! A text is scanned once into a flat tape with a hash per value (`scan`, `tape`, `hash`); the comparison works on the
//! two tapes and writes values of the patch as slices of the second text. `abi` and `builtin` are the doors,
//! `service/core/native.py` the one who knocks; nothing else here knows Python.

#![deny(unsafe_op_in_unsafe_fn)]

mod abi;
mod alignment;
mod anchors;
mod arrays;
mod blocks;
mod builtin;
mod cancel;
mod context;
mod diff;
mod emission;
mod equality;
mod fault;
mod filter;
mod hash;
mod keyed;
mod lcs;
mod memory;
mod moves;
mod names;
mod numbers;
mod objects;
mod options;
mod pairing;
mod pointer;
mod records;
mod scan;
mod scope;
mod steps;
mod strangers;
mod strings;
mod tape;
mod twin;
