//! What the second text has in common with the first. Most of the documents that are compared are the same in most
//! places, and where the bytes are the same, the nodes are: they are copied, several times as fast as read anew.
//!
//! The scan of the second text keeps, for every open container, the place in the first one that it should be like. This
//! says how far the bytes agree from there on; each byte is compared about once. Where they rarely agree, it rests, so
//! that texts with nothing in common lose next to nothing.

use crate::hash::word;
use crate::tape::{Doc, Node, Tape};
use std::collections::TryReserveError;

/// Bytes compared at once, at the least, when more are asked for.
const STRIDE: usize = 64;
/// Children longer than this are not compared as a whole but child by child: what is compared in vain stays little.
const LONGEST: usize = 1 << 14;
/// Failures in a row before the first rest, and the longest rest, in bytes of text.
const PATIENCE: u32 = 8;
const LONGEST_REST: usize = 1 << 12;
/// Fewer bytes in common than this are no success: trying cost as much as reading.
const SUCCESS: usize = 24;
/// So many bytes must agree where an item is taken for another than the next one.
const TELLING: usize = 16;
/// So many nodes before and behind the next one such an item is looked for...
const REACH: u32 = 48;
/// ...unless fewer failed in a row: then it is one of the nearest...
const FEW: u32 = 2;
/// ...and only so many are compared as a whole: all may begin alike.
const TRIALS: u32 = 2;

/// The first document, while the second one is scanned.
pub struct Twin<'a> {
    doc: Doc<'a>,
    /// How far a place in the second text lies behind its like in the first one, modulo 2^64.
    shift: usize,
    /// The texts agree up to here (in the second one) with that shift...
    until: usize,
    /// ...and not a byte further.
    is_end: bool,
    failures: u32,
    rests_until: usize,
}

/// The children of a container of the first document that are yet to come; of an object, by their names.
#[derive(Clone, Copy)]
pub struct Rest {
    pub next: u32,
    pub end: u32,
    /// Where the last stretch in common ended that was no chance, or so many nodes back as one looks.
    stuck: u32,
}

impl Rest {
    pub const NOTHING: Rest = Rest { next: 0, end: 0, stuck: 0 };

    pub fn is_empty(&self) -> bool {
        self.next >= self.end
    }

    /// Go on behind a stretch in common of so many bytes.
    pub fn pass(&mut self, next: u32, bytes: usize) {
        self.next = next;
        if bytes >= TELLING {
            self.stuck = next;
        }
    }
}

impl<'a> Twin<'a> {
    pub fn new(doc: Doc<'a>) -> Twin<'a> {
        Twin { doc, shift: 0, until: 0, is_end: false, failures: 0, rests_until: 0 }
    }

    pub fn node(&self, index: u32) -> &'a Node {
        self.doc.node(index)
    }

    pub fn hash(&self, index: u32) -> u64 {
        self.doc.hash(index)
    }

    /// Append copies of the nodes `from..to` to a tape, of whose text they are as they lie with the present shift.
    pub fn copy(&self, from: u32, to: u32, tape: &mut Tape) -> Result<(), TryReserveError> {
        let range = from as usize..to as usize;
        tape.reserve(range.len())?;
        let step = (tape.nodes.len() as u32).wrapping_sub(from);
        let shift = self.shift as u32;
        tape.nodes.extend(self.doc.nodes[range.clone()].iter().map(|node| node.moved(shift, step)));
        tape.hashes.extend_from_slice(&self.doc.hashes[range]);
        Ok(())
    }

    /// The children of a node that should be like a container of the other document.
    pub fn children(&self, node: Option<u32>) -> Rest {
        match node {
            Some(node) => Rest { next: node + 1, end: self.node(node).next, stuck: node + 1 },
            None => Rest::NOTHING,
        }
    }

    #[inline(always)]
    pub fn is_resting(&self, at: usize) -> bool {
        at < self.rests_until
    }

    /// Begin to compare `text` from `at` on with a child of the first document.
    #[inline(always)]
    pub fn meet(&mut self, child: u32, at: usize) {
        let shift = at.wrapping_sub(self.node(child).start as usize);
        if shift != self.shift || at > self.until {
            self.shift = shift;
            self.until = at;
            self.is_end = false;
        }
    }

    /// Whether the texts agree up to `end` in the first one, and one byte further: a number ends there in both.
    #[inline(always)]
    pub fn agrees(&mut self, text: &[u8], end: u32) -> bool {
        let end = (end as usize + 1).wrapping_add(self.shift);
        end <= self.until || (!self.is_end && end - self.until <= LONGEST && self.compare(text, end))
    }

    #[inline(never)]
    fn compare(&mut self, text: &[u8], end: usize) -> bool {
        let left = &self.doc.text[self.until.wrapping_sub(self.shift)..];
        let right = &text[self.until..];
        let length = (end - self.until).max(STRIDE).min(left.len()).min(right.len());
        let common = common_prefix(&left[..length], &right[..length]);
        self.until += common;
        self.is_end = common < length;
        end <= self.until
    }

    /// The child that the text at `at` should be like instead of the next one: items were added, or some are gone. It is
    /// looked for from where the last stretch in common ended.
    #[inline(never)]
    pub fn other_child(&mut self, text: &[u8], rest: &Rest, at: usize) -> Option<u32> {
        let telling = text.get(at..at + TELLING)?;
        let (mut child, mut trials) = (rest.stuck, 0);
        let end = rest.end.min(rest.stuck.saturating_add(2 * REACH));
        let most = if self.failures < FEW { FEW + 1 } else { u32::MAX };
        for _ in 0..most {
            if child >= end {
                break;
            }
            let node = self.node(child);
            let start = node.start as usize;
            if child != rest.next && self.doc.text.get(start..start + TELLING) == Some(telling) {
                self.meet(child, at);
                if self.agrees(text, node.end) {
                    return Some(child);
                }
                trials += 1;
                if trials == TRIALS {
                    return None;
                }
            }
            child = node.next;
        }
        None
    }

    /// Go on behind an item that has to be read.
    #[inline(always)]
    pub fn skip(&self, rest: &mut Rest) {
        rest.next = self.node(rest.next).next;
        if rest.next - rest.stuck > REACH {
            rest.stuck = self.node(rest.stuck).next;
        }
    }

    /// Take note of how many bytes were in common at `at`.
    #[inline(always)]
    pub fn learn(&mut self, bytes: usize, at: usize) {
        if bytes >= SUCCESS {
            self.failures = 0;
            return;
        }
        self.failures += 1;
        if self.failures > PATIENCE {
            self.rests_until = at + (SUCCESS << (self.failures - PATIENCE).min(16)).min(LONGEST_REST);
        }
    }
}

/// How many bytes two texts of one length begin with in common.
fn common_prefix(left: &[u8], right: &[u8]) -> usize {
    let mut at = 0;
    while let (Some(left), Some(right)) = (left.get(at..at + 8), right.get(at..at + 8)) {
        let apart = word(left) ^ word(right);
        if apart != 0 {
            return at + (apart.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    at + left[at..].iter().zip(&right[at..]).take_while(|(left, right)| left == right).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_prefix_ends_at_the_first_difference() {
        for length in 0..40 {
            let text = vec![b'x'; length];
            assert_eq!(common_prefix(&text, &text), length);
            for at in 0..length {
                let mut other = text.clone();
                other[at] = b'y';
                assert_eq!(common_prefix(&text, &other), at);
            }
        }
    }
}
