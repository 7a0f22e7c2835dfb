//! The tape: one flat array of nodes per document, in the order in which the values begin, and beside it one of hashes.
//!
//! A node knows where its text lies (`start..end`), where the next sibling is (`next`) and how much white space its text
//! holds, so that its size without white space is known without reading it again. An object's children are name nodes,
//! each followed by its value. The hash of what a node means lies apart, at the same index: the hashes of an array of
//! scalars are one slice, which can be aligned where it lies.

use std::collections::TryReserveError;

/// What a node stands for. Eight kinds, three bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Null,
    False,
    True,
    Number,
    String,
    Array,
    Object,
    Name,
}

const KINDS: [Kind; 8] =
    [Kind::Null, Kind::False, Kind::True, Kind::Number, Kind::String, Kind::Array, Kind::Object, Kind::Name];
const KIND_BITS: u32 = 0b111;
const FLAG: u32 = 0b1000;
const WHITE_SHIFT: u32 = 4;

/// Longest text a tape can describe: white space is counted in 28 bits.
pub const MAX_TEXT: usize = (1 << 28) - 1;

/// One value or member name. 16 bytes: memory traffic decides the speed of large comparisons.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node {
    pub start: u32,
    pub end: u32,
    /// The first node after this one's subtree.
    pub next: u32,
    meta: u32,
}

impl Node {
    /// A scalar or name. `flag` says that its text (a string) holds a backslash.
    #[inline(always)]
    pub fn leaf(kind: Kind, start: usize, end: usize, index: usize, flag: bool) -> Node {
        let meta = kind as u32 | if flag { FLAG } else { 0 };
        Node { start: start as u32, end: end as u32, next: index as u32 + 1, meta }
    }

    /// A container whose end is not known yet.
    #[inline(always)]
    pub fn open(kind: Kind, start: usize) -> Node {
        Node { start: start as u32, end: 0, next: 0, meta: kind as u32 }
    }

    /// Complete a container. `flag` says of an array that it holds no containers.
    #[inline(always)]
    pub fn close(&mut self, end: usize, next: usize, white: u32, flag: bool) {
        self.end = end as u32;
        self.next = next as u32;
        self.meta |= white << WHITE_SHIFT | if flag { FLAG } else { 0 };
    }

    /// The same value elsewhere: its text `shift` bytes and its nodes `step` nodes further on (modulo 2^32).
    #[inline(always)]
    pub fn moved(&self, shift: u32, step: u32) -> Node {
        let (start, end) = (self.start.wrapping_add(shift), self.end.wrapping_add(shift));
        Node { start, end, next: self.next.wrapping_add(step), ..*self }
    }

    #[inline(always)]
    pub fn kind(&self) -> Kind {
        KINDS[(self.meta & KIND_BITS) as usize]
    }

    #[inline(always)]
    pub fn is_container(&self) -> bool {
        matches!(self.kind(), Kind::Array | Kind::Object)
    }

    /// Of a string or name: its text holds a backslash.
    #[inline(always)]
    pub fn is_escaped(&self) -> bool {
        self.meta & FLAG != 0
    }

    /// Of an array: no element is a container, so the elements are neighbours on the tape.
    #[inline(always)]
    pub fn is_flat(&self) -> bool {
        self.meta & FLAG != 0
    }

    /// Bytes of white space inside the text.
    #[inline(always)]
    pub fn white(&self) -> usize {
        (self.meta >> WHITE_SHIFT) as usize
    }

    /// Bytes of the text without white space.
    #[inline(always)]
    pub fn size(&self) -> usize {
        (self.end - self.start) as usize - self.white()
    }
}

/// The nodes of one document, a hash for each and, only where path options ask for it, a mark for each (see `scope`).
#[derive(Default)]
pub struct Tape {
    pub nodes: Vec<Node>,
    pub hashes: Vec<u64>,
    pub marks: Vec<u32>,
}

/// What a tape takes for one node, its hash and its mark.
const NODE_BYTES: usize = std::mem::size_of::<Node>() + 8 + 4;

impl Tape {
    /// Make room for so many nodes more, and their hashes.
    pub fn reserve(&mut self, count: usize) -> Result<(), TryReserveError> {
        self.nodes.try_reserve(count)?;
        self.hashes.try_reserve(self.nodes.capacity() - self.hashes.len())
    }

    pub fn clear(&mut self) {
        self.nodes.clear();
        self.hashes.clear();
        self.marks.clear();
    }

    /// Give back what is beyond so many bytes.
    pub fn shorten(&mut self, most: usize) {
        let nodes = most / NODE_BYTES;
        self.clear();
        self.nodes.shrink_to(nodes);
        self.hashes.shrink_to(nodes);
        self.marks.shrink_to(nodes);
    }

    pub fn used(&self) -> usize {
        self.nodes.capacity() * std::mem::size_of::<Node>() + self.hashes.capacity() * 8 + self.marks.capacity() * 4
    }
}

/// A document: its text and its tape, to be read together.
#[derive(Clone, Copy)]
pub struct Doc<'a> {
    pub text: &'a [u8],
    pub nodes: &'a [Node],
    pub hashes: &'a [u64],
    /// One mark per node, or empty where no option depends on the path.
    pub marks: &'a [u32],
}

impl<'a> Doc<'a> {
    pub fn new(text: &'a [u8], tape: &'a Tape) -> Doc<'a> {
        Doc { text, nodes: &tape.nodes, hashes: &tape.hashes, marks: &tape.marks }
    }

    #[inline(always)]
    pub fn node(&self, index: u32) -> &'a Node {
        &self.nodes[index as usize]
    }

    /// The hash of what a node means.
    #[inline(always)]
    pub fn hash(&self, index: u32) -> u64 {
        self.hashes[index as usize]
    }

    /// The guide's mark of a node.
    #[inline(always)]
    pub fn mark(&self, index: u32) -> u32 {
        self.marks.get(index as usize).copied().unwrap_or(0)
    }

    /// The text of a node, white space and all.
    #[inline(always)]
    pub fn slice(&self, index: u32) -> &'a [u8] {
        let node = self.node(index);
        &self.text[node.start as usize..node.end as usize]
    }

    /// The text of a string or name between its quotes.
    #[inline(always)]
    pub fn inner(&self, index: u32) -> &'a [u8] {
        let node = self.node(index);
        &self.text[node.start as usize + 1..node.end as usize - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_takes_16_bytes() {
        assert_eq!(std::mem::size_of::<Node>(), 16);
    }
}
