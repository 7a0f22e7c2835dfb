//! Whether an item of an array gave way to another one altogether: then it is better replaced than edited.

use crate::equality::{NameIndex, View};
use crate::fault::Stop;
use crate::memory::gathered;
use crate::numbers;
use crate::tape::{Doc, Kind};

/// Whether two values are objects that share no value under a name, flags and empty values aside. A shared hash is
/// taken for a shared value: at worst the patch is longer.
pub fn are_strangers(view: &View, a: u32, b: u32) -> Result<bool, Stop> {
    if view.before.node(a).kind() != Kind::Object || view.after.node(b).kind() != Kind::Object {
        return Ok(false);
    }
    let is_shared =
        |name: u32, other: u32| is_telling(view.before, name + 1) && hash(view.before, name) == hash(view.after, other);
    let (mut names, mut others) = (view.children_before(a), view.children_after(b));
    let rest = loop {
        match (names.next(), others.next()) {
            (Some(name), Some(other)) if view.same_name(name, other) => {
                if is_shared(name, other) {
                    return Ok(false);
                }
            }
            (Some(name), Some(other)) => break (name, other),
            _ => return Ok(true),
        }
    };
    let others = gathered(std::iter::once(rest.1).chain(others))?;
    let index = NameIndex::of(view.after, &others, view.cancel)?;
    for name in std::iter::once(rest.0).chain(names) {
        let is_it = |place: usize| view.same_name(name, others[place]);
        if let Some(place) = index.find(is_it, view.before.hash(name)) {
            if is_shared(name, others[place]) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// The hash of the value of a name.
fn hash(doc: Doc, name: u32) -> u64 {
    doc.hash(name + 1)
}

/// Whether two objects with this value have something in common: not a flag, nothing, or empty.
fn is_telling(doc: Doc, value: u32) -> bool {
    match doc.node(value).kind() {
        Kind::Null | Kind::True | Kind::False => false,
        Kind::Number => !numbers::equal(doc.slice(value), b"0"),
        Kind::String | Kind::Name | Kind::Array | Kind::Object => doc.node(value).size() > 2,
    }
}
