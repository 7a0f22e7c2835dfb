//! Objects: members are matched by name. Operations follow the members of the second object; what only the first one
//! has is removed right before the member that follows it there.

use crate::alignment::NONE;
use crate::equality::{Children, NameIndex, View, ROUNDS};
use crate::fault::Stop;
use crate::memory::{append, gathered, push, refill};
use crate::scope::IGNORED;
use crate::steps::Step;

/// Up to this many names are searched one by one.
const FEW: usize = 16;

/// Buffers that stay allocated: the members from the first disagreement on.
#[derive(Default)]
pub struct Objects {
    names: Vec<u32>,
    others: Vec<u32>,
    /// For each of `others` its place in `names`, or `NONE`.
    mates: Vec<u32>,
    fates: Vec<Fate>,
}

impl Objects {
    pub fn used(&self) -> usize {
        (self.names.capacity() + self.others.capacity() + self.mates.capacity()) * 4 + self.fates.capacity()
    }

    /// Append the steps that turn object `a` into object `b`.
    pub fn plan(&mut self, view: &View, a: u32, b: u32, steps: &mut Vec<Step>) -> Result<(), Stop> {
        // Hollow ones too: what arrives where one stands is put into it.
        let mut names = Children::without(IGNORED, view.before, a);
        let mut others = Children::without(IGNORED, view.after, b);
        for round in 1.. {
            view.cancel.check_every(ROUNDS, round)?;
            let (name, other) = match (names.next(), others.next()) {
                (None, None) => return Ok(()),
                (Some(name), Some(other)) if view.same_name(name, other) => (name, other),
                (name, other) => {
                    self.names.clear();
                    append(&mut self.names, name.into_iter().chain(names))?;
                    self.others.clear();
                    append(&mut self.others, other.into_iter().chain(others))?;
                    return self.plan_rest(view, view.rules.moves(view.before.mark(a)), steps);
                }
            };
            change(view, name, other, steps)?;
        }
        Ok(())
    }

    /// The members from the first disagreement on.
    fn plan_rest(&mut self, view: &View, moves: bool, steps: &mut Vec<Step>) -> Result<(), Stop> {
        self.match_names(view)?;
        let Objects { names, others, mates, fates } = self;
        steps.try_reserve(names.len() + others.len())?;
        refill(fates, Fate::Goes, names.len())?;
        mates.iter().filter(|&&place| place != NONE).for_each(|&place| fates[place as usize] = Fate::Stays);
        let mut sources = Vec::new();
        if moves {
            sources = find_moves(view, names, others, mates, fates)?;
        }
        let remove_before = |place: usize, steps: &mut Vec<Step>| {
            let run = fates[..place].iter().rev().take_while(|&&fate| fate != Fate::Stays).count();
            let gone = (place - run..place).filter(|&place| fates[place] == Fate::Goes);
            steps.extend(gone.map(|place| Step::remove(names[place], 0)));
        };
        for (position, (&other, &place)) in others.iter().zip(mates.iter()).enumerate() {
            view.cancel.check_every(ROUNDS, position)?;
            if place != NONE {
                remove_before(place as usize, steps);
                change(view, names[place as usize], other, steps)?;
            } else if let Some(&source) = sources.get(position).filter(|&&source| source != NONE) {
                steps.push(Step::moved(names[source as usize], other, 0, 0));
            } else {
                steps.push(Step::add(other, 0));
            }
        }
        remove_before(names.len(), steps);
        Ok(())
    }

    /// Find for each of `others` the member of that name.
    fn match_names(&mut self, view: &View) -> Result<(), Stop> {
        let Objects { names, others, mates, .. } = self;
        mates.clear();
        mates.try_reserve(others.len())?;
        let index = if names.len() > FEW { Some(NameIndex::of(view.before, names, view.cancel)?) } else { None };
        let mut cursor = 0;
        for (round, &other) in others.iter().enumerate() {
            view.cancel.check_every(ROUNDS, round)?;
            let is_it = |place: usize| view.same_name(names[place], other);
            let place = if cursor < names.len() && is_it(cursor) {
                Some(cursor)
            } else if let Some(index) = &index {
                index.find(is_it, view.after.hash(other))
            } else {
                (0..names.len()).find(|&place| is_it(place))
            };
            mates.push(place.map_or(NONE, |place| place as u32));
            cursor = place.map_or(cursor, |place| place + 1);
        }
        Ok(())
    }
}

/// Append the step for a common member, if its values differ.
fn change(view: &View, name: u32, other: u32, steps: &mut Vec<Step>) -> Result<(), Stop> {
    if !view.same(name + 1, other + 1)? {
        push(steps, Step::change(name, other, 0))?;
    }
    Ok(())
}

/// What becomes of a member of the first object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    Goes,
    /// Gets another name.
    Moves,
}

/// For each of `others` the place in `names` of a member with an equal value that would go, or `NONE`.
fn find_moves(view: &View, names: &[u32], others: &[u32], mates: &[u32], fates: &mut [Fate]) -> Result<Vec<u32>, Stop> {
    let going = names.iter().zip(0u32..).filter(|(_, place)| fates[*place as usize] == Fate::Goes);
    let mut waiting = gathered(going.map(|(&name, place)| (view.before.hash(name + 1), place)))?;
    waiting.sort_unstable();
    let mut sources = Vec::new();
    sources.try_reserve(others.len())?;
    for (&other, &mate) in others.iter().zip(mates) {
        let mut source = NONE;
        if mate == NONE {
            let hash = view.after.hash(other + 1);
            let first = waiting.partition_point(|entry| entry.0 < hash);
            for entry in waiting[first..].iter().take_while(|entry| entry.0 == hash) {
                let is_free = fates[entry.1 as usize] == Fate::Goes;
                if is_free && view.same(names[entry.1 as usize] + 1, other + 1)? {
                    source = entry.1;
                    fates[source as usize] = Fate::Moves;
                    break;
                }
            }
        }
        sources.push(source);
    }
    Ok(sources)
}

/// Append the steps that empty an object.
pub fn plan_emptying(view: &View, a: u32, steps: &mut Vec<Step>) -> Result<(), Stop> {
    for name in view.children_before(a) {
        push(steps, Step::remove(name, 0))?;
    }
    Ok(())
}
