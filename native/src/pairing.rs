//! Pairing what is left in a gap between aligned elements: which removed element became which added one.
//!
//! First by an identifying member, then by likeness, and what still stands between two pairs in order, because one
//! replacement beats a removal and an addition.

use crate::alignment::NONE;
use crate::anchors::rising;
use crate::equality::{Children, View};
use crate::fault::Stop;
use crate::filter::Filter;
use crate::memory::{filled, gathered, push};
use crate::tape::{Doc, Kind};

/// Gaps of more cells than this try an identifying member first.
const FEW_CELLS: usize = 64;
/// Gaps of more cells than this are not searched for likeness.
const MOST_CELLS: usize = 4_096;
/// Members (or items) of an element that likeness looks at.
const MOST_TRAITS: usize = 32;
/// More traits than this are looked through before they are sorted.
const MANY_TRAITS: usize = 100;
/// Members that are tried as identifying ones; fewer in large gaps, so that this many elements are looked at.
const CANDIDATES: usize = 6;
const MOST_LOOKS: usize = 400_000;

/// A gap: elements of `a` and of `b`, as nodes.
pub struct Gap<'a> {
    pub a: &'a [u32],
    pub b: &'a [u32],
}

/// Give each element of `gap.a` the place of its mate in `gap.b`, in rising order, or `NONE`. True if a bound was met.
pub fn pair(view: &View, gap: &Gap, mates: &mut [u32]) -> Result<bool, Stop> {
    mates.fill(NONE);
    let cells = gap.a.len().saturating_mul(gap.b.len());
    let mut is_bounded = false;
    if cells > 1 && has_container(view.before, gap.a) && has_container(view.after, gap.b) {
        let is_identified = cells > FEW_CELLS && by_identity(view, gap, mates)?;
        if !is_identified {
            if cells <= MOST_CELLS {
                by_likeness(view, gap, mates)?;
            } else {
                is_bounded = true;
            }
        }
    }
    in_order(gap, mates);
    Ok(is_bounded)
}

fn has_container(doc: Doc, items: &[u32]) -> bool {
    items.iter().any(|&item| doc.node(item).is_container())
}

/// Pair in order what stands between two pairs.
fn in_order(gap: &Gap, mates: &mut [u32]) {
    let mut next = 0;
    let mut at = 0;
    while at < mates.len() {
        if mates[at] != NONE {
            next = mates[at] + 1;
            at += 1;
            continue;
        }
        let until = mates[at..].iter().copied().find(|&mate| mate != NONE).unwrap_or(gap.b.len() as u32);
        while at < mates.len() && mates[at] == NONE {
            if next < until {
                mates[at] = next;
                next += 1;
            }
            at += 1;
        }
    }
}

/// Pair objects by a scalar member that is unique on both sides. False if no member identifies at least half.
fn by_identity(view: &View, gap: &Gap, mates: &mut [u32]) -> Result<bool, Stop> {
    let first = match gap.a.iter().copied().find(|&item| view.before.node(item).kind() == Kind::Object) {
        Some(first) => first,
        None => return Ok(false),
    };
    let mut filter = Filter::default();
    let candidates = CANDIDATES.min(MOST_LOOKS / (gap.a.len() + gap.b.len()));
    for name in view.children_before(first).take(candidates) {
        view.cancel.check()?;
        if view.before.node(name + 1).is_container() {
            continue;
        }
        let hash = view.before.hash(name);
        let mut left = member_values(view.before, gap.a, hash)?;
        let mut right = member_values(view.after, gap.b, hash)?;
        let is_few = |pairs: usize| pairs * 2 < gap.a.len().min(gap.b.len());
        filter.enter(left.iter().map(|value| value.0), view.cancel)?;
        if is_few(right.iter().filter(|value| filter.may_hold(value.0)).count()) {
            continue;
        }
        left.sort_unstable();
        right.sort_unstable();
        let pairs = match_unique(&left, &right)?;
        if is_few(pairs.len()) {
            continue;
        }
        for (i, j) in rising(pairs.into_iter(), view.cancel)? {
            mates[i as usize] = j;
        }
        return Ok(true);
    }
    Ok(false)
}

/// Hash of the named scalar member of each object that has it, with the object's place.
fn member_values(doc: Doc, items: &[u32], name: u64) -> Result<Vec<(u64, u32)>, Stop> {
    let mut values = Vec::new();
    values.try_reserve(items.len())?;
    for (&item, place) in items.iter().zip(0u32..) {
        if doc.node(item).kind() == Kind::Object {
            let mut names = Children::of(doc, item).take(MOST_TRAITS);
            if let Some(found) = names.find(|&other| doc.hash(other) == name) {
                values.push((doc.hash(found + 1), place));
            }
        }
    }
    Ok(values)
}

/// Places with one value, in rising order of the first; nothing if a value stands twice on one side. Both are sorted.
fn match_unique(left: &[(u64, u32)], right: &[(u64, u32)]) -> Result<Vec<(u32, u32)>, Stop> {
    let is_unique = |values: &[(u64, u32)]| values.windows(2).all(|two| two[0].0 != two[1].0);
    if !is_unique(left) || !is_unique(right) {
        return Ok(Vec::new());
    }
    let find = |hash: u64| right.binary_search_by_key(&hash, |entry| entry.0).ok();
    let mut pairs = gathered(left.iter().filter_map(|&(hash, place)| Some((place, right[find(hash)?].1))))?;
    pairs.sort_unstable();
    Ok(pairs)
}

/// Something that an element holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Trait {
    hash: u64,
    /// Place of the element.
    place: u32,
    /// Bytes that it stands for, roughly.
    weight: u32,
}

/// Pair so that the sum of likenesses is greatest and the order is kept.
fn by_likeness(view: &View, gap: &Gap, mates: &mut [u32]) -> Result<(), Stop> {
    let (rows, columns) = (gap.a.len(), gap.b.len());
    let likeness = likenesses(view, gap)?;
    if likeness.iter().all(|&weight| weight == 0) {
        return Ok(());
    }
    let mut best = filled(0u64, (rows + 1) * (columns + 1))?;
    let place = |row: usize, column: usize| row * (columns + 1) + column;
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            let paired = match likeness[row * columns + column] {
                0 => 0,
                weight => weight + best[place(row + 1, column + 1)],
            };
            best[place(row, column)] = paired.max(best[place(row + 1, column)]).max(best[place(row, column + 1)]);
        }
    }
    let (mut row, mut column) = (0, 0);
    while row < rows && column < columns {
        let here = best[place(row, column)];
        let weight = likeness[row * columns + column];
        if weight > 0 && here == weight + best[place(row + 1, column + 1)] {
            mates[row] = column as u32;
            row += 1;
            column += 1;
        } else if here == best[place(row + 1, column)] {
            row += 1;
        } else {
            column += 1;
        }
    }
    Ok(())
}

/// For each element of `gap.a` and each of `gap.b` the bytes that they have in common, roughly. What all of them have
/// in common tells nothing.
fn likenesses(view: &View, gap: &Gap) -> Result<Vec<u64>, Stop> {
    let (mut left, mut right) = (traits(view.before, gap.a)?, traits(view.after, gap.b)?);
    if left.len() + right.len() > MANY_TRAITS {
        let mut filter = Filter::default();
        filter.enter(left.iter().map(|each| each.hash), view.cancel)?;
        right.retain(|each| filter.may_hold(each.hash));
        filter.enter(right.iter().map(|each| each.hash), view.cancel)?;
        left.retain(|each| filter.may_hold(each.hash));
    }
    sort(&mut left);
    sort(&mut right);
    let mut likeness = filled(0u64, gap.a.len() * gap.b.len())?;
    let (mut i, mut j) = (0, 0);
    while i < left.len() && j < right.len() {
        let hash = left[i].hash;
        if hash != right[j].hash {
            if hash < right[j].hash {
                i += 1;
            } else {
                j += 1;
            }
            continue;
        }
        let mine = left[i..].iter().take_while(|each| each.hash == hash).count();
        let yours = right[j..].iter().take_while(|each| each.hash == hash).count();
        let is_everywhere = mine == gap.a.len() && yours == gap.b.len();
        let telling = if is_everywhere { 0 } else { mine };
        for one in &left[i..i + telling] {
            let row = &mut likeness[one.place as usize * gap.b.len()..][..gap.b.len()];
            for other in &right[j..j + yours] {
                row[other.place as usize] += u64::from(one.weight.min(other.weight));
            }
        }
        i += mine;
        j += yours;
    }
    Ok(likeness)
}

/// By hash; what an element holds several times counts once.
fn sort(traits: &mut Vec<Trait>) {
    traits.sort_unstable();
    traits.dedup_by_key(|each| (each.hash, each.place));
}

/// What some elements hold.
fn traits(doc: Doc, items: &[u32]) -> Result<Vec<Trait>, Stop> {
    let mut traits = Vec::new();
    traits.try_reserve(8 * items.len())?;
    for (&item, place) in items.iter().zip(0..) {
        let is_object = doc.node(item).kind() == Kind::Object;
        if !doc.node(item).is_container() {
            continue;
        }
        for child in Children::of(doc, item).take(MOST_TRAITS) {
            let value = child + u32::from(is_object);
            let weight = doc.node(value).size() as u32;
            if is_object {
                push(&mut traits, Trait { hash: doc.hash(child), place, weight: 1 })?;
                let hash = doc.hash(child).rotate_left(17) ^ doc.hash(value);
                push(&mut traits, Trait { hash, place, weight: weight + 8 })?;
            } else {
                push(&mut traits, Trait { hash: doc.hash(value), place, weight: weight + 1 })?;
            }
        }
    }
    Ok(traits)
}
