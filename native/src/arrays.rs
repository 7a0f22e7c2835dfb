//! Arrays: find the elements that stay, pair those that became others, and plan the steps from the last index to the
//! first, so that every index is simply the index in the first array.

use crate::alignment::{Aligner, Outcome, NONE};
use crate::anchors::rising;
use crate::equality::{View, ROUNDS};
use crate::fault::Stop;
use crate::keyed;
use crate::memory::{append, gathered, push, refill};
use crate::moves::{self, Places, Unmatched};
use crate::options::Alignment;
use crate::pairing::{self, Gap};
use crate::scope::{KeyNames, ABSENT};
use crate::steps::Step;
use crate::tape::{Doc, Kind};
use std::ops::Range;

/// On a mate: the two differ, so they are to be compared further.
const DIFFERS: u32 = 1 << 31;

/// The part of an array that takes part in the alignment.
///
/// Where it is a run of neighbours on the tape, it is only known from where to where; the lists are filled if need be.
#[derive(Default)]
struct Side {
    run: Option<Range<u32>>,
    nodes: Vec<u32>,
    hashes: Vec<u64>,
    /// Index of each element in its array; empty where it is the place plus the number of equal ones before.
    indexes: Vec<u32>,
    /// Some elements are not compared.
    has_gaps: bool,
}

/// Buffers that stay allocated.
#[derive(Default)]
pub struct Arrays {
    pub aligner: Aligner,
    before: Side,
    after: Side,
    mates: Vec<u32>,
    gap: Vec<usize>,
    other_gap: Vec<usize>,
    gap_nodes: Vec<u32>,
    other_gap_nodes: Vec<u32>,
    gap_mates: Vec<u32>,
    /// After `Stop::Keys`: what is wrong with the keys, for the wrapper.
    pub report: Vec<u8>,
}

/// Two arrays that differ.
#[derive(Clone, Copy)]
pub struct Pair {
    pub a: u32,
    pub b: u32,
}

impl Arrays {
    pub fn used(&self) -> usize {
        let side = |side: &Side| side.nodes.capacity() * 4 + side.hashes.capacity() * 8 + side.indexes.capacity() * 4;
        let gaps = (self.gap.capacity() + self.other_gap.capacity()) * 8;
        let nodes = self.gap_nodes.capacity() + self.other_gap_nodes.capacity();
        let mates = self.mates.capacity() + self.gap_mates.capacity();
        side(&self.before) + side(&self.after) + gaps + (nodes + mates) * 4 + self.aligner.used()
    }

    /// Append the steps that turn array `a` into array `b`; `Hopeless` when more than `budget`
    /// elements would have to be removed and added.
    pub fn plan(&mut self, view: &View, pair: Pair, budget: usize, steps: &mut Vec<Step>) -> Result<Outcome, Stop> {
        let mark = view.before.mark(pair.a);
        match view.rules.array_rule(mark) {
            Some((rule, _)) if rule.alignment == Alignment::ByPosition => {
                self.gather_all(view, pair)?;
                self.mate_by_position(view)?;
                return self.write_steps(0, steps).map(|()| Outcome::Aligned);
            }
            Some((rule, keys)) if rule.alignment == Alignment::Keyed => {
                self.gather_all(view, pair)?;
                if self.mate_by_keys(view, pair, rule.is_lenient, keys, steps)? {
                    return Ok(Outcome::Aligned);
                }
            }
            _ => {}
        }
        self.plan_in_order(view, pair, budget, steps)
    }

    /// Append the steps that empty an array.
    pub fn plan_emptying(&mut self, view: &View, a: u32, steps: &mut Vec<Step>) -> Result<(), Stop> {
        self.before.gather(view.before, a, a + 1, view)?;
        self.after.clear();
        self.forget_mates()?;
        self.write_steps(0, steps)
    }

    fn plan_in_order(
        &mut self,
        view: &View,
        pair: Pair,
        budget: usize,
        steps: &mut Vec<Step>,
    ) -> Result<Outcome, Stop> {
        let head = self.gather(view, pair.a, pair.b)?;
        if view.rules.is_tolerant(view.before.mark(pair.a)) {
            self.call_near_equal(view)?;
        }
        self.forget_mates()?;
        let hashes = [self.before.hashes(view.before), self.after.hashes(view.after)];
        let outcome = self.aligner.align(hashes[0], hashes[1], budget, &mut self.mates, view.cancel)?;
        if outcome == Outcome::Hopeless {
            return Ok(outcome);
        }
        self.confirm_all(view)?;
        let mut moved = Vec::new();
        if self.may_move(view, pair) {
            let unmatched = self.unmatched()?;
            moved = moves::find(view, self.before.list()?, self.after.list()?, unmatched)?;
        }
        self.pair_gaps(view, &moved)?;
        if moved.is_empty() {
            self.write_steps(head, steps)?;
        } else {
            self.write_moving_steps(head, &moved, steps)?;
        }
        Ok(Outcome::Aligned)
    }

    fn may_move(&self, view: &View, pair: Pair) -> bool {
        let mark = view.before.mark(pair.a);
        view.rules.moves(mark) && !self.before.has_gaps && !view.rules.is_outside(mark)
    }

    fn forget_mates(&mut self) -> Result<(), Stop> {
        refill(&mut self.mates, NONE, self.before.len())
    }

    fn gather_all(&mut self, view: &View, pair: Pair) -> Result<(), Stop> {
        self.before.gather(view.before, pair.a, pair.a + 1, view)?;
        self.after.gather(view.after, pair.b, pair.b + 1, view)?;
        self.forget_mates()
    }

    /// Mate an element; it is compared further unless it is the same.
    fn mate(&mut self, view: &View, place: usize, other: usize) -> Result<(), Stop> {
        let is_same = view.same(self.before.node(place), self.after.node(other))?;
        self.mates[place] = other as u32 | if is_same { 0 } else { DIFFERS };
        Ok(())
    }

    fn mate_by_position(&mut self, view: &View) -> Result<(), Stop> {
        for place in 0..self.before.len().min(self.after.len()) {
            view.cancel.check_every(ROUNDS, place)?;
            self.mate(view, place, place)?;
        }
        Ok(())
    }

    /// Plan by keys. False where the items have none, or bad ones and the rule says to go on in order.
    fn mate_by_keys(
        &mut self,
        view: &View,
        pair: Pair,
        is_lenient: bool,
        keys: &KeyNames,
        steps: &mut Vec<Step>,
    ) -> Result<bool, Stop> {
        let is_object = |doc: Doc, nodes: &[u32]| nodes.iter().any(|&node| doc.node(node).kind() == Kind::Object);
        let (nodes, others) = (self.before.list()?, self.after.list()?);
        if !is_object(view.before, nodes) && !is_object(view.after, others) {
            return Ok(false);
        }
        let pairs = match keyed::pair(view, nodes, others, keys)? {
            Ok(pairs) => pairs,
            Err(_) if is_lenient => return Ok(false),
            Err(report) => {
                self.report = report.text;
                return Err(Stop::Keys);
            }
        };
        let chain = rising(pairs.iter().copied(), view.cancel)?;
        for &(place, other) in &chain {
            self.mate(view, place as usize, other as usize)?;
        }
        if !self.may_move(view, pair) || chain.len() == pairs.len() {
            return self.write_steps(0, steps).map(|()| true);
        }
        let moved = gathered(pairs.iter().copied().filter(|&(place, _)| self.mates[place as usize] == NONE))?;
        self.write_moving_steps(0, &moved, steps).map(|()| true)
    }

    /// Give elements that a tolerance calls equal one hash: in place where the lengths agree, else at both ends.
    fn call_near_equal(&mut self, view: &View) -> Result<(), Stop> {
        self.after.copy_hashes(view.after)?;
        let (length, other_length) = (self.before.len(), self.after.len());
        let hashes = self.before.hashes(view.before);
        let (before, after) = (&self.before, &mut self.after);
        let mut unify = |place: usize, other: usize| -> Result<bool, Stop> {
            let is_near = view.near(before.node(place), after.node(other))?;
            if is_near {
                after.hashes[other] = hashes[place];
            }
            Ok(is_near)
        };
        let shorter = length.min(other_length);
        let mut head = 0;
        while head < shorter && (unify(head, head)? || length == other_length) {
            head += 1;
        }
        let mut tail = 0;
        while head + tail < shorter && unify(length - 1 - tail, other_length - 1 - tail)? {
            tail += 1;
        }
        Ok(())
    }

    /// The elements without a mate, gap by gap.
    fn unmatched(&self) -> Result<Unmatched, Stop> {
        let mut found = Unmatched { leaving: Vec::new(), arriving: Vec::new(), surplus: vec![0] };
        found.leaving.try_reserve(self.mates.len())?;
        found.arriving.try_reserve(self.after.len())?;
        let (mut gap, mut next) = (0u32, 0u32);
        let arrive = |found: &mut Unmatched, gap: u32, from: u32, until: u32| {
            found.surplus[gap as usize] -= i64::from(until) - i64::from(from);
            found.arriving.extend((from..until).map(|other| (other, gap)));
        };
        for (place, &mate) in (0u32..).zip(&self.mates) {
            if mate == NONE {
                found.leaving.push((place, gap));
                found.surplus[gap as usize] += 1;
                continue;
            }
            let mate = mate & !DIFFERS;
            arrive(&mut found, gap, next, mate);
            next = mate + 1;
            gap += 1;
            push(&mut found.surplus, 0)?;
        }
        arrive(&mut found, gap, next, self.after.len() as u32);
        Ok(found)
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
            let text = run_text(view.before, side.before.node(a), side.before.node(a + length - 1));
            text == run_text(view.after, side.after.node(b), side.after.node(b + length - 1))
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
                if !view.same(self.before.node(a), self.after.node(b))? {
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

    /// Pair elements inside the gaps between mates; those that move take no part.
    fn pair_gaps(&mut self, view: &View, moved: &[(u32, u32)]) -> Result<(), Stop> {
        let mut is_leaving = Vec::new();
        let mut is_arriving = Vec::new();
        if !moved.is_empty() {
            refill(&mut is_leaving, false, self.mates.len())?;
            refill(&mut is_arriving, false, self.after.len())?;
            moved.iter().for_each(|&(place, other)| {
                is_leaving[place as usize] = true;
                is_arriving[other as usize] = true;
            });
        }
        let (mut i, mut j) = (0, 0);
        let (rows, columns) = (self.mates.len(), self.after.len());
        while i < rows {
            if self.mates[i] != NONE {
                j = (self.mates[i] & !DIFFERS) as usize + 1;
                i += 1;
                continue;
            }
            let length = self.mates[i..].iter().take_while(|&&mate| mate == NONE).count();
            let end = self.mates.get(i + length).map_or(columns, |mate| (mate & !DIFFERS) as usize);
            if end > j {
                let is_free = |flags: &[bool], place: &usize| !flags.get(*place).copied().unwrap_or(false);
                self.gap.clear();
                append(&mut self.gap, (i..i + length).filter(|place| is_free(&is_leaving, place)))?;
                self.other_gap.clear();
                append(&mut self.other_gap, (j..end).filter(|place| is_free(&is_arriving, place)))?;
                self.pair_gap(view)?;
            }
            i += length;
        }
        Ok(())
    }

    /// Pair the elements at the places `gap` and `other_gap`.
    fn pair_gap(&mut self, view: &View) -> Result<(), Stop> {
        view.cancel.check()?;
        if self.gap.len() == 1 && self.other_gap.len() == 1 {
            self.mates[self.gap[0]] = self.other_gap[0] as u32 | DIFFERS;
            return Ok(());
        }
        refill(&mut self.gap_mates, NONE, self.gap.len())?;
        self.gap_nodes.clear();
        append(&mut self.gap_nodes, self.gap.iter().map(|&place| self.before.node(place)))?;
        self.other_gap_nodes.clear();
        append(&mut self.other_gap_nodes, self.other_gap.iter().map(|&place| self.after.node(place)))?;
        let gap = Gap { a: &self.gap_nodes, b: &self.other_gap_nodes };
        self.aligner.is_bounded |= pairing::pair(view, &gap, &mut self.gap_mates)?;
        for (&place, &found) in self.gap.iter().zip(&self.gap_mates) {
            if found != NONE {
                self.mates[place] = self.other_gap[found as usize] as u32 | DIFFERS;
            }
        }
        Ok(())
    }

    /// As `write_steps`, where some elements move instead of being removed and added.
    fn write_moving_steps(&self, head: u32, moved: &[(u32, u32)], steps: &mut Vec<Step>) -> Result<(), Stop> {
        let (mut i, mut j) = (self.mates.len(), self.after.len());
        let mut places = Places::new(i, j, moved)?;
        while i > 0 || j > 0 {
            steps.try_reserve(1)?;
            let mate = if i > 0 { self.mates[i - 1] } else { NONE };
            if i > 0 && mate == NONE {
                i -= 1;
                if places.leaves(i as u32) {
                    steps.push(Step::remove(self.before.node(i), head + places.of(i as u32)));
                }
            } else if j > 0 && (i == 0 || (mate & !DIFFERS) as usize != j - 1) {
                j -= 1;
                let index = |places: &Places| head + places.of(i as u32);
                match places.take(j as u32, i as u32) {
                    None => steps.push(Step::add(self.after.node(j), index(&places))),
                    Some((source, from)) => {
                        let (a, b) = (self.before.node(source as usize), self.after.node(j));
                        steps.push(Step::moved(a, b, head + from, index(&places)));
                    }
                }
                places.add_behind();
            } else {
                i -= 1;
                j -= 1;
                if mate & DIFFERS != 0 {
                    let index = head + places.of(i as u32);
                    steps.push(Step::change(self.before.node(i), self.after.node(j), index));
                }
                places.add_behind();
            }
        }
        Ok(())
    }

    /// From the last index to the first: removals, additions behind what stays, changes.
    fn write_steps(&self, head: u32, steps: &mut Vec<Step>) -> Result<(), Stop> {
        let (mut i, mut j) = (self.mates.len(), self.after.len());
        while i > 0 || j > 0 {
            steps.try_reserve(1)?;
            let mate = if i > 0 { self.mates[i - 1] } else { NONE };
            if i > 0 && mate == NONE {
                i -= 1;
                steps.push(Step::remove(self.before.node(i), self.before.index(i, head)));
            } else if j > 0 && (i == 0 || (mate & !DIFFERS) as usize != j - 1) {
                j -= 1;
                let index = if i == 0 { self.before.first_index(head) } else { self.before.index(i - 1, head) + 1 };
                steps.push(Step::add(self.after.node(j), index));
            } else {
                i -= 1;
                j -= 1;
                if mate & DIFFERS != 0 {
                    let index = self.before.index(i, head);
                    steps.push(Step::change(self.before.node(i), self.after.node(j), index));
                }
            }
        }
        Ok(())
    }
}

impl Side {
    fn clear(&mut self) {
        self.run = None;
        self.nodes.clear();
        self.hashes.clear();
        self.indexes.clear();
        self.has_gaps = false;
    }

    fn len(&self) -> usize {
        self.run.as_ref().map_or(self.nodes.len(), ExactSizeIterator::len)
    }

    #[inline(always)]
    fn node(&self, place: usize) -> u32 {
        match &self.run {
            Some(run) => run.start + place as u32,
            None => self.nodes[place],
        }
    }

    /// All nodes, one by one.
    fn list(&mut self) -> Result<&[u32], Stop> {
        if let (Some(run), true) = (&self.run, self.nodes.is_empty()) {
            append(&mut self.nodes, run.clone())?;
        }
        Ok(&self.nodes)
    }

    fn hashes<'a>(&'a self, doc: Doc<'a>) -> &'a [u64] {
        match &self.run {
            Some(run) if self.hashes.is_empty() => &doc.hashes[run.start as usize..run.end as usize],
            _ => &self.hashes,
        }
    }

    /// Have hashes of its own, to be changed.
    fn copy_hashes(&mut self, doc: Doc) -> Result<(), Stop> {
        if let (Some(run), true) = (&self.run, self.hashes.is_empty()) {
            append(&mut self.hashes, doc.hashes[run.start as usize..run.end as usize].iter().copied())?;
        }
        Ok(())
    }

    /// The elements of `array` from node `from` on.
    fn gather(&mut self, doc: Doc, array: u32, from: u32, view: &View) -> Result<(), Stop> {
        self.clear();
        let parent = doc.node(array);
        if parent.is_flat() && doc.marks.is_empty() {
            self.run = Some(from..parent.next);
            return Ok(());
        }
        let (mut at, mut index) = (from, 0);
        while at < parent.next {
            view.cancel.check_every(ROUNDS, index as usize)?;
            let node = doc.node(at);
            let is_absent = !doc.marks.is_empty() && doc.mark(at) & ABSENT != 0;
            if !is_absent {
                push(&mut self.nodes, at)?;
                push(&mut self.hashes, doc.hash(at))?;
                if !doc.marks.is_empty() {
                    push(&mut self.indexes, index)?;
                }
            }
            self.has_gaps |= is_absent;
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
        if view.before.hash(head.a) != view.after.hash(head.b) {
            break;
        }
        let (node, other) = (view.before.node(head.a), view.after.node(head.b));
        view.cancel.check_every(ROUNDS, head.count as usize)?;
        (last, other_last) = (head.a, head.b);
        head = Head { count: head.count + 1, a: node.next, b: other.next };
    }
    if head.count == 0 || run_text(view.before, a + 1, last) == run_text(view.after, b + 1, other_last) {
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
fn run_text<'a>(doc: Doc<'a>, first: u32, last: u32) -> &'a [u8] {
    &doc.text[doc.node(first).start as usize..doc.node(last).end as usize]
}
