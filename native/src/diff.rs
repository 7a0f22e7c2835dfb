//! The comparison itself: a loop over an explicit stack of containers that carries out their steps and keeps the size.
//!
//! Two passes at most. The first leaves every change member by member (but replaces items of arrays that gave way to
//! strangers) and gives up when the whole patch passes `shorten_above`; the second gives every container the size of its own replacement as a limit, and replaces it when
//! the limit is passed. So a patch is readable while it is small and short when it is not.

use crate::alignment::{Outcome, NONE};
use crate::arrays::{Arrays, Pair};
use crate::emission::value_size;
use crate::equality::{Children, View};
use crate::fault::Stop;
use crate::memory::{append, push};
use crate::objects::{self, Objects};
use crate::pointer;
use crate::records::{Mark, Op, Records};
use crate::scope::{ABSENT, HOLDS_IGNORED, HOLLOW, IGNORED};
use crate::steps::{Action, Step};
use crate::strangers::are_strangers;
use crate::tape::Kind;

/// Steps between two looks at the cancel flag.
const STEPS_PER_CHECK: u32 = 256;

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
    objects: Objects,
    frames: Vec<Frame>,
    steps: Vec<Step>,
    path: Vec<u8>,
    kept: Vec<Plan>,
    kept_steps: Vec<Step>,
}

/// How the first pass planned a pair of arrays. Alignment and pairing cost more than all else: the second pass takes
/// them over.
struct Plan {
    a: u32,
    b: u32,
    /// Its steps among those kept.
    first_step: usize,
    end_step: usize,
    is_bounded: bool,
}

impl Work {
    pub fn used(&self) -> usize {
        self.records.used()
            + self.arrays.used()
            + self.objects.used()
            + self.frames.capacity() * std::mem::size_of::<Frame>()
            + (self.steps.capacity() + self.kept_steps.capacity()) * std::mem::size_of::<Step>()
    }
}

/// Fill `work.records` with the operations that turn the first document into the second.
pub fn compare(view: View, work: &mut Work, shorten_above: usize) -> Result<(), Stop> {
    work.records.clear();
    work.arrays.aligner.is_bounded = false;
    if is_settled(&view, work)? {
        return Ok(());
    }
    work.kept.clear();
    work.kept_steps.clear();
    if shorten_above > 0 {
        let mut readable = Pass { view, work, shortens: false };
        if readable.run(shorten_above)? {
            return Ok(());
        }
    }
    work.arrays.aligner.is_bounded = false;
    let mut short = Pass { view, work, shortens: true };
    short.run(usize::MAX)?;
    Ok(())
}

/// Whether nothing has to be compared: the documents are the same, or the first one takes no part.
fn is_settled(view: &View, work: &mut Work) -> Result<bool, Stop> {
    let (mark, other_mark) = (view.before.mark(0), view.after.mark(0));
    if mark & IGNORED != 0 {
        if other_mark & ABSENT == 0 {
            if view.rules.is_invertible(mark) {
                work.records.push(Op::Test, b"", 0, NONE, view.before.node(0).size())?;
            }
            work.records.push(Op::Replace, b"", 0, 0, value_size(view.after, 0))?;
        }
        return Ok(true);
    }
    Ok(other_mark & IGNORED == 0 && view.same(0, 0)?)
}

/// Append the steps that the first pass planned for a pair of arrays. False if it did not come to them.
fn take_over(
    kept: &[Plan],
    kept_steps: &[Step],
    pair: (u32, u32),
    arrays: &mut Arrays,
    steps: &mut Vec<Step>,
) -> Result<bool, Stop> {
    // A patch that is not yet too long has changed few arrays.
    let plan = match kept.iter().find(|plan| (plan.a, plan.b) == pair) {
        Some(plan) => plan,
        None => return Ok(false),
    };
    arrays.aligner.is_bounded |= plan.is_bounded;
    append(steps, kept_steps[plan.first_step..plan.end_step].iter().copied())?;
    Ok(true)
}

struct Pass<'a, 'w> {
    view: View<'a>,
    work: &'w mut Work,
    shortens: bool,
}

impl Pass<'_, '_> {
    /// Compare the roots. False if the patch passes `limit`.
    fn run(&mut self, limit: usize) -> Result<bool, Stop> {
        self.work.records.clear();
        self.work.frames.clear();
        self.work.steps.clear();
        self.work.path.clear();
        let root = if self.view.after.mark(0) & IGNORED != 0 { NONE } else { 0 };
        let mut is_within = self.change(0, root, limit)? || self.give_up()?;
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
                self.view.cancel.check()?;
                until_check = STEPS_PER_CHECK;
            }
        }
        Ok(false)
    }

    /// Carry out one step. False if `limit` was passed.
    fn carry_out(&mut self, step: Step, is_object: bool, limit: usize) -> Result<bool, Stop> {
        let value = |node: u32| node + u32::from(is_object);
        let length = self.work.path.len();
        match step.action {
            Action::Add => {
                self.enter(false, step.b, step.index, is_object)?;
                self.add(step.b, is_object, limit)
            }
            Action::Remove => {
                self.enter(true, step.a, step.index, is_object)?;
                self.remove(value(step.a), limit)
            }
            Action::Change => {
                self.enter(true, step.a, step.index, is_object)?;
                self.change(value(step.a), value(step.b), limit)
            }
            Action::Move => {
                self.enter(true, step.a, step.from, is_object)?;
                let from = self.work.path.split_off(length);
                let source = [&self.work.path, from.as_slice()].concat();
                self.enter(false, step.b, step.index, is_object)?;
                self.work.records.push_move(&source, &self.work.path)?;
                if self.view.same(value(step.a), value(step.b))? {
                    return Ok(self.work.records.size() <= limit);
                }
                self.change(value(step.a), value(step.b), limit)
            }
        }
    }

    /// Extend the path by one child: a member of one of the documents, or an index.
    fn enter(&mut self, is_before: bool, child: u32, index: u32, is_object: bool) -> Result<(), Stop> {
        self.work.path.try_reserve(16)?;
        if is_object {
            let doc = if is_before { &self.view.before } else { &self.view.after };
            self.work.path.try_reserve(2 * doc.slice(child).len())?;
            pointer::push_name(doc.inner(child), doc.node(child).is_escaped(), &mut self.work.path);
        } else {
            pointer::push_index(index, &mut self.work.path);
        }
        Ok(())
    }

    /// Add a child of the second document: an item, or a member by its name.
    fn add(&mut self, child: u32, is_object: bool, limit: usize) -> Result<bool, Stop> {
        let b = child + u32::from(is_object);
        if self.view.after.mark(b) & HOLLOW == 0 {
            let size = value_size(self.view.after, b);
            let old = if is_object { self.hidden(child) } else { NONE };
            if old != NONE && self.view.rules.is_invertible(self.view.before.mark(old)) {
                return self.replace(old, b, limit);
            }
            self.work.records.push(Op::Add, &self.work.path, old, b, size)?;
        }
        Ok(self.work.records.size() <= limit)
    }

    /// What an added member overwrites: a scalar where `only` names something inside a container, else nothing.
    fn hidden(&self, name: u32) -> u32 {
        let before = self.view.before;
        match self.work.frames.last() {
            Some(frame) if before.mark(frame.a) & HOLDS_IGNORED != 0 => {
                let mut names = Children::without(0, before, frame.a);
                names.find(|&old| self.view.same_name(old, name)).map_or(NONE, |old| old + 1)
            }
            _ => NONE,
        }
    }

    /// Remove a value. A container that is only on the way to what takes part stays, and only the latter goes.
    fn remove(&mut self, a: u32, limit: usize) -> Result<bool, Stop> {
        if self.view.rules.is_outside(self.view.before.mark(a)) {
            return self.open(a, NONE, limit);
        }
        self.test(a)?;
        self.work.records.push(Op::Remove, &self.work.path, a, NONE, 0)?;
        Ok(self.work.records.size() <= limit)
    }

    /// Turn one value into another at the current path: look inside both, or replace. `NONE` for `b` is an empty
    /// container of the same kind.
    fn change(&mut self, a: u32, b: u32, limit: usize) -> Result<bool, Stop> {
        let kind = self.view.before.node(a).kind();
        if b == NONE || (kind == self.view.after.node(b).kind() && matches!(kind, Kind::Array | Kind::Object)) {
            return self.open(a, b, limit);
        }
        if self.view.rules.is_tolerant(self.view.before.mark(a)) && self.view.near(a, b)? {
            return Ok(true);
        }
        if self.view.after.mark(b) & HOLLOW != 0 {
            return self.remove(a, limit);
        }
        self.replace(a, b, limit)
    }

    /// Look inside two containers of one kind.
    fn open(&mut self, a: u32, b: u32, limit: usize) -> Result<bool, Stop> {
        let is_replaceable = b != NONE
            && !self.view.rules.is_fixed(self.view.before.mark(a))
            && (self.shortens || (self.is_in_array() && are_strangers(&self.view, a, b)?));
        let own = if is_replaceable { self.work.records.size() + self.replace_size(a, b) } else { usize::MAX };
        let frame = Frame {
            a,
            b,
            is_object: self.view.before.node(a).kind() == Kind::Object,
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

    fn is_in_array(&self) -> bool {
        self.work.frames.last().map_or(false, |frame| !frame.is_object)
    }

    /// Plan the steps of a pair of containers and put it on the stack. False if that is hopeless.
    fn plan(&mut self, mut frame: Frame) -> Result<bool, Stop> {
        let budget = self.budget(&frame);
        let Work { arrays, objects, steps, kept, kept_steps, .. } = &mut *self.work;
        let mut outcome = Outcome::Aligned;
        match (frame.is_object, frame.b) {
            (true, NONE) => objects::plan_emptying(&self.view, frame.a, steps)?,
            (false, NONE) => arrays.plan_emptying(&self.view, frame.a, steps)?,
            (true, b) => objects.plan(&self.view, frame.a, b, steps)?,
            (false, b) if self.shortens && take_over(kept, kept_steps, (frame.a, b), arrays, steps)? => {}
            (false, b) => {
                let was_bounded = std::mem::replace(&mut arrays.aligner.is_bounded, false);
                outcome = arrays.plan(&self.view, Pair { a: frame.a, b }, budget, steps)?;
                if !self.shortens && outcome == Outcome::Aligned {
                    let first_step = kept_steps.len();
                    append(kept_steps, steps[frame.first_step as usize..].iter().copied())?;
                    let (end_step, is_bounded) = (kept_steps.len(), arrays.aligner.is_bounded);
                    push(kept, Plan { a: frame.a, b, first_step, end_step, is_bounded })?;
                }
                arrays.aligner.is_bounded |= was_bounded;
            }
        }
        frame.end_step = self.work.steps.len() as u32;
        push(&mut self.work.frames, frame)?;
        Ok(outcome == Outcome::Aligned)
    }

    /// How many removed and added elements of an array can still pay.
    fn budget(&self, frame: &Frame) -> usize {
        if frame.limit == usize::MAX {
            return usize::MAX;
        }
        let smallest = Op::Remove.overhead() + frame.path as usize + "/0".len() + ",".len();
        let left = frame.limit.saturating_sub(self.work.records.size());
        left / smallest * 2 + 2 // a replacement is one of each
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
        let size = value_size(self.view.after, b);
        self.work.records.push(Op::Replace, &self.work.path, a, b, size)?;
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
        Op::Replace.overhead() + path + value_size(self.view.after, b) + tested
    }

    /// Where the patch must be invertible: say what stands here before it goes.
    fn test(&mut self, a: u32) -> Result<(), Stop> {
        if self.view.rules.is_invertible(self.view.before.mark(a)) {
            let size = self.view.before.node(a).size();
            self.work.records.push(Op::Test, &self.work.path, a, NONE, size)?;
        }
        Ok(())
    }
}
