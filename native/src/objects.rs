//! Objects: members are matched by name. Operations follow the members of the second object; what only the first one
//! has is removed right before the member that follows it there.

use crate::alignment::NONE;
use crate::equality::{NameIndex, View};
use crate::fault::Stop;
use crate::steps::Step;

/// Up to this many names are searched one by one.
const FEW: usize = 16;

/// Append the steps that turn object `a` into object `b`.
pub fn plan(view: &View, a: u32, b: u32, steps: &mut Vec<Step>) -> Result<(), Stop> {
    let mut names = view.children_before(a);
    let mut others = view.children_after(b);
    loop {
        let (name, other) = match (names.next(), others.next()) {
            (None, None) => return Ok(()),
            (Some(name), Some(other)) if view.same_name(name, other) => (name, other),
            (name, other) => {
                let names = collect(name.into_iter().chain(names))?;
                let others = collect(other.into_iter().chain(others))?;
                return plan_rest(view, &names, &others, view.rules.moves(view.before.mark(a)), steps);
            }
        };
        change(view, name, other, steps)?;
    }
}

/// Append the step for a common member, if its values differ.
fn change(view: &View, name: u32, other: u32, steps: &mut Vec<Step>) -> Result<(), Stop> {
    if !view.same(name + 1, other + 1)? {
        steps.try_reserve(1)?;
        steps.push(Step::change(name, other, 0));
    }
    Ok(())
}

fn collect(names: impl Iterator<Item = u32>) -> Result<Vec<u32>, Stop> {
    let mut list = Vec::new();
    for name in names {
        list.try_reserve(1)?;
        list.push(name);
    }
    Ok(list)
}

/// The members from the first disagreement on.
fn plan_rest(view: &View, names: &[u32], others: &[u32], moves: bool, steps: &mut Vec<Step>) -> Result<(), Stop> {
    let mates = match_names(view, names, others)?;
    steps.try_reserve(names.len() + others.len())?;
    let mut fates = vec![Fate::Goes; names.len()];
    mates.iter().filter(|&&place| place != NONE).for_each(|&place| fates[place as usize] = Fate::Stays);
    let mut sources = Vec::new();
    if moves {
        sources = find_moves(view, names, others, &mates, &mut fates)?;
    }
    let remove_before = |place: usize, steps: &mut Vec<Step>| {
        let run = fates[..place].iter().rev().take_while(|&&fate| fate != Fate::Stays).count();
        let gone = (place - run..place).filter(|&place| fates[place] == Fate::Goes);
        steps.extend(gone.map(|place| Step::remove(names[place], 0)));
    };
    for (position, (&other, &place)) in others.iter().zip(&mates).enumerate() {
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
    let mut waiting: Vec<(u64, u32)> = going.map(|(&name, place)| (view.before.node(name + 1).hash, place)).collect();
    waiting.sort_unstable();
    let mut sources = Vec::new();
    sources.try_reserve(others.len())?;
    for (&other, &mate) in others.iter().zip(mates) {
        let mut source = NONE;
        if mate == NONE {
            let hash = view.after.node(other + 1).hash;
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
        steps.try_reserve(1)?;
        steps.push(Step::remove(name, 0));
    }
    Ok(())
}

/// For each of `others` its place in `names`, or `NONE`.
fn match_names(view: &View, names: &[u32], others: &[u32]) -> Result<Vec<u32>, Stop> {
    let mut mates = Vec::new();
    mates.try_reserve(others.len())?;
    let index = if names.len() > FEW { Some(NameIndex::of(view.before, names.iter().copied())?) } else { None };
    let mut cursor = 0;
    for &other in others {
        let is_it = |name: u32| view.same_name(name, other);
        let place = if cursor < names.len() && is_it(names[cursor]) {
            Some(cursor)
        } else if let Some(index) = &index {
            // names are nodes in rising order, so the place follows from the node
            index.find(is_it, view.after.node(other).hash).and_then(|name| names.binary_search(&name).ok())
        } else {
            names.iter().position(|&name| is_it(name))
        };
        mates.push(place.map_or(NONE, |place| place as u32));
        cursor = place.map_or(cursor, |place| place + 1);
    }
    Ok(mates)
}
