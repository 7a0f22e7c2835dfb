//! The comparison itself: a loop over an explicit stack of containers that carries out their steps and keeps the size.
//!
//! Two passes at most. The first leaves every change member by member and gives up when the whole patch passes
//! `shorten_above`; the second gives every container the size of its own replacement as a limit, and replaces it when
//! the limit is passed. So a patch is readable while it is small and short when it is not.

use crate::alignment::{Outcome, NONE};
use crate::arrays::Arrays;
use crate::cancel::Cancel;
use crate::emission::value_size;
use crate::equality::View;
use crate::fault::Stop;
use crate::objects;
use crate::pointer;
use crate::records::{Mark, Op, Records};
use crate::scope::HOLDS_IGNORED;
use crate::steps::Step;
use crate::tape::Kind;

/// Steps between two looks at the cancel flag.
const STEPS_PER_CHECK: u32 = 1_024;

/// A pair of containers whose steps are being carried out.
struct Frame {
    a: u32,
    b: u32,
    is_object: bool,
    /// Its steps on the stack of steps.
    first_step: u32,
    next_step: u32,
    end_step: u32,
    /// Length of its path.
    path: u32,
    /// What to cut back to when its limit is passed.
    mark: Mark,
    /// Bytes that the whole patch may reach while this pair is at work.
    limit: usize,
    /// It may be replaced as a whole.
    is_replaceable: bool,
}

/// Buffers that stay allocated.
#[derive(Default)]
pub struct Work {
    pub records: Records,
    pub arrays: Arrays,
    frames: Vec<Frame>,
    steps: Vec<Step>,
    path: Vec<u8>,
}

impl Work {
    pub fn used(&self) -> usize {
        self.records.used()
            + self.arrays.used()
            + self.frames.capacity() * std::mem::size_of::<Frame>()
            + self.steps.capacity() * std::mem::size_of::<Step>()
    }
}

/// Fill `work.records` with the operations that turn the first document into the second.
pub fn compare(view: View, work: &mut Work, shorten_above: usize, cancel: Cancel) -> Result<(), Stop> {
    work.records.clear();
    work.arrays.aligner.is_bounded = false;
    if view.same(0, 0)? {
        return Ok(());
    }
    if shorten_above > 0 {
        let mut readable = Pass { view, work, shortens: false, cancel };
        if readable.run(shorten_above)? {
            return Ok(());
        }
    }
    work.arrays.aligner.is_bounded = false;
    let mut short = Pass { view, work, shortens: true, cancel };
    short.run(usize::MAX)?;
    Ok(())
}

struct Pass<'a, 'w> {
    view: View<'a>,
    work: &'w mut Work,
    shortens: bool,
    cancel: Cancel<'a>,
}

impl Pass<'_, '_> {
    /// Compare the roots. False if the patch passes `limit`.
    fn run(&mut self, limit: usize) -> Result<bool, Stop> {
        self.work.records.clear();
        self.work.frames.clear();
        self.work.steps.clear();
        self.work.path.clear();
        let mut is_within = self.change(0, 0, limit)? || self.give_up()?;
        let mut until_check = STEPS_PER_CHECK;
        while is_within {
            let frame = match self.work.frames.last_mut() {
                Some(frame) => frame,
                None => return Ok(self.work.records.size() <= limit),
            };
            if frame.next_step == frame.end_step {
                self.work.steps.truncate(frame.first_step as usize);
                self.work.frames.pop();
                continue;
            }
            let step = self.work.steps[frame.next_step as usize];
            frame.next_step += 1;
            let (path, is_object, limit) = (frame.path as usize, frame.is_object, frame.limit);
            self.work.path.truncate(path);
            is_within = self.carry_out(step, is_object, limit)? || self.give_up()?;
            until_check -= 1;
            if until_check == 0 {
                self.cancel.check()?;
                until_check = STEPS_PER_CHECK;
            }
        }
        Ok(false)
    }

    /// Carry out one step. False if `limit` was passed.
    fn carry_out(&mut self, step: Step, is_object: bool, limit: usize) -> Result<bool, Stop> {
        self.work.path.try_reserve(16)?;
        if is_object {
            let (doc, name) = if step.a == NONE { (&self.view.after, step.b) } else { (&self.view.before, step.a) };
            self.work.path.try_reserve(2 * doc.slice(name).len())?;
            pointer::push_name(doc.inner(name), doc.node(name).is_escaped(), &mut self.work.path);
        } else {
            pointer::push_index(step.index, &mut self.work.path);
        }
        let value = |node: u32| node + u32::from(is_object);
        if step.a == NONE {
            let size = value_size(self.view.after, Some(self.view.rules), value(step.b));
            self.work.records.push(Op::Add, &self.work.path, value(step.b), size)?;
        } else if step.b == NONE {
            self.test(value(step.a))?;
            self.work.records.push(Op::Remove, &self.work.path, NONE, 0)?;
        } else {
            return self.change(value(step.a), value(step.b), limit);
        }
        Ok(self.work.records.size() <= limit)
    }

    /// Turn one value into another at the current path: look inside both, or replace.
    fn change(&mut self, a: u32, b: u32, limit: usize) -> Result<bool, Stop> {
        let kind = self.view.before.node(a).kind();
        let is_alike = kind == self.view.after.node(b).kind() && matches!(kind, Kind::Array | Kind::Object);
        if !is_alike {
            return self.replace(a, b, limit);
        }
        let holds_ignored = self.view.before.mark(a) & HOLDS_IGNORED != 0;
        let is_replaceable = self.shortens && !holds_ignored;
        let own = if is_replaceable { self.work.records.size() + self.replace_size(a, b) } else { usize::MAX };
        let frame = Frame {
            a,
            b,
            is_object: kind == Kind::Object,
            first_step: self.work.steps.len() as u32,
            next_step: self.work.steps.len() as u32,
            end_step: 0,
            path: self.work.path.len() as u32,
            mark: self.work.records.mark(),
            limit: limit.min(own),
            is_replaceable,
        };
        self.plan(frame)
    }

    /// Plan the steps of a pair of containers and put it on the stack. False if that is hopeless.
    fn plan(&mut self, mut frame: Frame) -> Result<bool, Stop> {
        let mut outcome = Outcome::Aligned;
        if frame.is_object {
            objects::plan(&self.view, frame.a, frame.b, &mut self.work.steps)?;
        } else {
            let smallest = Op::Remove.overhead() + frame.path as usize + 3;
            let left = frame.limit.saturating_sub(self.work.records.size());
            let budget = if frame.limit == usize::MAX { usize::MAX } else { left / smallest * 2 + 2 };
            let steps = &mut self.work.steps;
            outcome = self.work.arrays.plan(&self.view, frame.a, frame.b, budget, steps)?;
        }
        frame.end_step = self.work.steps.len() as u32;
        self.work.frames.try_reserve(1)?;
        self.work.frames.push(frame);
        Ok(outcome == Outcome::Aligned)
    }

    /// A limit was passed: replace the innermost container that may be, and the next one around it while that does not
    /// help. False if nothing helps.
    fn give_up(&mut self) -> Result<bool, Stop> {
        while let Some(frame) = self.work.frames.pop() {
            self.work.steps.truncate(frame.first_step as usize);
            if !frame.is_replaceable {
                continue;
            }
            self.work.records.cut(frame.mark);
            self.work.path.truncate(frame.path as usize);
            let limit = self.work.frames.last().map_or(usize::MAX, |outer| outer.limit);
            if self.replace(frame.a, frame.b, limit)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn replace(&mut self, a: u32, b: u32, limit: usize) -> Result<bool, Stop> {
        self.test(a)?;
        let size = value_size(self.view.after, Some(self.view.rules), b);
        self.work.records.push(Op::Replace, &self.work.path, b, size)?;
        Ok(self.work.records.size() <= limit)
    }

    /// Bytes that replacing here would add.
    fn replace_size(&self, a: u32, b: u32) -> usize {
        let path = self.work.path.len() + 1;
        let tested = if self.view.rules.is_invertible(self.view.before.mark(a)) {
            Op::Test.overhead() + path + self.view.before.node(a).size()
        } else {
            0
        };
        Op::Replace.overhead() + path + value_size(self.view.after, Some(self.view.rules), b) + tested
    }

    /// Where the patch must be invertible: say what stands here before it goes.
    fn test(&mut self, a: u32) -> Result<(), Stop> {
        if self.view.rules.is_invertible(self.view.before.mark(a)) {
            let size = self.view.before.node(a).size();
            self.work.records.push(Op::Test, &self.work.path, a, size)?;
        }
        Ok(())
    }
}
