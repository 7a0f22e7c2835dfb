//! Arrays: find the elements that stay, pair those that became others, and plan the steps from the last index to the
//! first, so that every index is simply the index in the first array.

use crate::alignment::{Aligner, Outcome, NONE};
use crate::equality::View;
use crate::fault::Stop;
use crate::pairing::{self, Gap};
use crate::steps::Step;
use crate::tape::Doc;

/// On a mate: the two differ, so they are to be compared further.
const DIFFERS: u32 = 1 << 31;

/// The part of an array that takes part in the alignment.
#[derive(Default)]
struct Side {
    nodes: Vec<u32>,
    hashes: Vec<u64>,
    /// Index of each element in its array; empty where it is the place plus the number of equal ones before.
    indexes: Vec<u32>,
}

/// Buffers that stay allocated.
#[derive(Default)]
pub struct Arrays {
    pub aligner: Aligner,
    before: Side,
    after: Side,
    mates: Vec<u32>,
    gap_mates: Vec<u32>,
}

impl Arrays {
    pub fn used(&self) -> usize {
        let side = |side: &Side| side.nodes.capacity() * 4 + side.hashes.capacity() * 8 + side.indexes.capacity() * 4;
        side(&self.before) + side(&self.after) + self.mates.capacity() * 4 + self.aligner.used()
    }

    /// Append the steps that turn array `a` into array `b`; `Hopeless` when more than `budget` elements would have to
    /// be removed and added.
    pub fn plan(&mut self, view: &View, a: u32, b: u32, budget: usize, steps: &mut Vec<Step>) -> Result<Outcome, Stop> {
        let head = self.gather(view, a, b)?;
        self.mates.clear();
        self.mates.try_reserve(self.before.nodes.len())?;
        self.mates.resize(self.before.nodes.len(), NONE);
        let outcome = self.aligner.align(&self.before.hashes, &self.after.hashes, budget, &mut self.mates)?;
        if outcome == Outcome::Hopeless {
            return Ok(outcome);
        }
        self.confirm_all(view)?;
        self.pair_gaps(view)?;
        self.write_steps(head, steps)?;
        Ok(Outcome::Aligned)
    }

    /// Step over the equal head and gather what follows; the number of elements stepped over.
    fn gather(&mut self, view: &View, a: u32, b: u32) -> Result<u32, Stop> {
        let head = if view.before.marks.is_empty() { equal_head(view, a, b)? } else { Head::none(a, b) };
        self.before.gather(view.before, a, head.a, view)?;
        self.after.gather(view.after, b, head.b, view)?;
        Ok(head.count)
    }

    /// Confirm the mates on the texts, whole runs at a time.
    fn confirm_all(&mut self, view: &View) -> Result<(), Stop> {
        let mut at = 0;
        while at < self.mates.len() {
            if self.mates[at] == NONE {
                at += 1;
                continue;
            }
            let first = self.mates[at];
            let length = self.mates[at..].iter().zip(first..).take_while(|(&mate, expected)| mate == *expected).count();
            self.confirm(view, at, first as usize, length)?;
            at += length;
        }
        Ok(())
    }

    /// Confirm one run as one slice; in halves where that fails.
    fn confirm(&mut self, view: &View, a: usize, b: usize, length: usize) -> Result<(), Stop> {
        let has_same_text = |side: &Arrays, a: usize, b: usize, length: usize| {
            let text = run_text(view.before, &side.before.nodes[a..a + length]);
            text == run_text(view.after, &side.after.nodes[b..b + length])
        };
        if has_same_text(self, a, b, length) {
            return Ok(());
        }
        let mut open = vec![(a, b, length)];
        while let Some((a, b, length)) = open.pop() {
            if has_same_text(self, a, b, length) {
                continue;
            }
            if length == 1 {
                if !view.same(self.before.nodes[a], self.after.nodes[b])? {
                    self.mates[a] |= DIFFERS;
                }
                continue;
            }
            let half = length / 2;
            open.push((a, b, half));
            open.push((a + half, b + half, length - half));
        }
        Ok(())
    }

    /// Pair elements inside the gaps between mates.
    fn pair_gaps(&mut self, view: &View) -> Result<(), Stop> {
        let (mut i, mut j) = (0, 0);
        let (rows, columns) = (self.mates.len(), self.after.nodes.len());
        while i < rows {
            if self.mates[i] != NONE {
                j = (self.mates[i] & !DIFFERS) as usize + 1;
                i += 1;
                continue;
            }
            let length = self.mates[i..].iter().take_while(|&&mate| mate == NONE).count();
            let end = self.mates.get(i + length).map_or(columns, |mate| (mate & !DIFFERS) as usize);
            if end > j {
                self.pair_gap(view, i..i + length, j..end)?;
            }
            i += length;
        }
        Ok(())
    }

    fn pair_gap(&mut self, view: &View, a: std::ops::Range<usize>, b: std::ops::Range<usize>) -> Result<(), Stop> {
        let first = b.start as u32;
        if a.len() == 1 && b.len() == 1 {
            self.mates[a.start] = first | DIFFERS;
            return Ok(());
        }
        self.gap_mates.clear();
        self.gap_mates.try_reserve(a.len())?;
        self.gap_mates.resize(a.len(), NONE);
        let gap = Gap { a: &self.before.nodes[a.clone()], b: &self.after.nodes[b] };
        self.aligner.is_bounded |= pairing::pair(view, &gap, &mut self.gap_mates)?;
        for (mate, found) in self.mates[a].iter_mut().zip(&self.gap_mates) {
            if *found != NONE {
                *mate = (first + found) | DIFFERS;
            }
        }
        Ok(())
    }

    /// From the last index to the first: removals, additions behind what stays, changes.
    fn write_steps(&self, head: u32, steps: &mut Vec<Step>) -> Result<(), Stop> {
        let (mut i, mut j) = (self.mates.len(), self.after.nodes.len());
        while i > 0 || j > 0 {
            steps.try_reserve(1)?;
            let mate = if i > 0 { self.mates[i - 1] } else { NONE };
            if i > 0 && mate == NONE {
                i -= 1;
                steps.push(Step::remove(self.before.nodes[i], self.before.index(i, head)));
            } else if j > 0 && (i == 0 || (mate & !DIFFERS) as usize != j - 1) {
                j -= 1;
                let index = if i == 0 { self.before.first_index(head) } else { self.before.index(i - 1, head) + 1 };
                steps.push(Step::add(self.after.nodes[j], index));
            } else {
                i -= 1;
                j -= 1;
                if mate & DIFFERS != 0 {
                    let index = self.before.index(i, head);
                    steps.push(Step::change(self.before.nodes[i], self.after.nodes[j], index));
                }
            }
        }
        Ok(())
    }
}

impl Side {
    /// The elements of `array` from node `from` on.
    fn gather(&mut self, doc: Doc, array: u32, from: u32, view: &View) -> Result<(), Stop> {
        self.nodes.clear();
        self.hashes.clear();
        self.indexes.clear();
        let parent = doc.node(array);
        if parent.is_flat() {
            let most = (parent.next - from) as usize;
            self.nodes.try_reserve(most)?;
            self.hashes.try_reserve(most)?;
        }
        let (mut at, mut index) = (from, 0);
        while at < parent.next {
            let node = doc.node(at);
            let is_ignored = !doc.marks.is_empty() && view.rules.is_ignored(doc.mark(at));
            if !is_ignored {
                self.nodes.try_reserve(1)?;
                self.hashes.try_reserve(1)?;
                self.nodes.push(at);
                self.hashes.push(node.hash);
                if !doc.marks.is_empty() {
                    self.indexes.try_reserve(1)?;
                    self.indexes.push(index);
                }
            }
            index += 1;
            at = node.next;
        }
        Ok(())
    }

    fn index(&self, place: usize, head: u32) -> u32 {
        self.indexes.get(place).copied().unwrap_or(head + place as u32)
    }

    /// Where to add before the first element.
    fn first_index(&self, head: u32) -> u32 {
        if self.indexes.is_empty() {
            head
        } else {
            0
        }
    }
}

/// Where two arrays begin to differ.
struct Head {
    count: u32,
    a: u32,
    b: u32,
}

impl Head {
    fn none(a: u32, b: u32) -> Head {
        Head { count: 0, a: a + 1, b: b + 1 }
    }
}

/// Step through the equal head by hash and confirm it at once as one slice.
fn equal_head(view: &View, a: u32, b: u32) -> Result<Head, Stop> {
    let (end, other_end) = (view.before.node(a).next, view.after.node(b).next);
    let mut head = Head::none(a, b);
    let (mut last, mut other_last) = (a, b);
    while head.a < end && head.b < other_end {
        let (node, other) = (view.before.node(head.a), view.after.node(head.b));
        if node.hash != other.hash {
            break;
        }
        (last, other_last) = (head.a, head.b);
        head = Head { count: head.count + 1, a: node.next, b: other.next };
    }
    if head.count == 0 || run_text(view.before, &[a + 1, last]) == run_text(view.after, &[b + 1, other_last]) {
        return Ok(head);
    }
    // Other spelling: confirm one by one.
    let mut confirmed = Head::none(a, b);
    while confirmed.count < head.count && view.same(confirmed.a, confirmed.b)? {
        confirmed = Head {
            count: confirmed.count + 1,
            a: view.before.node(confirmed.a).next,
            b: view.after.node(confirmed.b).next,
        };
    }
    Ok(confirmed)
}

/// The text from the first to the last of some neighbours.
fn run_text<'a>(doc: Doc<'a>, nodes: &[u32]) -> &'a [u8] {
    match (nodes.first(), nodes.last()) {
        (Some(&first), Some(&last)) => &doc.text[doc.node(first).start as usize..doc.node(last).end as usize],
        _ => &[],
    }
}
