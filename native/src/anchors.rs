//! Anchors: elements that stand exactly once in each of two sequences, and the longest chain of them in rising order.

use crate::cancel::Cancel;
use crate::equality::ROUNDS;
use crate::fault::Stop;
use crate::filter::Filter;
use crate::hash::SPREAD;
use crate::memory::{push, refill};

const ABSENT: u32 = u32::MAX;
const MANY: u32 = u32::MAX - 1;

/// One distinct element of `a`, in the order of first appearance.
struct Entry {
    hash: u64,
    a: u32,
    b: u32,
}

/// What `find` learned.
pub struct Chain {
    /// Places in `a` and `b`, both rising.
    pub pairs: Vec<(u32, u32)>,
    /// No alignment of the two has fewer removed and added elements.
    pub least_edits: usize,
    /// Nothing else that both have can be matched between these pairs.
    pub is_complete: bool,
}

/// Buffers that stay allocated.
#[derive(Default)]
pub struct Anchors {
    entries: Vec<Entry>,
    table: Vec<u32>,
    filter: Filter,
}

impl Anchors {
    /// Find the chain; without it where the number of strangers alone passes `budget`.
    pub fn find(&mut self, a: &[u64], b: &[u64], budget: usize, cancel: Cancel) -> Result<Chain, Stop> {
        let edits_with = |common: usize| a.len() + b.len() - 2 * common.min(a.len());
        let without_pairs = |least_edits: usize| Chain { pairs: Vec::new(), least_edits, is_complete: false };
        let least_edits = edits_with(self.most_shared(a, b, cancel)?);
        if least_edits > budget {
            return Ok(without_pairs(least_edits));
        }
        self.enter(a, cancel)?;
        let shared = b.len() - self.meet(b, cancel)?;
        let least_edits = edits_with(shared);
        if least_edits > budget {
            return Ok(without_pairs(least_edits));
        }
        let unique = self.entries.iter().filter(|entry| entry.a < MANY && entry.b < MANY).count();
        let pairs = self.longest_chain(cancel)?;
        // Whatever is not unique might all be matched.
        let most_common = pairs.len() + (a.len() - unique).min(shared - unique);
        Ok(Chain { pairs, least_edits: edits_with(most_common.min(shared)), is_complete: unique == shared })
    }

    pub fn used(&self) -> usize {
        self.entries.capacity() * std::mem::size_of::<Entry>() + self.table.capacity() * 4 + self.filter.used()
    }

    /// How many elements of `b` are in `a`, or more: a quick look, which spares hopeless arrays the table.
    fn most_shared(&mut self, a: &[u64], b: &[u64], cancel: Cancel) -> Result<usize, Stop> {
        self.filter.enter(a.iter().copied(), cancel)?;
        let mut shared = 0;
        for part in b.chunks(ROUNDS) {
            cancel.check()?;
            shared += part.iter().filter(|&&hash| self.filter.may_hold(hash)).count();
        }
        Ok(shared)
    }

    fn slot(&self, hash: u64) -> usize {
        let mut slot = (hash.wrapping_mul(SPREAD) >> 32) as usize & (self.table.len() - 1);
        while self.table[slot] != 0 && self.entries[self.table[slot] as usize - 1].hash != hash {
            slot = (slot + 1) & (self.table.len() - 1);
        }
        slot
    }

    fn enter(&mut self, a: &[u64], cancel: Cancel) -> Result<(), Stop> {
        let size = (a.len() * 2).next_power_of_two();
        refill(&mut self.table, 0, size)?;
        self.entries.clear();
        self.entries.try_reserve(a.len())?;
        for (&hash, place) in a.iter().zip(0u32..) {
            cancel.check_every(ROUNDS, place as usize)?;
            let slot = self.slot(hash);
            match self.table[slot] {
                0 => {
                    self.entries.push(Entry { hash, a: place, b: ABSENT });
                    self.table[slot] = self.entries.len() as u32;
                }
                known => self.entries[known as usize - 1].a = MANY,
            }
        }
        Ok(())
    }

    /// Note where the elements of `b` stand; how many of them `a` does not have.
    fn meet(&mut self, b: &[u64], cancel: Cancel) -> Result<usize, Stop> {
        let mut missing = 0;
        for (&hash, place) in b.iter().zip(0u32..) {
            cancel.check_every(ROUNDS, place as usize)?;
            match self.table[self.slot(hash)] {
                0 => missing += 1,
                known => {
                    let entry = &mut self.entries[known as usize - 1];
                    entry.b = if entry.b == ABSENT { place } else { MANY };
                }
            }
        }
        Ok(missing)
    }

    /// The longest rising chain among the unique ones (patience sorting).
    fn longest_chain(&self, cancel: Cancel) -> Result<Vec<(u32, u32)>, Stop> {
        let unique = self.entries.iter().filter(|entry| entry.a < MANY && entry.b < MANY);
        rising(unique.map(|entry| (entry.a, entry.b)), cancel)
    }
}

/// The longest chain of pairs, given in rising order of the first, in which the second rises too.
pub fn rising(pairs: impl Iterator<Item = (u32, u32)>, cancel: Cancel) -> Result<Vec<(u32, u32)>, Stop> {
    let mut all: Vec<((u32, u32), u32)> = Vec::new(); // a pair and its predecessor
    let mut tails: Vec<u32> = Vec::new(); // for each length, the pair that ends best
    for pair in pairs {
        cancel.check_every(ROUNDS, all.len())?;
        let length = tails.partition_point(|&tail| all[tail as usize].0 .1 < pair.1);
        let previous = if length == 0 { ABSENT } else { tails[length - 1] };
        if length == tails.len() {
            push(&mut tails, all.len() as u32)?;
        } else {
            tails[length] = all.len() as u32;
        }
        push(&mut all, (pair, previous))?;
    }
    let mut chain = Vec::new();
    chain.try_reserve(tails.len())?;
    let mut at = tails.last().copied().unwrap_or(ABSENT);
    while at != ABSENT {
        let (pair, previous) = all[at as usize];
        chain.push(pair);
        at = previous;
    }
    chain.reverse();
    Ok(chain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_holds_unique_elements_in_order() {
        let chain =
            Anchors::default().find(&[5, 1, 1, 2, 3, 4], &[1, 3, 2, 9, 4, 5], 99, Cancel(None)).expect("memory");
        assert_eq!(chain.pairs.len(), 2); // 2 or 3, and 4
        assert_eq!(chain.pairs[1], (5, 4));
        assert!(!chain.is_complete); // the 1 might be matched, too
        let chain = Anchors::default().find(&[5, 7, 2, 3], &[2, 3, 9, 5], 99, Cancel(None)).expect("memory");
        assert_eq!((chain.pairs, chain.is_complete), (vec![(2, 0), (3, 1)], true));
    }

    #[test]
    fn the_bound_counts_strangers() {
        let chain = Anchors::default().find(&[1, 2, 3], &[7, 8, 9], 99, Cancel(None)).expect("memory");
        assert_eq!((chain.pairs.len(), chain.least_edits), (0, 6));
        let chain = Anchors::default().find(&[1, 2, 3], &[1, 2, 3, 4], 99, Cancel(None)).expect("memory");
        assert_eq!(chain.least_edits, 1);
    }
}
