//! Keyed arrays: items (objects) with equal values at the keys are the same item, as data bases have it.

use crate::equality::{Children, View};
use crate::fault::Stop;
use crate::hash::mix;
use crate::memory::push;
use crate::pointer;
use crate::scope::KeyNames;
use crate::strings::unescape;
use crate::tape::{Doc, Kind};

const MOST_REPORTED: usize = 100;

/// The items of one side by their keys.
struct Keyed {
    /// Hash of the values at the keys, and the item's place; sorted.
    entries: Vec<(u64, u32)>,
}

/// Items that lack a key or share one, as JSON for the wrapper to make sentences of: the place of the rule, then for
/// each item the input, its pointer and that of its twin.
pub struct Report {
    pub text: Vec<u8>,
    count: usize,
}

impl Report {
    fn add(&mut self, is_before: bool, doc: Doc, item: u32, twin: Option<u32>) {
        self.count += 1;
        if self.count > MOST_REPORTED {
            return;
        }
        self.text.extend_from_slice(b",[");
        self.text.extend_from_slice(if is_before { b"\"before\"" } else { b"\"after\"" });
        for node in std::iter::once(item).chain(twin) {
            self.text.extend_from_slice(b",\"");
            push_way(doc, node, &mut self.text);
            self.text.push(b'"');
        }
        self.text.push(b']');
    }
}

/// Append the pointer of a node of the document, as text inside a JSON string.
fn push_way(doc: Doc, node: u32, out: &mut Vec<u8>) {
    let mut at = 0;
    while at != node {
        let is_object = doc.node(at).kind() == Kind::Object;
        let value_of = |child: u32| child + u32::from(is_object);
        let holds = |&(child, _): &(u32, u32)| node < doc.node(value_of(child)).next;
        let (child, place) = match Children::without(0, doc, at).zip(0..).find(holds) {
            Some(found) => found,
            None => return,
        };
        match is_object {
            true => pointer::push_name(doc.inner(child), doc.node(child).is_escaped(), out),
            false => pointer::push_index(place, out),
        }
        at = value_of(child);
    }
}

/// Pair items by their keys: places in both arrays, in rising order of the first; or what is wrong with the keys.
pub fn pair(view: &View, a: &[u32], b: &[u32], keys: &KeyNames) -> Result<Result<Vec<(u32, u32)>, Report>, Stop> {
    let mut report = Report { text: format!("[{}", keys.rule).into_bytes(), count: 0 };
    // Items of one document are compared with each other, so that document stands on both sides.
    let before = View { after: view.before, ..*view };
    let after = View { before: view.after, ..*view };
    let left = Keyed::of(&before, a, keys, &mut |item, twin| report.add(true, view.before, item, twin))?;
    let right = Keyed::of(&after, b, keys, &mut |item, twin| report.add(false, view.after, item, twin))?;
    if report.count > 0 {
        report.text.push(b']');
        return Ok(Err(report));
    }
    let mut pairs = Vec::new();
    pairs.try_reserve(left.entries.len())?;
    for &(hash, place) in &left.entries {
        for &(_, other) in right.with_hash(hash) {
            if has_same_keys(view, a[place as usize], b[other as usize], keys)? {
                pairs.push((place, other));
            }
        }
    }
    pairs.sort_unstable();
    Ok(Ok(pairs))
}

impl Keyed {
    /// Gather the items' keys; `complain` about each that lacks a key, or shares its keys with an earlier one.
    fn of(
        view: &View,
        items: &[u32],
        keys: &KeyNames,
        complain: &mut impl FnMut(u32, Option<u32>),
    ) -> Result<Keyed, Stop> {
        let mut entries = Vec::new();
        entries.try_reserve(items.len())?;
        let mut faults = Vec::new();
        for (&item, place) in items.iter().zip(0u32..) {
            match key_hash(view.before, item, keys) {
                Some(hash) => entries.push((hash, place)),
                None => push(&mut faults, (place, None))?,
            }
        }
        entries.sort_unstable();
        for (at, &(hash, place)) in entries.iter().enumerate() {
            let earlier = entries[..at].iter().rev().take_while(|entry| entry.0 == hash);
            // The first of its like is enough; with many of one hash this is the pair before, in nearly all cases.
            for &(_, twin) in earlier {
                if has_same_keys(view, items[twin as usize], items[place as usize], keys)? {
                    push(&mut faults, (place, Some(first_twin(&entries[..at], hash))))?;
                    break;
                }
            }
        }
        faults.sort_unstable();
        let item = |place: u32| items[place as usize];
        faults.into_iter().for_each(|(place, twin): (u32, Option<u32>)| complain(item(place), twin.map(item)));
        Ok(Keyed { entries })
    }

    fn with_hash(&self, hash: u64) -> impl Iterator<Item = &(u64, u32)> {
        let first = self.entries.partition_point(|entry| entry.0 < hash);
        self.entries[first..].iter().take_while(move |entry| entry.0 == hash)
    }
}

fn first_twin(entries: &[(u64, u32)], hash: u64) -> u32 {
    entries[entries.partition_point(|entry| entry.0 < hash)].1
}

/// Nodes of the values at the keys; None if the item is no object or lacks one.
fn key_values(doc: Doc, item: u32, keys: &KeyNames) -> Option<Vec<u32>> {
    if doc.node(item).kind() != Kind::Object || keys.hashes.is_empty() {
        return None;
    }
    let find = |(&hash, text): (&u64, &Vec<u8>)| {
        Children::of(doc, item).find(|&name| doc.hash(name) == hash && means(doc, name, text)).map(|name| name + 1)
    };
    keys.hashes.iter().zip(&keys.texts).map(find).collect()
}

fn means(doc: Doc, name: u32, text: &[u8]) -> bool {
    if !doc.node(name).is_escaped() {
        return doc.inner(name) == text;
    }
    let mut meaning = Vec::new();
    unescape(doc.inner(name), &mut meaning);
    meaning == text
}

fn key_hash(doc: Doc, item: u32, keys: &KeyNames) -> Option<u64> {
    let values = key_values(doc, item, keys)?;
    Some(values.into_iter().fold(keys.hashes[0], |sum, value| mix(sum ^ doc.hash(value), keys.hashes[0] | 1)))
}

fn has_same_keys(view: &View, a: u32, b: u32, keys: &KeyNames) -> Result<bool, Stop> {
    let left = key_values(view.before, a, keys);
    let right = key_values(view.after, b, keys);
    match (left, right) {
        (Some(left), Some(right)) => {
            for (&one, &other) in left.iter().zip(&right) {
                if !view.same(one, other)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}
