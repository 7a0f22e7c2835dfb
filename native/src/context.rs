//! Contexts: everything that one call needs, kept between calls so that the memory stays warm.
//!
//! First touches of fresh memory cost more than the whole work on large documents, so contexts are lent from a pool and
//! given back. A context that used more than the cap gives its memory back to the system.

use crate::cancel::Cancel;
use crate::diff::{self, Work};
use crate::emission;
use crate::equality::View;
use crate::fault::Stop;
use crate::hash::Keys;
use crate::options::Options;
use crate::scan::{self, Scratch};
use crate::scope::{Everywhere, Rules};
use crate::tape::{Doc, Tape};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

/// Contexts that wait for the next call. More may be lent at once; those beyond this many are dropped on return.
const POOLED: usize = 16;

static POOL: Mutex<Vec<Box<Context>>> = Mutex::new(Vec::new());
static KEEP_BYTES: AtomicUsize = AtomicUsize::new(64 << 20);

/// Which of the two texts something is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    Before = 0,
    After = 1,
}

/// The memory of one call.
pub struct Context {
    pub keys: Keys,
    pub before: Tape,
    pub after: Tape,
    pub scratch: Scratch,
    work: Work,
    /// The patch, once a comparison is done.
    pub patch: Vec<u8>,
    /// The pointer of a refusal.
    pub pointer: Vec<u8>,
}

impl Context {
    fn new() -> Context {
        Context {
            keys: Keys::draw(),
            before: Tape::default(),
            after: Tape::default(),
            scratch: Scratch::default(),
            work: Work::default(),
            patch: Vec::new(),
            pointer: Vec::new(),
        }
    }

    /// Borrow a warm context, or make one.
    pub fn lend() -> Box<Context> {
        let pooled = POOL.lock().map_or(None, |mut pool| pool.pop());
        pooled.unwrap_or_else(|| Box::new(Context::new()))
    }

    /// Give a context back.
    pub fn give_back(self: Box<Context>) {
        if self.used() > KEEP_BYTES.load(Ordering::Relaxed) {
            return;
        }
        if let Ok(mut pool) = POOL.lock() {
            if pool.len() < POOLED {
                pool.push(self);
            }
        }
    }

    fn used(&self) -> usize {
        self.before.used() + self.after.used() + self.scratch.used() + self.work.used() + self.patch.capacity()
    }

    /// Check one text; its tape is `before`.
    pub fn check(&mut self, text: &[u8], max_depth: usize, cancel: Cancel) -> Result<(), Stop> {
        scan::scan(text, &self.keys, max_depth, &mut Everywhere, &mut self.before, &mut self.scratch, cancel)
    }

    /// Compare two texts; the result is `patch`. A stop says which text it is about: false the first.
    pub fn compare(
        &mut self,
        before: &[u8],
        after: &[u8],
        options: &Options,
        cancel: Cancel,
    ) -> Result<(), (Stop, Input)> {
        let Context { keys, scratch, work, .. } = self;
        if !options.is_supported() {
            return Err((Stop::Unsupported, Input::Before));
        }
        let depth = options.max_depth;
        scan::scan(before, keys, depth, &mut Everywhere, &mut self.before, scratch, cancel)
            .map_err(|stop| (stop, Input::Before))?;
        scan::scan(after, keys, depth, &mut Everywhere, &mut self.after, scratch, cancel)
            .map_err(|stop| (stop, Input::After))?;
        let rules = Rules::default();
        let view = View { before: Doc::new(before, &self.before), after: Doc::new(after, &self.after), rules: &rules };
        diff::compare(view, work, options.shorten_above, cancel)
            .and_then(|()| emission::write(&view, &work.records, &mut self.patch))
            .map_err(|stop| (stop, Input::Before))
    }

    /// A bound made the last patch coarser than it could be.
    pub fn is_bounded(&self) -> bool {
        self.work.arrays.aligner.is_bounded
    }
}

/// Set how many bytes a waiting context may hold on to.
pub fn keep(bytes: usize) {
    KEEP_BYTES.store(bytes, Ordering::Relaxed);
}
