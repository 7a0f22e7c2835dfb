//! The longest common subsequence of two short sequences, 64 cells at a time (Hyyrö's bit-vector method).

use crate::cancel::Cancel;
use crate::fault::Stop;
use crate::memory::refill;

/// Buffers that stay allocated.
#[derive(Default)]
pub struct Lcs {
    /// One bit row per element of `a`: a zero says that the best length grows at this element of `b`.
    rows: Vec<u64>,
    mask: Vec<u64>,
    index: Vec<(u64, u32)>,
}

impl Lcs {
    /// Call `found(i, j)` for every matched pair, from the last to the first.
    pub fn run(
        &mut self,
        a: &[u64],
        b: &[u64],
        cancel: Cancel,
        mut found: impl FnMut(usize, usize),
    ) -> Result<(), Stop> {
        if a.is_empty() || b.is_empty() {
            return Ok(());
        }
        let words = (b.len() + 63) / 64;
        self.fill(a, b, words, cancel)?;
        let grows = |row: usize, column: usize| self.rows[row * words + column / 64] >> (column % 64) & 1 == 0;
        let (mut row, mut column) = (a.len(), b.len());
        while row > 0 && column > 0 {
            if !grows(row, column - 1) {
                column -= 1;
            } else if grows(row - 1, column - 1) {
                row -= 1;
            } else {
                row -= 1;
                column -= 1;
                found(row, column);
            }
        }
        Ok(())
    }

    fn fill(&mut self, a: &[u64], b: &[u64], words: usize, cancel: Cancel) -> Result<(), Stop> {
        self.rows.clear();
        self.rows.try_reserve((a.len() + 1) * words)?;
        self.rows.resize(words, u64::MAX);
        refill(&mut self.mask, 0, words)?;
        if words > 1 {
            self.index.clear();
            self.index.try_reserve(b.len())?;
            self.index.extend(b.iter().zip(0u32..).map(|(&hash, place)| (hash, place)));
            self.index.sort_unstable();
        }
        for (row, &element) in a.iter().enumerate() {
            cancel.check_every(1 << 8, row)?;
            if words == 1 {
                self.mask[0] = b.iter().rev().fold(0, |mask, &other| mask << 1 | u64::from(other == element));
                self.add_row(row, words);
                continue;
            }
            let first = self.index.partition_point(|entry| entry.0 < element);
            let count = self.index[first..].iter().take_while(|entry| entry.0 == element).count();
            let flip = |mask: &mut [u64], places: &[(u64, u32)]| {
                places.iter().for_each(|&(_, place)| mask[place as usize / 64] ^= 1 << (place % 64));
            };
            flip(&mut self.mask, &self.index[first..first + count]);
            self.add_row(row, words);
            flip(&mut self.mask, &self.index[first..first + count]);
        }
        Ok(())
    }

    #[inline(always)]
    fn add_row(&mut self, row: usize, words: usize) {
        let mut carry = false;
        for word in 0..words {
            let (value, mask) = (self.rows[row * words + word], self.mask[word]);
            let (sum, over) = value.overflowing_add(value & mask);
            let (sum, over_again) = sum.overflowing_add(u64::from(carry));
            carry = over || over_again;
            self.rows.push(sum | value & !mask);
        }
    }

    pub fn used(&self) -> usize {
        self.rows.capacity() * 8 + self.index.capacity() * 16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length_by_table(a: &[u64], b: &[u64]) -> usize {
        let mut best = vec![vec![0; b.len() + 1]; a.len() + 1];
        for (i, x) in a.iter().enumerate() {
            for (j, y) in b.iter().enumerate() {
                best[i + 1][j + 1] =
                    if x == y { best[i][j] + 1 } else { std::cmp::max(best[i][j + 1], best[i + 1][j]) };
            }
        }
        best[a.len()][b.len()]
    }

    #[test]
    fn it_is_common_and_longest() {
        let mut state = 1u64;
        let mut next = |bound: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        };
        let mut lcs = Lcs::default();
        for _ in 0..500 {
            let (n, m, letters) = (next(150), next(150), 1 + next(20));
            let a: Vec<u64> = (0..n).map(|_| next(letters)).collect();
            let b: Vec<u64> = (0..m).map(|_| next(letters)).collect();
            let mut pairs = Vec::new();
            lcs.run(&a, &b, Cancel(None), |i, j| pairs.push((i, j))).expect("memory");
            assert!(pairs.windows(2).all(|pair| pair[0].0 > pair[1].0 && pair[0].1 > pair[1].1));
            assert!(pairs.iter().all(|&(i, j)| a[i] == b[j]));
            assert_eq!(pairs.len(), length_by_table(&a, &b));
        }
    }
}
