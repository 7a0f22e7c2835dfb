//! A quick look at whether a hash is in a set: one bit for each. It may say yes for no, never no for yes.

use crate::cancel::Cancel;
use crate::equality::ROUNDS;
use crate::fault::Stop;
use crate::hash::SPREAD;
use crate::memory::refill;

/// Bits for each hash: one in so many answers is wrong.
const SPARSITY: usize = 8;

/// A set of hashes whose buffer stays allocated.
#[derive(Default)]
pub struct Filter {
    words: Vec<u64>,
    shift: u32,
}

impl Filter {
    /// Forget what is in the set and enter `hashes`.
    pub fn enter(&mut self, hashes: impl ExactSizeIterator<Item = u64>, cancel: Cancel) -> Result<(), Stop> {
        let bits = (hashes.len().max(8) * SPARSITY).next_power_of_two();
        refill(&mut self.words, 0, bits / 64)?;
        self.shift = 64 - bits.trailing_zeros();
        for (round, hash) in hashes.enumerate() {
            cancel.check_every(ROUNDS, round)?;
            let (word, bit) = self.place(hash);
            self.words[word] |= bit;
        }
        Ok(())
    }

    /// Whether the set may hold a hash.
    #[inline(always)]
    pub fn may_hold(&self, hash: u64) -> bool {
        let (word, bit) = self.place(hash);
        self.words[word] & bit != 0
    }

    #[inline(always)]
    fn place(&self, hash: u64) -> (usize, u64) {
        let bit = hash.wrapping_mul(SPREAD) >> self.shift;
        ((bit / 64) as usize, 1 << (bit % 64))
    }

    pub fn used(&self) -> usize {
        self.words.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_forgets_and_seldom_makes_up() {
        let mut filter = Filter::default();
        filter.enter((0..1_000u32).map(|number| u64::from(number) * 7), Cancel(None)).expect("memory");
        assert!((0..1_000).all(|number| filter.may_hold(number * 7)));
        let wrong = (0..7_000).filter(|&number| number % 7 != 0 && filter.may_hold(number)).count();
        assert!(wrong < 2_000, "{wrong}");

        filter.enter([1].into_iter(), Cancel(None)).expect("memory");
        assert!(filter.may_hold(1));
        assert!((2..200).any(|number| !filter.may_hold(number)));
    }
}
