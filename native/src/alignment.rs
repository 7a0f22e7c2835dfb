//! Which elements of two arrays belong together: two arrays of hashes in, a mate for each element out. Nothing here
//! knows documents or patches.
//!
//! The order of attempts: trim what is equal at both ends; keep positions where few differ; the exact longest common
//! subsequence where it is small; a greedy walk that commits to long equal stretches; elements that are unique on both
//! sides as anchors; and where a bound is met, the position.

use crate::anchors::Anchors;
use crate::cancel::Cancel;
use crate::fault::Stop;
use crate::filter::Filter;
use crate::lcs::Lcs;

/// In a list of mates: no mate.
pub const NONE: u32 = u32::MAX;

const SMALL_CELLS: usize = 4_096;
const MIDDLE_CELLS: usize = 250_000;
/// Work on large arrays without anchors: this many cells per element, and never more than that many in all.
const CELLS_PER_ELEMENT: usize = 2_048;
const MOST_CELLS: usize = 1 << 28;
const LEVELS: u32 = 8;
/// The greedy walk commits to a stretch of this many equal elements and gives up after so many edits without one.
const STRETCH: usize = 12;
const GREEDY_EDITS: usize = 64;

/// How the alignment went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Aligned,
    /// More edits than can pay: the caller replaces the whole array.
    Hopeless,
}

/// Buffers that stay allocated.
#[derive(Default)]
pub struct Aligner {
    lcs: Lcs,
    anchors: Anchors,
    history: Vec<i32>,
    filter: Filter,
    /// A bound was met: the result is right, and coarser than it could be.
    pub is_bounded: bool,
}

/// The job at hand: both sequences, the mates found so far and the edits that may still pay.
struct Job<'a> {
    a: &'a [u64],
    b: &'a [u64],
    mates: &'a mut [u32],
    /// Below zero: hopeless.
    budget: i64,
    cancel: Cancel<'a>,
}

impl Job<'_> {
    fn pair(&mut self, i: usize, j: usize) {
        self.mates[i] = j as u32;
    }

    fn spend(&mut self, edits: usize) {
        self.budget = self.budget.saturating_sub(edits as i64);
    }
}

/// A rectangle of a job: part of `a` against part of `b`.
#[derive(Clone, Copy)]
struct Area {
    a: usize,
    a_end: usize,
    b: usize,
    b_end: usize,
}

impl Area {
    fn rows(&self) -> usize {
        self.a_end - self.a
    }

    fn columns(&self) -> usize {
        self.b_end - self.b
    }

    fn cells(&self) -> usize {
        self.rows().saturating_mul(self.columns())
    }
}

impl Aligner {
    /// Give each element of `a` the place in `b` of the equal element that it belongs to, in rising order, or `NONE`.
    ///
    /// `budget` is the number of removed and added elements beyond which the answer does not matter.
    pub fn align(
        &mut self,
        a: &[u64],
        b: &[u64],
        budget: usize,
        mates: &mut [u32],
        cancel: Cancel,
    ) -> Result<Outcome, Stop> {
        mates.fill(NONE);
        let budget = i64::try_from(budget).unwrap_or(i64::MAX);
        let area = Area { a: 0, a_end: a.len(), b: 0, b_end: b.len() };
        let mut job = Job { a, b, mates, budget, cancel };
        self.area(&mut job, area, 0)?;
        Ok(if job.budget < 0 { Outcome::Hopeless } else { Outcome::Aligned })
    }

    pub fn used(&self) -> usize {
        self.lcs.used() + self.anchors.used() + self.filter.used()
    }

    /// Align one rectangle. Recursion ends after `LEVELS`.
    fn area(&mut self, job: &mut Job, area: Area, level: u32) -> Result<(), Stop> {
        job.cancel.check()?;
        let area = trim(job, area);
        if job.budget < 0 {
            return Ok(());
        }
        if area.rows() == 0 || area.columns() == 0 {
            job.spend(area.rows() + area.columns());
            return Ok(());
        }
        // One side is longer: at least the difference must be added or removed.
        let least = area.rows().max(area.columns()) - area.rows().min(area.columns());
        if least as i64 > job.budget {
            job.spend(least);
            return Ok(());
        }
        if self.keep_positions(job, area, level)? {
            return Ok(());
        }
        if area.cells() <= SMALL_CELLS {
            return self.longest(job, area);
        }
        let rest = self.greedy(job, area)?;
        if job.budget < 0 || rest.rows() == 0 || rest.columns() == 0 {
            job.spend(rest.rows() + rest.columns());
            return Ok(());
        }
        if rest.cells() <= MIDDLE_CELLS {
            return self.longest(job, rest);
        }
        if self.by_anchors(job, rest, level)? {
            return Ok(());
        }
        if rest.cells() <= MOST_CELLS && rest.cells() / CELLS_PER_ELEMENT <= rest.rows() + rest.columns() {
            return self.longest(job, rest);
        }
        self.is_bounded = true;
        by_position(job, rest);
        Ok(())
    }

    /// Where lengths agree and at most a quarter of the places differ, what is equal stays where it is.
    fn keep_positions(&mut self, job: &mut Job, area: Area, level: u32) -> Result<bool, Stop> {
        if area.rows() != area.columns() || level >= LEVELS {
            return Ok(false);
        }
        let (a, b) = (&job.a[area.a..area.a_end], &job.b[area.b..area.b_end]);
        let most = area.rows() / 4;
        if a.iter().zip(b).filter(|(x, y)| x != y).take(most + 1).count() > most {
            return Ok(false);
        }
        let mut at = 0;
        while at < a.len() {
            if a[at] == b[at] {
                job.pair(area.a + at, area.b + at);
                at += 1;
                continue;
            }
            let length = a[at..].iter().zip(&b[at..]).take_while(|(x, y)| x != y).count();
            let run = Area { a: area.a + at, a_end: area.a + at + length, b: area.b + at, b_end: area.b + at + length };
            if length == 1 {
                job.spend(2);
            } else {
                self.area(job, run, level + 1)?;
            }
            at += length;
        }
        Ok(true)
    }

    fn longest(&mut self, job: &mut Job, area: Area) -> Result<(), Stop> {
        let mut count = 0;
        let mates = &mut job.mates[area.a..area.a_end];
        let (a, b) = (&job.a[area.a..area.a_end], &job.b[area.b..area.b_end]);
        let mut pair = |i: usize, j: usize| {
            mates[i] = (area.b + j) as u32;
            count += 1;
        };
        // The shorter side as columns: an index of it is made.
        if a.len() < b.len() {
            self.lcs.run(b, a, job.cancel, |j, i| pair(i, j))?;
        } else {
            self.lcs.run(a, b, job.cancel, pair)?;
        }
        job.spend(area.rows() + area.columns() - 2 * count);
        Ok(())
    }

    /// Myers' greedy search, which commits as soon as a long stretch agrees and starts afresh behind it. What is left
    /// when no such stretch comes is the result.
    fn greedy(&mut self, job: &mut Job, mut area: Area) -> Result<Area, Stop> {
        self.history.clear();
        self.history.try_reserve((GREEDY_EDITS + 1) * (GREEDY_EDITS + 1))?;
        while job.budget >= 0 && area.rows() > 0 && area.columns() > 0 {
            job.cancel.check()?;
            if self.are_strangers(job, area)? {
                break; // the search would use up its edits here and find nothing
            }
            match self.next_stretch(job, area) {
                Some((x, y)) => {
                    area.a += x;
                    area.b += y;
                }
                None => break,
            }
        }
        Ok(area)
    }

    /// Whether nothing is common to the elements that the greedy search reaches while no two agree. May say no for yes.
    fn are_strangers(&mut self, job: &Job, area: Area) -> Result<bool, Stop> {
        const REACH: usize = GREEDY_EDITS + 1;
        self.filter.enter(job.a[area.a..area.a_end.min(area.a + REACH)].iter().copied(), job.cancel)?;
        let mut others = job.b[area.b..area.b_end.min(area.b + REACH)].iter();
        Ok(!others.any(|&hash| self.filter.may_hold(hash)))
    }

    /// Find the nearest long stretch of equal elements from the area's corner on, note the pairs up to its end, and
    /// give its end.
    fn next_stretch(&mut self, job: &mut Job, area: Area) -> Option<(usize, usize)> {
        let (a, b) = (&job.a[area.a..area.a_end], &job.b[area.b..area.b_end]);
        let most = (GREEDY_EDITS as i64).min(job.budget) as i32;
        self.history.clear();
        for edits in 0..=most {
            for diagonal in (-edits..=edits).step_by(2) {
                let begin = if edits == 0 { 0 } else { self.step(edits, diagonal, a.len(), b.len()) };
                if begin < 0 {
                    self.note(begin);
                } else {
                    let (x, y) = (begin as usize, (begin - diagonal) as usize);
                    let length = a[x..].iter().zip(&b[y..]).take_while(|(left, right)| left == right).count();
                    self.note((x + length) as i32);
                    if length >= STRETCH || (x + length == a.len() && y + length == b.len()) {
                        self.commit(job, area, edits, diagonal);
                        job.spend(edits as usize);
                        return Some((x + length, y + length));
                    }
                }
                self.note(-1); // the diagonals between belong to the other parity
            }
            self.history.pop();
        }
        None
    }

    fn note(&mut self, x: i32) {
        self.history.push(x);
    }

    /// How far along `a` a number of edits reached on a diagonal; the rows of the history have 1, 3, 5... places.
    fn reached(&self, edits: i32, diagonal: i32) -> i32 {
        if diagonal < -edits || diagonal > edits {
            return -1;
        }
        self.history[(edits * edits + diagonal + edits) as usize]
    }

    /// Where the search enters a diagonal with one edit more: an element of `b` added, or one of `a` removed.
    fn step(&self, edits: i32, diagonal: i32, rows: usize, columns: usize) -> i32 {
        let added = self.reached(edits - 1, diagonal + 1);
        let removed = self.reached(edits - 1, diagonal - 1);
        let added = if added >= 0 && (added - diagonal) as usize <= columns { added } else { -1 };
        let removed = if removed >= 0 && (removed as usize) < rows { removed + 1 } else { -1 };
        added.max(removed)
    }

    /// Walk back along the path that led to a diagonal and note its pairs.
    fn commit(&self, job: &mut Job, area: Area, edits: i32, mut diagonal: i32) {
        let (rows, columns) = (area.rows(), area.columns());
        for edit in (0..=edits).rev() {
            let begin = if edit == 0 { 0 } else { self.step(edit, diagonal, rows, columns) };
            for x in begin..self.reached(edit, diagonal) {
                job.pair(area.a + x as usize, area.b + (x - diagonal) as usize);
            }
            if edit > 0 {
                let added = self.reached(edit - 1, diagonal + 1);
                let is_added = added == begin && (added - diagonal) as usize <= columns;
                diagonal += if is_added { 1 } else { -1 };
            }
        }
    }

    /// Split at elements that stand once on each side. False where there are none.
    fn by_anchors(&mut self, job: &mut Job, area: Area, level: u32) -> Result<bool, Stop> {
        if level >= LEVELS {
            return Ok(false);
        }
        let (a, b) = (&job.a[area.a..area.a_end], &job.b[area.b..area.b_end]);
        let chain = self.anchors.find(a, b, job.budget.max(0) as usize, job.cancel)?;
        if chain.least_edits as i64 > job.budget {
            job.spend(chain.least_edits);
            return Ok(true);
        }
        if chain.pairs.is_empty() {
            return Ok(false);
        }
        let mut from = area;
        for (i, j) in chain.pairs {
            let (i, j) = (area.a + i as usize, area.b + j as usize);
            if i < from.a || j < from.b {
                continue; // taken already, by the stretch after the anchor before
            }
            let gap = Area { a: from.a, a_end: i, b: from.b, b_end: j };
            let after = job.a[i..area.a_end].iter().zip(&job.b[j..area.b_end]).take_while(|(x, y)| x == y).count();
            (0..after).for_each(|step| job.pair(i + step, j + step));
            self.between_anchors(job, gap, chain.is_complete, level)?;
            from = Area { a: i + after, b: j + after, ..area };
            if job.budget < 0 {
                return Ok(true);
            }
        }
        self.between_anchors(job, from, chain.is_complete, level)?;
        Ok(true)
    }

    fn between_anchors(&mut self, job: &mut Job, gap: Area, has_nothing: bool, level: u32) -> Result<(), Stop> {
        if has_nothing {
            job.spend(gap.rows() + gap.columns());
            return Ok(());
        }
        self.area(job, gap, level + 1)
    }
}

/// Pair what is equal at both ends; the rest.
fn trim(job: &mut Job, mut area: Area) -> Area {
    while area.a < area.a_end && area.b < area.b_end && job.a[area.a] == job.b[area.b] {
        job.pair(area.a, area.b);
        area.a += 1;
        area.b += 1;
    }
    while area.a < area.a_end && area.b < area.b_end && job.a[area.a_end - 1] == job.b[area.b_end - 1] {
        area.a_end -= 1;
        area.b_end -= 1;
        job.pair(area.a_end, area.b_end);
    }
    area
}

fn by_position(job: &mut Job, area: Area) {
    let mut count = 0;
    for step in 0..area.rows().min(area.columns()) {
        if job.a[area.a + step] == job.b[area.b + step] {
            job.pair(area.a + step, area.b + step);
            count += 1;
        }
    }
    job.spend(area.rows() + area.columns() - 2 * count);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(seed: u64) -> impl FnMut(u64) -> u64 {
        let mut state = seed;
        move |bound| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound.max(1)
        }
    }

    /// Align, check that the mates are equal and rise, and count them.
    fn aligned(a: &[u64], b: &[u64]) -> usize {
        let mut mates = vec![0; a.len()];
        let outcome = Aligner::default().align(a, b, usize::MAX, &mut mates, Cancel(None)).expect("memory");
        assert_eq!(outcome, Outcome::Aligned);
        let pairs: Vec<(usize, u32)> = mates.iter().copied().enumerate().filter(|pair| pair.1 != NONE).collect();
        assert!(pairs.iter().all(|&(i, j)| a[i] == b[j as usize]), "equal");
        assert!(pairs.windows(2).all(|two| two[0].1 < two[1].1), "rising");
        pairs.len()
    }

    fn edited(a: &[u64], edits: u64, next: &mut impl FnMut(u64) -> u64) -> Vec<u64> {
        let mut b = a.to_vec();
        for _ in 0..edits {
            let at = next(b.len() as u64) as usize;
            match next(3) {
                0 => b.insert(at, next(1 << 40)),
                1 => drop(b.remove(at)),
                _ => b[at] = next(1 << 40),
            }
        }
        b
    }

    #[test]
    fn sparse_edits_are_found_exactly_in_arrays_of_any_size() {
        for (length, edits, letters) in
            [(10, 2, 5), (100, 10, 1 << 40), (5_000, 50, 1 << 40), (50_000, 500, 10), (50_000, 500, 1 << 40)]
        {
            let mut next = random(length);
            let a: Vec<u64> = (0..length).map(|_| next(letters)).collect();
            let b = edited(&a, edits, &mut next);
            assert!(aligned(&a, &b) as u64 + edits >= length, "{length} {letters}");
        }
    }

    #[test]
    fn random_sequences_give_sound_mates() {
        let mut next = random(7);
        for round in 0..400u64 {
            let (n, m, letters) = (next(300), next(300), 1 + next(1 + round));
            let a: Vec<u64> = (0..n).map(|_| next(letters)).collect();
            let b: Vec<u64> = (0..m).map(|_| next(letters)).collect();
            aligned(&a, &b);
            let edits = next(40).min(n / 2);
            aligned(&a, &edited(&a, edits, &mut next));
        }
    }

    #[test]
    fn shuffled_and_different_arrays_end_soon() {
        let mut next = random(3);
        let a: Vec<u64> = (0..200_000).collect();
        let mut b = a.clone();
        for at in (1..b.len()).rev() {
            b.swap(at, next(at as u64 + 1) as usize);
        }
        assert!(aligned(&a, &b) > 500);
        let c: Vec<u64> = (1_000_000..1_200_000).collect();
        assert_eq!(aligned(&a, &c), 0);
        let d: Vec<u64> = (0..200_000).map(|_| next(3)).collect();
        let e: Vec<u64> = (0..150_000).map(|_| next(3)).collect();
        aligned(&d, &e);
    }

    #[test]
    fn what_cannot_pay_is_given_up() {
        let a: Vec<u64> = (0..100_000).collect();
        let b: Vec<u64> = (500_000..600_000).collect();
        let mut mates = vec![0; a.len()];
        assert_eq!(Aligner::default().align(&a, &b, 1_000, &mut mates, Cancel(None)), Ok(Outcome::Hopeless));
        let one_more: Vec<u64> = (0..100_001).collect();
        assert_eq!(Aligner::default().align(&a, &one_more, 1, &mut mates, Cancel(None)), Ok(Outcome::Aligned));
        assert_eq!(Aligner::default().align(&a, &one_more, 0, &mut mates, Cancel(None)), Ok(Outcome::Hopeless));
    }
}
