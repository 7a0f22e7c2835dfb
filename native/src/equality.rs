//! Equality of two values on their tapes. A difference of hashes is certain; an agreement is always confirmed.

use crate::cancel::Cancel;
use crate::fault::Stop;
use crate::memory::{filled, gathered, push};
use crate::numbers;
use crate::scope::{Rules, ABSENT};
use crate::strings::unescape;
use crate::tape::{Doc, Kind};

/// Rounds of a loop between two looks at the cancel flag.
pub const ROUNDS: usize = 1 << 14;

/// Two documents to be compared, and what the options say about their places.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub before: Doc<'a>,
    pub after: Doc<'a>,
    pub rules: &'a Rules,
    pub cancel: Cancel<'a>,
}

impl<'a> View<'a> {
    /// Whether two values are the same. White space, spelling of numbers and strings and the order of members aside.
    #[inline(always)]
    pub fn same(&self, a: u32, b: u32) -> Result<bool, Stop> {
        if self.before.hash(a) != self.after.hash(b) {
            return Ok(false);
        }
        if self.before.slice(a) == self.after.slice(b) {
            return Ok(true);
        }
        self.walk(a, b, true)
    }

    /// Whether two values are the same but for numbers that a tolerance calls equal. Slower than `same`, which may
    /// miss numbers that are close and round differently.
    pub fn near(&self, a: u32, b: u32) -> Result<bool, Stop> {
        Ok(self.same(a, b)? || (self.rules.is_tolerant(self.before.mark(a)) && self.walk(a, b, false)?))
    }

    /// Whether two name nodes mean the same name.
    #[inline(always)]
    pub fn same_name(&self, a: u32, b: u32) -> bool {
        self.before.hash(a) == self.after.hash(b) && self.same_string(a, b)
    }

    fn same_string(&self, a: u32, b: u32) -> bool {
        if self.before.slice(a) == self.after.slice(b) {
            return true;
        }
        if !self.before.node(a).is_escaped() && !self.after.node(b).is_escaped() {
            return false;
        }
        let (mut left, mut right) = (Vec::new(), Vec::new());
        unescape(self.before.inner(a), &mut left);
        unescape(self.after.inner(b), &mut right);
        left == right
    }

    /// Compare by structure. An explicit stack of pairs: documents may be deep.
    #[inline(never)]
    fn walk(&self, a: u32, b: u32, trusts_hash: bool) -> Result<bool, Stop> {
        let mut pairs = Pairs { open: Vec::new(), trusts_hash };
        if !self.agree(a, b, &mut pairs)? {
            return Ok(false);
        }
        while let Some((a, b)) = pairs.open.pop() {
            self.cancel.check()?;
            let is_same = if self.before.node(a).kind() == Kind::Array {
                self.items_agree(a, b, &mut pairs)?
            } else {
                self.members_agree(a, b, &mut pairs)?
            };
            if !is_same {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Compare two nodes; containers whose texts differ are put on the stack of open questions.
    fn agree(&self, a: u32, b: u32, pairs: &mut Pairs) -> Result<bool, Stop> {
        let kind = self.before.node(a).kind();
        if kind != self.after.node(b).kind() || (pairs.trusts_hash && self.before.hash(a) != self.after.hash(b)) {
            return Ok(false);
        }
        if self.before.slice(a) == self.after.slice(b) {
            return Ok(true);
        }
        match kind {
            Kind::String | Kind::Name => Ok(self.same_string(a, b)),
            Kind::Number => Ok(self.same_number(a, b)),
            Kind::Array | Kind::Object => {
                push(&mut pairs.open, (a, b))?;
                Ok(true)
            }
            Kind::Null | Kind::True | Kind::False => Ok(false), // their texts are fixed
        }
    }

    fn same_number(&self, a: u32, b: u32) -> bool {
        let (left, right) = (self.before.slice(a), self.after.slice(b));
        let distance = self.rules.distance(self.before.mark(a));
        if distance > 0.0 {
            numbers::close(left, right, distance)
        } else {
            numbers::equal(left, right)
        }
    }

    fn items_agree(&self, a: u32, b: u32, pairs: &mut Pairs) -> Result<bool, Stop> {
        let mut items = self.children_before(a);
        let mut others = self.children_after(b);
        for round in 1.. {
            self.cancel.check_every(ROUNDS, round)?;
            match (items.next(), others.next()) {
                (None, None) => return Ok(true),
                (Some(item), Some(other)) if self.agree(item, other, pairs)? => {}
                _ => return Ok(false),
            }
        }
        Ok(false)
    }

    fn members_agree(&self, a: u32, b: u32, pairs: &mut Pairs) -> Result<bool, Stop> {
        let mut names = self.children_before(a);
        let mut others = self.children_after(b);
        let rest = loop {
            match (names.next(), others.next()) {
                (None, None) => return Ok(true),
                (Some(name), Some(other)) if self.same_name(name, other) => {
                    if !self.agree(name + 1, other + 1, pairs)? {
                        return Ok(false);
                    }
                }
                (Some(name), Some(other)) => break (name, other),
                _ => return Ok(false),
            }
        };
        let others = gathered(std::iter::once(rest.1).chain(others))?;
        let index = NameIndex::of(self.after, &others, self.cancel)?;
        let mut count = 0;
        for name in std::iter::once(rest.0).chain(names) {
            count += 1;
            self.cancel.check_every(ROUNDS, count)?;
            let is_it = |place: usize| self.same_name(name, others[place]);
            match index.find(is_it, self.before.hash(name)) {
                Some(place) if self.agree(name + 1, others[place] + 1, pairs)? => {}
                _ => return Ok(false),
            }
        }
        Ok(count == others.len())
    }

    /// What is compared of the children of a container of the first document: items, or names.
    pub fn children_before(&self, container: u32) -> Children<'a> {
        Children::of(self.before, container)
    }

    /// What is compared of the children of a container of the second document.
    pub fn children_after(&self, container: u32) -> Children<'a> {
        Children::of(self.after, container)
    }
}

/// Pairs of containers that have yet to be compared.
struct Pairs {
    open: Vec<(u32, u32)>,
    /// Different hashes mean different values: true but for tolerances.
    trusts_hash: bool,
}

/// Walks along the siblings inside a container, past those that options leave out.
#[derive(Clone, Copy)]
pub struct Children<'a> {
    doc: Doc<'a>,
    at: u32,
    end: u32,
    is_object: bool,
    left_out: u32,
}

impl<'a> Children<'a> {
    /// Those that are compared.
    #[inline(always)]
    pub fn of(doc: Doc<'a>, container: u32) -> Children<'a> {
        Children::without(ABSENT, doc, container)
    }

    /// Those without any of these marks.
    #[inline(always)]
    pub fn without(marks: u32, doc: Doc<'a>, container: u32) -> Children<'a> {
        let node = doc.node(container);
        let is_object = node.kind() == Kind::Object;
        let left_out = if doc.marks.is_empty() { 0 } else { marks };
        Children { doc, at: container + 1, end: node.next, is_object, left_out }
    }
}

impl Iterator for Children<'_> {
    type Item = u32;

    #[inline(always)]
    fn next(&mut self) -> Option<u32> {
        while self.at < self.end {
            let child = self.at;
            let value = child + u32::from(self.is_object);
            self.at = self.doc.node(value).next;
            if self.left_out == 0 || self.doc.mark(value) & self.left_out == 0 {
                return Some(child);
            }
        }
        None
    }
}

/// Names of one object by hash, for look-ups out of order: an open-addressing table.
pub struct NameIndex {
    hashes: Vec<u64>,
    /// Places of names plus one; 0 is free.
    table: Vec<u32>,
}

impl NameIndex {
    pub fn of(doc: Doc, names: &[u32], cancel: Cancel) -> Result<NameIndex, Stop> {
        let size = (names.len() * 2).next_power_of_two();
        let mut hashes = Vec::new();
        hashes.try_reserve(names.len())?;
        let mut table = filled(0, size)?;
        for (place, &name) in names.iter().enumerate() {
            cancel.check_every(ROUNDS, place)?;
            let hash = doc.hash(name);
            hashes.push(hash);
            let mut slot = hash as usize & (size - 1);
            while table[slot] != 0 {
                slot = (slot + 1) & (size - 1);
            }
            table[slot] = place as u32 + 1;
        }
        Ok(NameIndex { hashes, table })
    }

    /// The place of the name with that hash which `is_it` confirms.
    pub fn find(&self, is_it: impl Fn(usize) -> bool, hash: u64) -> Option<usize> {
        let mut slot = hash as usize & (self.table.len() - 1);
        while self.table[slot] != 0 {
            let place = self.table[slot] as usize - 1;
            if self.hashes[place] == hash && is_it(place) {
                return Some(place);
            }
            slot = (slot + 1) & (self.table.len() - 1);
        }
        None
    }
}
