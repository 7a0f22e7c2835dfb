//! Moves inside an array: which elements go elsewhere, and at which indexes things stand while a patch is at work.

use crate::alignment::NONE;
use crate::equality::View;
use crate::fault::Stop;
use crate::memory::{filled, push};
use crate::tape::Kind;
use std::collections::{HashMap, VecDeque};

/// Strings shorter than this, and numbers, move only where that saves an operation.
const SMALL: usize = 24;

/// One array's gaps: which gap each unmatched element lies in.
pub struct Unmatched {
    /// Place and gap, in rising order.
    pub leaving: Vec<(u32, u32)>,
    pub arriving: Vec<(u32, u32)>,
    /// For each gap, how many more elements leave than arrive.
    pub surplus: Vec<i64>,
}

/// Pair equal elements that stand in different gaps, or in one in another order: places in both arrays.
pub fn find(view: &View, a: &[u32], b: &[u32], mut unmatched: Unmatched) -> Result<Vec<(u32, u32)>, Stop> {
    let mut waiting: HashMap<u64, VecDeque<(u32, u32)>> = HashMap::new();
    waiting.try_reserve(unmatched.leaving.len())?;
    for &(place, gap) in &unmatched.leaving {
        let queue = waiting.entry(view.before.hash(a[place as usize])).or_default();
        queue.try_reserve(1)?;
        queue.push_back((place, gap));
    }
    let mut moved = Vec::new();
    for &(other, there) in &unmatched.arriving {
        let new = b[other as usize];
        let queue = match waiting.get_mut(&view.after.hash(new)) {
            Some(queue) => queue,
            None => continue,
        };
        let (place, here) = match queue.front() {
            Some(&front) => front,
            None => continue,
        };
        let old = a[place as usize];
        let saves = unmatched.surplus[here as usize] > 0 && unmatched.surplus[there as usize] < 0;
        if (saves || is_large(view, old)) && view.same(old, new)? {
            queue.pop_front();
            unmatched.surplus[here as usize] -= 1;
            unmatched.surplus[there as usize] += 1;
            push(&mut moved, (place, other))?;
        }
    }
    Ok(moved)
}

fn is_large(view: &View, value: u32) -> bool {
    let node = view.before.node(value);
    match node.kind() {
        Kind::Array | Kind::Object => node.size() > 2,
        Kind::String => node.size() >= SMALL + 2,
        _ => false,
    }
}

/// Where the elements stand while steps run from the last element to the first and some move.
///
/// In front are the elements not yet passed, without those taken from among them. Behind are the elements passed,
/// without those removed: of them, one that moves further to the front is parked where it is until its turn comes.
pub struct Places {
    /// For each element of the second array the place in the first one from which it comes, or `NONE`.
    sources: Vec<u32>,
    is_moving: Vec<bool>,
    /// Taken from the front.
    taken: Tally,
    /// For each parked element its turn and how many stood behind when it was parked; `NONE` if it is not parked.
    parked: Vec<(u32, u32)>,
    turns: u32,
    unparked: Tally,
    behind: u32,
}

impl Places {
    pub fn new(length: usize, other_length: usize, moved: &[(u32, u32)]) -> Result<Places, Stop> {
        let mut sources = filled(NONE, other_length)?;
        let mut is_moving = filled(false, length)?;
        let parked = filled((NONE, 0), length)?;
        for &(place, other) in moved {
            sources[other as usize] = place;
            is_moving[place as usize] = true;
        }
        let (taken, unparked) = (Tally::new(length)?, Tally::new(moved.len())?);
        Ok(Places { sources, is_moving, taken, parked, turns: 0, unparked, behind: 0 })
    }

    /// The index of an element that has not been passed, or at which something arrives behind that many elements.
    pub fn of(&self, place: u32) -> u32 {
        place - self.taken.below(place)
    }

    /// Pass an element without a mate: true if it is to be removed; one that has yet to move is parked.
    pub fn leaves(&mut self, place: u32) -> bool {
        if !self.is_moving[place as usize] {
            return true;
        }
        if self.taken.below(place + 1) == self.taken.below(place) {
            self.parked[place as usize] = (self.turns, self.behind);
            self.turns += 1;
            self.behind += 1;
        }
        false
    }

    /// The element that becomes element `other` of the second array, and the index from which it moves, if one does.
    /// `front` elements are not yet passed.
    pub fn take(&mut self, other: u32, front: u32) -> Option<(u32, u32)> {
        let source = self.sources[other as usize];
        if source == NONE {
            return None;
        }
        let (turn, behind_it) = self.parked[source as usize];
        if turn == NONE {
            let index = self.of(source);
            self.taken.add(source);
            return Some((source, index));
        }
        let index = self.of(front) + self.behind - 1 - (behind_it - self.unparked.below(turn));
        self.unparked.add(turn);
        self.behind -= 1;
        Some((source, index))
    }

    /// Count an element that is passed and stays, or has arrived.
    pub fn add_behind(&mut self) {
        self.behind += 1;
    }
}

/// Counts marks below a place in logarithmic time (a Fenwick tree).
struct Tally {
    sums: Vec<u32>,
}

impl Tally {
    fn new(size: usize) -> Result<Tally, Stop> {
        Ok(Tally { sums: filled(0, size + 1)? })
    }

    fn add(&mut self, place: u32) {
        let mut at = place as usize + 1;
        while at < self.sums.len() {
            self.sums[at] += 1;
            at += at & at.wrapping_neg();
        }
    }

    fn below(&self, place: u32) -> u32 {
        let (mut at, mut total) = (place as usize, 0);
        while at > 0 {
            total += self.sums[at];
            at &= at - 1;
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_counts_below() {
        let mut tally = Tally::new(10).expect("memory");
        for place in [0, 3, 3, 9] {
            tally.add(place);
        }
        let counts: Vec<u32> = (0..=10).map(|place| tally.below(place)).collect();
        assert_eq!(counts, [0, 1, 1, 1, 3, 3, 3, 3, 3, 3, 4]);
    }
}
