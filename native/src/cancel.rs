//! The flag by which a caller stops a comparison from another thread.

use crate::fault::Stop;
use std::sync::atomic::{AtomicU8, Ordering};

/// A borrowed flag; `None` where the caller has none.
#[derive(Clone, Copy)]
pub struct Cancel<'a>(pub Option<&'a AtomicU8>);

impl Cancel<'_> {
    /// As `check`, in one of so many rounds of a loop; `every` is a power of two.
    #[inline(always)]
    pub fn check_every(&self, every: usize, round: usize) -> Result<(), Stop> {
        if round & (every - 1) == 0 {
            self.check()
        } else {
            Ok(())
        }
    }

    /// Stop if the flag was raised. Cheap, but not free: called once per chunk of work, every few milliseconds at the
    /// latest.
    #[inline]
    pub fn check(&self) -> Result<(), Stop> {
        match self.0 {
            Some(flag) if flag.load(Ordering::Relaxed) != 0 => Err(Stop::Cancelled),
            _ => Ok(()),
        }
    }
}
