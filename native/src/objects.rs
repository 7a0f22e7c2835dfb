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
                return plan_rest(view, &names, &others, steps);
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
fn plan_rest(view: &View, names: &[u32], others: &[u32], steps: &mut Vec<Step>) -> Result<(), Stop> {
    let mates = match_names(view, names, others)?;
    steps.try_reserve(names.len() + others.len())?;
    let mut is_common = vec![false; names.len()];
    mates.iter().filter(|&&place| place != NONE).for_each(|&place| is_common[place as usize] = true);
    for (&other, &place) in others.iter().zip(&mates) {
        if place == NONE {
            steps.push(Step::add(other, 0));
            continue;
        }
        let place = place as usize;
        let run = is_common[..place].iter().rev().take_while(|&&common| !common).count();
        steps.extend(names[place - run..place].iter().map(|&name| Step::remove(name, 0)));
        change(view, names[place], other, steps)?;
    }
    let run = is_common.iter().rev().take_while(|&&common| !common).count();
    steps.extend(names[names.len() - run..].iter().map(|&name| Step::remove(name, 0)));
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
