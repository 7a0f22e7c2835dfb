//! Contexts: everything that one call needs, kept between calls so that the memory stays warm.
//!
//! First touches of fresh memory cost more than the whole work on large documents, so contexts are lent from a pool and
//! given back. What those that wait hold on to is bounded; the ones that waited longest give theirs back to the system.

use crate::cancel::Cancel;
use crate::diff::{self, Work};
use crate::emission;
use crate::equality::View;
use crate::fault::Stop;
use crate::hash::Keys;
use crate::options::Options;
use crate::scan::{self, Scratch};
use crate::scope::{Everywhere, Rules};
use crate::tape::{Doc, Tape};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

/// Contexts that wait for the next call. More may be lent at once; those beyond this many are dropped on return.
const POOLED: usize = 16;

#[allow(clippy::vec_box)] // a context keeps its address while it is lent across the ABI
static POOL: Mutex<Vec<Box<Context>>> = Mutex::new(Vec::new());
static KEEP_BYTES: AtomicUsize = AtomicUsize::new(128 << 20);

/// Which of the two texts something is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    Before = 0,
    After = 1,
}

/// The memory of one call.
pub struct Context {
    pub keys: Keys,
    pub before: Tape,
    pub after: Tape,
    pub scratch: Scratch,
    work: Work,
    /// The patch, once a comparison is done.
    pub patch: Vec<u8>,
    /// The patch that leads back, where it was asked for.
    pub inverse: Vec<u8>,
    /// The options of the last call, as packed and as rules.
    packed: Vec<u8>,
    rules: Option<Rules>,
    /// The pointer of a refusal.
    pub pointer: Vec<u8>,
}

impl Context {
    fn new() -> Context {
        Context {
            keys: Keys::draw(),
            before: Tape::default(),
            after: Tape::default(),
            scratch: Scratch::default(),
            work: Work::default(),
            patch: Vec::new(),
            inverse: Vec::new(),
            packed: Vec::new(),
            rules: None,
            pointer: Vec::new(),
        }
    }

    /// Borrow a warm context, or make one.
    pub fn lend() -> Box<Context> {
        let pooled = POOL.lock().map_or(None, |mut pool| pool.pop());
        pooled.unwrap_or_else(|| Box::new(Context::new()))
    }

    /// Give a context back.
    pub fn give_back(mut self: Box<Context>) {
        let keep = KEEP_BYTES.load(Ordering::Relaxed);
        if self.used() > keep {
            self.shorten(keep);
        }
        let mut left = match keep.checked_sub(self.used()) {
            Some(left) => left,
            None => return,
        };
        let mut gone = Vec::new(); // freed after the lock is
        if let Ok(mut pool) = POOL.lock() {
            let mut count = 0;
            for waiting in pool.iter().rev().take(POOLED - 1) {
                left = match left.checked_sub(waiting.used()) {
                    Some(left) => left,
                    None => break,
                };
                count += 1;
            }
            if count < pool.len() {
                let first = pool.len() - count;
                gone.extend(pool.drain(..first));
            }
            pool.push(self);
        }
    }

    /// Give back what is too much: all but the tapes where that takes more than half, and the ends of the tapes.
    fn shorten(&mut self, most: usize) {
        if self.used_beside_tapes() > most / 2 {
            self.scratch = Scratch::default();
            self.work = Work::default();
            self.patch = Vec::new();
            self.inverse = Vec::new();
        }
        let each = most.saturating_sub(self.used_beside_tapes()) / 2;
        self.before.shorten(each);
        self.after.shorten(each);
    }

    fn used(&self) -> usize {
        self.before.used() + self.after.used() + self.used_beside_tapes()
    }

    fn used_beside_tapes(&self) -> usize {
        self.scratch.used() + self.work.used() + self.patch.capacity() + self.inverse.capacity()
    }

    /// Check one text; its tape is `before`.
    pub fn check(&mut self, text: &[u8], max_depth: usize, cancel: Cancel) -> Result<(), Stop> {
        scan::scan(text, &self.keys, max_depth, &mut Everywhere, &mut self.before, &mut self.scratch, cancel)
    }

    /// Compare two texts; the results are `patch` and, where it is asked for, `inverse`.
    pub fn compare(&mut self, before: &[u8], after: &[u8], packed: &[u8], cancel: Cancel) -> Result<(), (Stop, Input)> {
        self.learn(packed).map_err(|stop| (stop, Input::Before))?;
        self.scan_as_told([before, after], Input::Before, cancel).map_err(|stop| (stop, Input::Before))?;
        self.scan_as_told([before, after], Input::After, cancel).map_err(|stop| (stop, Input::After))?;
        self.diff(before, after, cancel).map_err(|stop| (stop, Input::Before))
    }

    /// Read the options, unless they are those of the last call.
    fn learn(&mut self, packed: &[u8]) -> Result<(), Stop> {
        if self.rules.is_none() || self.packed != packed || self.has_overflowed() {
            self.rules = None;
            self.rules = Some(Rules::new(Options::unpack(packed)?, &self.keys)?);
            self.packed = packed.to_vec();
        }
        Ok(())
    }

    fn has_overflowed(&self) -> bool {
        self.rules.as_ref().map_or(false, Rules::has_overflowed)
    }

    /// Scan one of the texts; the second one beside the first, unless options depend on the place.
    fn scan_as_told(&mut self, texts: [&[u8]; 2], input: Input, cancel: Cancel) -> Result<(), Stop> {
        let Context { keys, scratch, before, after, rules, .. } = self;
        let rules = rules.as_mut().ok_or(Stop::Unsupported)?;
        let depth = rules.options().max_depth;
        let text = texts[input as usize];
        let tape = match input {
            Input::Before => before,
            Input::After if !rules.is_active() => {
                let first = Doc::new(texts[0], before);
                return scan::scan_like(text, keys, depth, first, after, scratch, cancel);
            }
            Input::After => after,
        };
        if !rules.is_active() {
            return scan::scan(text, keys, depth, &mut Everywhere, tape, scratch, cancel);
        }
        scan::scan(text, keys, depth, &mut &mut *rules, tape, scratch, cancel)?;
        if rules.has_overflowed() {
            return Err(Stop::Unsupported);
        }
        Ok(())
    }

    fn diff(&mut self, before: &[u8], after: &[u8], cancel: Cancel) -> Result<(), Stop> {
        let rules = self.rules.as_ref().ok_or(Stop::Unsupported)?;
        let (before, after) = (Doc::new(before, &self.before), Doc::new(after, &self.after));
        let view = View { before, after, rules, cancel };
        diff::compare(view, &mut self.work, rules.options().shorten_above)?;
        emission::write(&view, &self.work.records, &mut self.patch)?;
        self.inverse.clear();
        if rules.options().wants_inverse {
            emission::write_inverse(&view, &self.work.records, &mut self.inverse)?;
        }
        Ok(())
    }

    /// After `Stop::Keys`: what is wrong with the keys.
    pub fn key_report(&self) -> &[u8] {
        &self.work.arrays.report
    }

    /// A bound made the last patch coarser than it could be.
    pub fn is_bounded(&self) -> bool {
        self.work.arrays.aligner.is_bounded
    }
}

/// Set how many bytes the waiting contexts may hold on to, all together.
pub fn keep(bytes: usize) {
    KEEP_BYTES.store(bytes, Ordering::Relaxed);
}
