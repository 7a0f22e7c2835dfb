//! Steps: what is to be done at one place, in the order in which the patch says it. Objects and arrays plan them,
//! `diff` carries them out.

use crate::alignment::NONE;

/// What becomes of one child.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    Remove,
    Add,
    Change,
    /// Taken from elsewhere in the same container, and changed where it arrives if it is not the same.
    Move,
}

/// One child to remove, to add, to turn into another or to move.
///
/// `a` and `b` are nodes of the first and second document: items of an array, names of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    pub action: Action,
    pub a: u32,
    pub b: u32,
    /// In an array: the index at which it is done, when its turn comes.
    pub index: u32,
    /// In an array: the index from which it moves.
    pub from: u32,
}

impl Step {
    pub fn remove(a: u32, index: u32) -> Step {
        Step { action: Action::Remove, a, b: NONE, index, from: 0 }
    }

    pub fn add(b: u32, index: u32) -> Step {
        Step { action: Action::Add, a: NONE, b, index, from: 0 }
    }

    pub fn change(a: u32, b: u32, index: u32) -> Step {
        Step { action: Action::Change, a, b, index, from: 0 }
    }

    pub fn moved(a: u32, b: u32, from: u32, index: u32) -> Step {
        Step { action: Action::Move, a, b, index, from }
    }
}
