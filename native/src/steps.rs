//! Steps: what is to be done at one place, in the order in which the patch says it. Objects and arrays plan them,
//! `diff` carries them out.

use crate::alignment::NONE;

/// One child to remove, to add, or to turn into another.
///
/// `a` and `b` are nodes of the first and second document: items of an array, names of an object. `NONE` for `a` means
/// an addition, for `b` a removal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    pub a: u32,
    pub b: u32,
    /// In an array: the index at which it is done, when its turn comes.
    pub index: u32,
}

impl Step {
    pub fn remove(a: u32, index: u32) -> Step {
        Step { a, b: NONE, index }
    }

    pub fn add(b: u32, index: u32) -> Step {
        Step { a: NONE, b, index }
    }

    pub fn change(a: u32, b: u32, index: u32) -> Step {
        Step { a, b, index }
    }
}
