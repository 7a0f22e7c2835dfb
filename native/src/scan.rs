//! The scan: one pass over a text that checks it and writes its tape. An explicit stack of open containers, no recursion.

use crate::blocks::{block, leading_white, BLOCK};
use crate::cancel::Cancel;
use crate::fault::{Fault, Reason, Stop};
use crate::hash::Keys;
use crate::names::find_twins;
use crate::numbers;
use crate::pointer;
use crate::scope::{Everywhere, Guide, ABSENT, HOLDS_IGNORED, HOLLOW, IGNORED};
use crate::strings::{self, ScanError};
use crate::tape::{Doc, Kind, Node, Tape, MAX_TEXT};
use crate::twin::{Rest, Twin};

/// Text between two looks at the cancel flag; about 0.1 ms of work.
const CHUNK: usize = 1 << 16;
/// The byte order mark that some editors write; it is accepted and means nothing.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// An open container.
#[derive(Clone, Copy)]
struct Frame {
    node: u32,
    /// White space seen before its opening bracket.
    white: u32,
    sum: u64,
    /// Children that take part in the comparison.
    count: u32,
    /// All children, the ignored ones too.
    children: u32,
    /// Where its names begin on the stack of names.
    names: u32,
    mark: u32,
    kind: Kind,
    is_flat: bool,
    holds_ignored: bool,
    /// Something in it is compared.
    holds_part: bool,
    /// The children of the first document that the next ones should be like.
    rest: Rest,
}

/// Buffers of the scan that stay allocated between calls.
#[derive(Default)]
pub struct Scratch {
    frames: Vec<Frame>,
    names: Vec<u64>,
    table: Vec<u32>,
    unescaped: Vec<u8>,
}

impl Scratch {
    pub fn used(&self) -> usize {
        self.table.capacity() * 4 + self.unescaped.capacity() + self.names.capacity() * 8
    }
}

/// What every step of one scan needs.
struct Scanner<'a, G: Guide, const HAS_TWIN: bool> {
    text: &'a [u8],
    keys: &'a Keys,
    tape: &'a mut Tape,
    scratch: &'a mut Scratch,
    guide: &'a mut G,
    /// The first document, when the second one is scanned and every place of it takes part.
    twin: Twin<'a>,
    /// The node of the first document that the value to come should be like.
    like: Option<u32>,
    max_depth: usize,
    white: u32,
    /// Why the scan halted, if it did.
    stop: Option<Stop>,
}

/// The scan has come to an end; the scanner knows why. An error of no size, so that results stay in registers.
struct Halt;

/// Check `text` and write its tape. `guide` says what path options make of each place.
pub fn scan<G: Guide>(
    text: &[u8],
    keys: &Keys,
    max_depth: usize,
    guide: &mut G,
    tape: &mut Tape,
    scratch: &mut Scratch,
    cancel: Cancel,
) -> Result<(), Stop> {
    let twin = Twin::new(Doc { text: &[], nodes: &[], hashes: &[], marks: &[] });
    let limits = Limits { max_depth, cancel };
    scan_beside::<G, false>(text, keys, limits, guide, tape, scratch, twin)
}

/// As `scan`, of a text that has much in common with one that was scanned with the same keys.
pub fn scan_like(
    text: &[u8],
    keys: &Keys,
    max_depth: usize,
    first: Doc,
    tape: &mut Tape,
    scratch: &mut Scratch,
    cancel: Cancel,
) -> Result<(), Stop> {
    let limits = Limits { max_depth, cancel };
    scan_beside::<Everywhere, true>(text, keys, limits, &mut Everywhere, tape, scratch, Twin::new(first))
}

struct Limits<'a> {
    max_depth: usize,
    cancel: Cancel<'a>,
}

fn scan_beside<'a, G: Guide, const HAS_TWIN: bool>(
    text: &'a [u8],
    keys: &'a Keys,
    limits: Limits,
    guide: &'a mut G,
    tape: &'a mut Tape,
    scratch: &'a mut Scratch,
    twin: Twin<'a>,
) -> Result<(), Stop> {
    if text.len() > MAX_TEXT {
        return Err(Stop::Unsupported);
    }
    tape.clear();
    scratch.frames.clear();
    scratch.names.clear();
    tape.reserve(text.len() / 8 + 16)?;
    let like = if HAS_TWIN { Some(0) } else { None };
    let max_depth = limits.max_depth;
    let mut scanner: Scanner<'_, G, HAS_TWIN> =
        Scanner { text, keys, tape, scratch, guide, twin, like, max_depth, white: 0, stop: None };
    let result = scanner.run(limits.cancel);
    match (result, scanner.stop) {
        (Err(Halt), Some(stop)) => Err(stop),
        (Err(Halt), None) => Err(Stop::Unsupported), // cannot be: whoever halts says why
        (Ok(()), _) => Ok(()),
    }
}

impl<G: Guide, const HAS_TWIN: bool> Scanner<'_, G, HAS_TWIN> {
    fn run(&mut self, cancel: Cancel) -> Result<(), Halt> {
        let mut frame = Frame {
            node: 0,
            white: 0,
            sum: 0,
            count: 0,
            children: 0,
            names: 0,
            mark: 0,
            kind: Kind::Null, // of the frame around the whole text
            is_flat: true,
            holds_ignored: false,
            holds_part: false,
            rest: Rest::NOTHING,
        };
        let mut mark = self.guide.root();
        let mut next_check = CHUNK;
        let mut at = self.skip_white(if self.text.starts_with(MARK) { MARK.len() } else { 0 });
        if at == self.text.len() {
            return Err(self.refuse(Reason::Empty, at));
        }
        loop {
            // A value begins at `at`.
            let mut hash = 0;
            let mut is_folded = false;
            let first = self.byte(at);
            if first == b'{' || first == b'[' {
                self.open(&mut frame, at, first == b'{', mark)?;
                at = self.skip_white(at + 1);
                let closing = if first == b'{' { b'}' } else { b']' };
                if self.byte(at) == closing {
                    at += 1;
                    (hash, mark) = self.close(&mut frame, at)?;
                } else if let Some(end) = self.copy_children(&mut frame, at)? {
                    at = end;
                    is_folded = true;
                } else {
                    if first == b'{' {
                        at = self.name(&mut frame, at, &mut mark)?;
                    } else if G::ACTIVE {
                        mark = self.guide.item(frame.mark, 0);
                    }
                    continue;
                }
            } else {
                if G::ACTIVE && self.guide.is_outside(mark) {
                    mark |= IGNORED;
                }
                (at, hash) = self.scalar(first, at, mark)?;
            }
            // A value has ended before `at`.
            loop {
                if !is_folded {
                    if frame.kind == Kind::Null {
                        at = self.skip_white(at);
                        if at < self.text.len() {
                            return Err(self.refuse(Reason::Trailing, at));
                        }
                        return Ok(());
                    }
                    self.fold(&mut frame, hash, mark);
                }
                is_folded = false;
                at = self.skip_white(at);
                let byte = self.byte(at);
                if byte == b',' {
                    at = self.skip_white(at + 1);
                    if let Some(end) = self.copy_children(&mut frame, at)? {
                        at = end;
                        is_folded = true;
                        if at >= next_check {
                            cancel.check().map_err(|stop| self.halt(stop))?;
                            next_check = at + CHUNK;
                        }
                        continue;
                    }
                    if frame.kind == Kind::Object {
                        at = self.name(&mut frame, at, &mut mark)?;
                    } else if G::ACTIVE {
                        mark = self.guide.item(frame.mark, frame.children);
                    }
                    break;
                }
                let closing = if frame.kind == Kind::Object { b'}' } else { b']' };
                if byte != closing {
                    return Err(self.no_comma(frame.kind, at));
                }
                at += 1;
                (hash, mark) = self.close(&mut frame, at)?;
            }
            if at >= next_check {
                cancel.check().map_err(|stop| self.halt(stop))?;
                next_check = at + CHUNK;
            }
        }
    }

    #[cold]
    fn halt(&mut self, stop: impl Into<Stop>) -> Halt {
        self.stop = Some(stop.into());
        Halt
    }

    #[cold]
    fn refuse(&mut self, reason: Reason, at: usize) -> Halt {
        self.halt(Fault::new(reason, at))
    }

    #[inline(always)]
    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    /// Step over white space and count it.
    #[inline(always)]
    fn skip_white(&mut self, at: usize) -> usize {
        let byte = self.byte(at);
        if byte > b' ' {
            return at;
        }
        if byte == b' ' && self.byte(at + 1) > b' ' {
            self.white += 1;
            return at + 1;
        }
        self.skip_white_long(at)
    }

    #[inline]
    fn skip_white_long(&mut self, start: usize) -> usize {
        let mut at = start;
        loop {
            let count = match block(self.text, at) {
                Some(block) => leading_white(block),
                None => self.text[at..].iter().take_while(|byte| b" \t\r\n".contains(byte)).count(),
            };
            at += count;
            if count < BLOCK {
                break;
            }
        }
        self.white += (at - start) as u32;
        at
    }

    /// Append a node with its hash, and its mark where marks are kept.
    #[inline(always)]
    fn push(&mut self, node: Node, hash: u64, mark: u32) -> Result<(), Halt> {
        if self.tape.nodes.len() == self.tape.nodes.capacity() {
            self.tape.reserve(self.tape.nodes.len()).map_err(|error| self.halt(error))?;
        }
        self.tape.nodes.push(node);
        self.tape.hashes.push(hash);
        if G::ACTIVE {
            if self.tape.marks.len() == self.tape.marks.capacity() {
                self.tape
                    .marks
                    .try_reserve(self.tape.nodes.capacity() - self.tape.marks.len())
                    .map_err(|error| self.halt(error))?;
            }
            self.tape.marks.push(mark);
        }
        Ok(())
    }

    /// Begin a container. Not inlined: the loop around it has the registers for what is more frequent.
    #[inline(never)]
    fn open(&mut self, frame: &mut Frame, at: usize, is_object: bool, mark: u32) -> Result<(), Halt> {
        let depth = self.scratch.frames.len();
        if depth >= self.max_depth {
            return Err(self.refuse(Reason::TooDeep, at));
        }
        if depth == self.scratch.frames.capacity() {
            self.scratch.frames.try_reserve(64).map_err(|error| self.halt(error))?;
        }
        frame.is_flat = false;
        self.scratch.frames.push(*frame);
        let kind = if is_object { Kind::Object } else { Kind::Array };
        *frame = Frame {
            node: self.tape.nodes.len() as u32,
            white: self.white,
            sum: self.keys.array_start(),
            count: 0,
            children: 0,
            names: self.scratch.names.len() as u32,
            mark,
            kind,
            is_flat: true,
            holds_ignored: false,
            holds_part: false,
            rest: if HAS_TWIN { self.children_like(kind) } else { Rest::NOTHING },
        };
        self.push(Node::open(kind, at), 0, mark)
    }

    /// The children that those of a container that begins should be like.
    #[inline(always)]
    fn children_like(&self, kind: Kind) -> Rest {
        self.twin.children(self.like.filter(|&like| self.twin.node(like).kind() == kind))
    }

    /// Copy the children from `at` on that the first document has too, and fold them; where the last one ends. None if
    /// the next one has to be read; then `like` is set for an item.
    #[inline(always)]
    fn copy_children(&mut self, frame: &mut Frame, at: usize) -> Result<Option<usize>, Halt> {
        if !HAS_TWIN {
            return Ok(None);
        }
        self.like = None;
        if frame.rest.is_empty() {
            return Ok(None);
        }
        let is_array = frame.kind == Kind::Array;
        if !self.twin.is_resting(at) {
            self.twin.meet(frame.rest.next, at);
            let mut end = self.copy_from(frame, frame.rest.next, at)?;
            if end == at && is_array {
                if let Some(child) = self.twin.other_child(self.text, &frame.rest, at) {
                    end = self.copy_from(frame, child, at)?;
                }
            }
            self.twin.learn(end - at, at);
            if end > at {
                return Ok(Some(end));
            }
        }
        if is_array {
            self.like = Some(frame.rest.next);
            self.twin.skip(&mut frame.rest);
        }
        Ok(None)
    }

    /// Copy what agrees of the children from `first` on, which `twin` has met at `at`; where the last one ends.
    fn copy_from(&mut self, frame: &mut Frame, first: u32, at: usize) -> Result<usize, Halt> {
        let is_object = frame.kind == Kind::Object;
        let shift = at.wrapping_sub(self.twin.node(first).start as usize);
        let (mut child, mut end, mut white) = (first, at.wrapping_sub(shift) as u32 - 1, 0);
        while child < frame.rest.end && (end as usize).wrapping_add(shift).wrapping_sub(at) as isize <= CHUNK as isize {
            let place = child + u32::from(is_object);
            let (head, value) = (self.twin.node(child), self.twin.node(place));
            if !self.twin.agrees(self.text, value.end) {
                break;
            }
            white += head.start - end - 1 + value.white() as u32;
            if is_object {
                white += value.start - head.end - 1;
                self.push_name(self.twin.hash(child))?;
            }
            frame.is_flat &= !value.is_container();
            self.fold(frame, self.twin.hash(place), 0);
            end = value.end;
            child = value.next;
        }
        if child == first {
            return Ok(at);
        }
        self.twin.copy(first, child, self.tape).map_err(|error| self.halt(error))?;
        self.white += white;
        let end = (end as usize).wrapping_add(shift);
        frame.rest.pass(child, end - at);
        Ok(end)
    }

    /// Complete the current container, which ends at `end`; its hash and mark.
    #[inline(always)]
    fn close(&mut self, frame: &mut Frame, end: usize) -> Result<(u64, u32), Halt> {
        let is_object = frame.kind == Kind::Object;
        let hash = if is_object {
            self.check_names(frame.node, frame.names as usize)?;
            self.scratch.names.truncate(frame.names as usize);
            self.keys.object_end(frame.sum, frame.count)
        } else {
            self.keys.array_end(frame.sum, frame.count)
        };
        let next = self.tape.nodes.len();
        let node = &mut self.tape.nodes[frame.node as usize];
        node.close(end, next, self.white - frame.white, !is_object && frame.is_flat);
        self.tape.hashes[frame.node as usize] = hash;
        let mut mark = frame.mark;
        if G::ACTIVE {
            mark |= if frame.holds_ignored { HOLDS_IGNORED } else { 0 };
            mark |= if !frame.holds_part && self.guide.is_outside(mark) { HOLLOW } else { 0 };
            self.tape.marks[frame.node as usize] = mark;
        }
        *frame = match self.scratch.frames.pop() {
            Some(outer) => outer,
            None => return Err(self.halt(Stop::Unsupported)), // cannot be: every close has its open
        };
        Ok((hash, mark))
    }

    /// Add a finished child to the current container.
    #[inline(always)]
    fn fold(&mut self, frame: &mut Frame, hash: u64, mark: u32) {
        frame.children += 1;
        if G::ACTIVE {
            frame.holds_ignored |= mark & (HOLDS_IGNORED | IGNORED) != 0;
            if mark & ABSENT != 0 {
                return;
            }
            frame.holds_part = true;
        }
        frame.count += 1;
        frame.sum = if frame.kind == Kind::Object {
            let name = self.scratch.names.last().copied().unwrap_or(0);
            frame.sum.wrapping_add(self.keys.member(name, hash))
        } else {
            self.keys.array_step(frame.sum, hash)
        };
    }

    /// A scalar that begins with `first` at `at`: its end and its hash.
    #[inline(always)]
    fn scalar(&mut self, first: u8, at: usize, mark: u32) -> Result<(usize, u64), Halt> {
        let index = self.tape.nodes.len();
        let (kind, end, hash, escaped) = match first {
            b'"' => {
                let (end, hash, escaped) = self.string(at)?;
                (Kind::String, end, hash, escaped)
            }
            b'-' | b'0'..=b'9' => {
                let (end, hash) = self.number(at, mark)?;
                (Kind::Number, end, hash, false)
            }
            b't' => (Kind::True, self.word(at, b"true")?, self.keys.yes, false),
            b'f' => (Kind::False, self.word(at, b"false")?, self.keys.no, false),
            b'n' => (Kind::Null, self.word(at, b"null")?, self.keys.null, false),
            _ => return Err(self.no_value(at)),
        };
        self.push(Node::leaf(kind, at, end, index, escaped), hash, mark)?;
        Ok((end, hash))
    }

    /// A string at `at`: its end, its hash and whether it holds a backslash.
    #[inline(always)]
    fn string(&mut self, at: usize) -> Result<(usize, u64, bool), Halt> {
        if let Some((end, hash)) = strings::scan_short(self.text, at, self.keys) {
            return Ok((end, hash, false));
        }
        match strings::scan_long(self.text, at, self.keys, &mut self.scratch.unescaped) {
            Ok(found) => Ok((found.end, found.hash, found.escaped)),
            Err(ScanError::Fault(fault)) => Err(self.halt(fault)),
            Err(ScanError::Memory) => Err(self.halt(Stop::Memory)),
        }
    }

    #[inline(always)]
    fn number(&mut self, at: usize, mark: u32) -> Result<(usize, u64), Halt> {
        let (end, hash) = match numbers::scan_short(self.text, at, self.keys) {
            Some(found) => found,
            None => numbers::scan_long(self.text, at, self.keys).map_err(|fault| self.halt(fault))?,
        };
        let distance = if G::ACTIVE { self.guide.distance(mark) } else { 0.0 };
        let rounded = if distance > 0.0 { numbers::rounded(&self.text[at..end], distance) } else { None };
        Ok((end, rounded.map_or(hash, |rounded| self.keys.integer(rounded.to_bits(), false))))
    }

    #[inline(always)]
    fn word(&mut self, at: usize, expected: &[u8]) -> Result<usize, Halt> {
        let end = at + expected.len();
        if self.text.get(at..end) == Some(expected) {
            return Ok(end);
        }
        Err(self.refuse(Reason::Word, at))
    }

    /// A member name at `at`; sets the mark of the value that begins at the result.
    #[inline(always)]
    fn name(&mut self, frame: &mut Frame, at: usize, mark: &mut u32) -> Result<usize, Halt> {
        if self.byte(at) != b'"' {
            let reason = if at < self.text.len() { Reason::ExpectedName } else { Reason::EndInside };
            return Err(self.refuse(reason, at));
        }
        let (end, hash, escaped) = self.string(at)?;
        let index = self.tape.nodes.len();
        if G::ACTIVE {
            *mark = self.guide.member(frame.mark, hash, &self.text[at + 1..end - 1], escaped);
        }
        self.push(Node::leaf(Kind::Name, at, end, index, escaped), hash, *mark)?;
        self.push_name(hash)?;
        if HAS_TWIN {
            self.like = self.member_like(frame, hash);
        }
        if let Some(&[b':', after]) = self.text.get(end..end + 2) {
            if after > b' ' {
                return Ok(end + 1);
            }
        }
        let colon = self.skip_white(end);
        if self.byte(colon) != b':' {
            let reason = if colon < self.text.len() { Reason::ExpectedColon } else { Reason::EndInside };
            return Err(self.refuse(reason, colon));
        }
        Ok(self.skip_white(colon + 1))
    }

    /// The value of the first document that a member's value should be like: under the same name, as far as one can see.
    #[inline(always)]
    fn member_like(&mut self, frame: &mut Frame, hash: u64) -> Option<u32> {
        for _ in 0..2 {
            if frame.rest.is_empty() {
                return None;
            }
            let name = frame.rest.next;
            let behind = self.twin.node(name + 1).next;
            if self.twin.hash(name) == hash {
                frame.rest.next = behind;
                return Some(name + 1);
            }
            let is_next = behind < frame.rest.end && self.twin.hash(behind) == hash;
            if !is_next {
                return None;
            }
            frame.rest.next = behind;
        }
        None
    }

    #[inline(always)]
    fn push_name(&mut self, hash: u64) -> Result<(), Halt> {
        if self.scratch.names.len() == self.scratch.names.capacity() {
            self.scratch.names.try_reserve(self.scratch.names.len() + 64).map_err(|error| self.halt(error))?;
        }
        self.scratch.names.push(hash);
        Ok(())
    }

    /// Refuse an object in which a name stands twice. Hashes that agree are confirmed on the text.
    #[inline(always)]
    fn check_names(&mut self, object: u32, first: usize) -> Result<(), Halt> {
        match find_twins(&self.scratch.names[first..], &mut self.scratch.table) {
            Ok(None) => Ok(()),
            Err(stop) => Err(self.halt(stop)),
            Ok(Some((earlier, later))) => self.confirm_twins(object, earlier, later),
        }
    }

    #[cold]
    fn confirm_twins(&mut self, object: u32, earlier: usize, later: usize) -> Result<(), Halt> {
        // Nodes of the object's names in order. All of its members are complete, so the links hold.
        let mut names = Vec::new();
        let mut at = object + 1;
        while (at as usize) < self.tape.nodes.len() {
            names.try_reserve(1).map_err(|error| self.halt(error))?;
            names.push(at);
            at = self.tape.nodes[at as usize + 1].next;
        }
        let meaning = |place: u32| {
            let node = &self.tape.nodes[place as usize];
            let mut meaning = Vec::new();
            strings::unescape(&self.text[node.start as usize + 1..node.end as usize - 1], &mut meaning);
            meaning
        };
        let start = |place: u32| self.tape.nodes[place as usize].start as usize;
        if meaning(names[earlier]) == meaning(names[later]) {
            let at = start(names[later]);
            return Err(self.refuse(Reason::DuplicateName, at));
        }
        // Two names, one hash: practically impossible with secret keys. Compare all of them, the slow and certain way.
        let mut seen = std::collections::HashSet::new();
        match names.iter().find(|&&place| !seen.insert(meaning(place))).map(|&place| start(place)) {
            Some(at) => Err(self.refuse(Reason::DuplicateName, at)),
            None => Ok(()),
        }
    }

    #[cold]
    fn no_value(&mut self, at: usize) -> Halt {
        let reason = match self.text.get(at) {
            None => Reason::EndInside,
            Some(_) if [&b"NaN"[..], b"Infinity"].iter().any(|word| self.text[at..].starts_with(word)) => {
                Reason::NotFinite
            }
            Some(b'a'..=b'z' | b'A'..=b'Z') => Reason::Word,
            Some(_) => Reason::ExpectedValue,
        };
        self.refuse(reason, at)
    }

    #[cold]
    fn no_comma(&mut self, kind: Kind, at: usize) -> Halt {
        let reason = match (self.text.get(at), kind) {
            (None, _) => Reason::EndInside,
            (Some(_), Kind::Object) => Reason::ExpectedCommaOrBrace,
            (Some(_), _) => Reason::ExpectedCommaOrBracket,
        };
        self.refuse(reason, at)
    }
}

/// The JSON Pointer to the place `at` of a text whose scan stopped there. Reads the unfinished tape.
pub fn pointer_to(text: &[u8], tape: &Tape, at: usize) -> Vec<u8> {
    let mut pointer = Vec::new();
    let mut container = 0;
    while let Some(place) = child_at(tape, container, at) {
        if tape.nodes[container].kind() == Kind::Array {
            pointer.extend_from_slice(format!("/{}", place.index).as_bytes());
            container = place.node;
        } else {
            let name = &tape.nodes[place.node];
            pointer::push_meaning(&text[name.start as usize + 1..name.end as usize - 1], &mut pointer);
            if at <= name.start as usize {
                break;
            }
            container = place.node + 1;
        }
    }
    pointer
}

/// A child of an open container: its node (of a member the name) and its place among its siblings.
struct Child {
    node: usize,
    index: usize,
}

/// The child of `container` that `at` lies in; in an array also the one that would begin there.
fn child_at(tape: &Tape, container: usize, at: usize) -> Option<Child> {
    let nodes = &tape.nodes;
    let parent = nodes.get(container).filter(|node| node.is_container())?;
    let is_object = parent.kind() == Kind::Object;
    let end = if parent.next == 0 { nodes.len() } else { parent.next as usize };
    let (mut node, mut index) = (container + 1, 0);
    while node < end && nodes[node].start as usize <= at {
        let value = node + usize::from(is_object);
        let is_complete = value < end && nodes[value].next != 0 && nodes[value].end as usize <= at;
        if !is_complete {
            return Some(Child { node, index });
        }
        node = nodes[value].next as usize;
        index += 1;
    }
    if is_object {
        None
    } else {
        Some(Child { node, index })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(text: &[u8], max_depth: usize) -> Result<Tape, Stop> {
        let mut tape = Tape::default();
        let keys = Keys::draw();
        scan(text, &keys, max_depth, &mut Everywhere, &mut tape, &mut Scratch::default(), Cancel(None))?;
        Ok(tape)
    }

    fn reason(text: &[u8]) -> Option<(Reason, usize)> {
        match scanned(text, 3) {
            Err(Stop::Fault(fault)) => Some((fault.reason, fault.at)),
            Err(other) => panic!("{other:?}"),
            Ok(_) => None,
        }
    }

    #[test]
    fn a_tape_is_in_order_with_links_and_sizes() {
        let tape = scanned(b" { \"a\" : [ 1, 2 ] , \"b\":{} } ", 9).expect("good JSON");
        let seen: Vec<(Kind, u32, usize)> =
            tape.nodes.iter().map(|node| (node.kind(), node.next, node.size())).collect();
        assert_eq!(
            seen,
            [
                (Kind::Object, 7, 18),
                (Kind::Name, 2, 3),
                (Kind::Array, 5, 5),
                (Kind::Number, 4, 1),
                (Kind::Number, 5, 1),
                (Kind::Name, 6, 3),
                (Kind::Object, 7, 2),
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_named_where_it_is() {
        for (text, expected) in [
            ("", (Reason::Empty, 0)),
            (" \n", (Reason::Empty, 2)),
            ("1\u{feff}", (Reason::Trailing, 1)),
            ("1e400", (Reason::OutOfRange, 0)),
            ("[1,]", (Reason::ExpectedValue, 3)),
            ("[1 2]", (Reason::ExpectedCommaOrBracket, 3)),
            ("{\"a\":1 \"b\"}", (Reason::ExpectedCommaOrBrace, 7)),
            ("{1:2}", (Reason::ExpectedName, 1)),
            ("{\"a\" 1}", (Reason::ExpectedColon, 5)),
            ("[1", (Reason::EndInside, 2)),
            ("{\"a\":", (Reason::EndInside, 5)),
            ("1 2", (Reason::Trailing, 2)),
            ("nul", (Reason::Word, 0)),
            ("NaN", (Reason::NotFinite, 0)),
            ("[-Infinity]", (Reason::NotFinite, 1)),
            ("\"a", (Reason::OpenString, 0)),
            ("{\"a\":1,\"\\u0061\":2}", (Reason::DuplicateName, 7)),
            ("[[[[]]]]", (Reason::TooDeep, 3)),
        ] {
            assert_eq!(reason(text.as_bytes()), Some(expected), "{text}");
        }
        assert_eq!(reason(b"[[[1]]]"), None);
        assert_eq!(reason("\u{feff}1".as_bytes()), None);
        assert_eq!(reason(b"{\"a\":{\"a\":1},\"b\":{\"a\":1}}"), None);
    }

    #[test]
    fn no_prefix_of_a_document_is_a_document() {
        let text = "{\"k\\n\u{e9}\":[1.5e3,true,null,\"x\\u00e9\",[]],\"l\":-0.5}".as_bytes();
        for end in 0..text.len() {
            assert!(reason(&text[..end]).is_some(), "{end}");
        }
        assert_eq!(reason(text), None);
    }

    #[test]
    fn a_fault_has_a_pointer() {
        for (text, at, expected) in [
            ("{\"a\":[0,{\"x\":1,\"x~/\\n\":2}]}", 19, "/a/1/x~0~1\n"),
            ("[[[", 3, "/0/0/0"),
            ("[1,[2,{\"b\":[", 14, "/1/1/b/0"),
        ] {
            let mut tape = Tape::default();
            let (keys, mut scratch) = (Keys::draw(), Scratch::default());
            let _ = scan(text.as_bytes(), &keys, 9, &mut Everywhere, &mut tape, &mut scratch, Cancel(None));
            assert_eq!(pointer_to(text.as_bytes(), &tape, at), expected.as_bytes(), "{text}");
        }
    }

    #[test]
    fn members_in_any_order_have_one_hash() {
        let keys = Keys::draw();
        let hash = |text: &[u8]| {
            let mut tape = Tape::default();
            scan(text, &keys, 9, &mut Everywhere, &mut tape, &mut Scratch::default(), Cancel(None)).expect("good");
            tape.hashes[0]
        };
        assert_eq!(hash(b"{\"a\":1,\"b\":[2]}"), hash(b"{ \"b\": [ 2.0 ], \"a\": 1 }"));
        assert_ne!(hash(b"{\"a\":1,\"b\":2}"), hash(b"{\"a\":2,\"b\":1}"));
        assert_ne!(hash(b"[1,2]"), hash(b"[2,1]"));
        assert_ne!(hash(b"[[1],2]"), hash(b"[[1,2]]"));
        assert_ne!(hash(b"true"), hash(b"1"));
        assert_ne!(hash(b"\"1\""), hash(b"1"));
    }

    /// Random numbers below a bound.
    fn random(mut state: u64) -> impl FnMut(usize) -> usize {
        move |bound| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % bound.max(1)
        }
    }

    /// A text with pieces cut out, doubled, swapped or changed: mostly no JSON any more, but near to it.
    fn mangled(text: &[u8], next: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
        let mut text = text.to_vec();
        for _ in 0..1 + next(3) {
            if text.is_empty() {
                break;
            }
            let from = next(text.len());
            let most = [4, 31, 301][next(3)];
            let to = (from + next(most)).min(text.len());
            let piece = text[from..to].to_vec();
            match next(6) {
                0 => drop(text.drain(from..to)),
                1 => drop(text.splice(from..from, piece)),
                2 => text.extend_from_slice(&piece),
                3 => text[from] = b"0123456789 ,:[]{}\"\\ex."[next(22)],
                4 => drop(text.splice(from..from, *b" 1,")),
                _ => drop(text.splice(from..to, *b"0")),
            }
        }
        text
    }

    #[test]
    fn a_text_is_read_the_same_beside_any_other() {
        let item = |place: usize| {
            format!(
                "{{ \"id\": {place},\"n\":[{}, 2.5,\"tag \\u00e9\"] ,\"o\":{{\"a\":null,\"b\":[[],{{}}]}}}}",
                place % 7
            )
        };
        let items: Vec<String> = (0..40).map(item).collect();
        let digits: Vec<String> = (0..400).map(|place| (place * place % 11).to_string()).collect();
        let long: Vec<String> = (0..30).map(|place| format!("\"{}\"", "word ".repeat(place))).collect();
        let bases = [
            format!("[{}]", items.join(" ,\n")),
            format!("{{\"items\":[{}],\"digits\":[{}]}}", items[..5].join(","), digits.join(",")),
            format!("[[{}],[{}]]", digits.join(", "), long.join(",")),
            items[3].clone(),
        ];
        let mut next = random(11);
        let (keys, mut scratch) = (Keys::draw(), Scratch::default());
        let (mut first, mut alone, mut beside) = (Tape::default(), Tape::default(), Tape::default());
        let mut good = 0;
        for round in 0..16_000 {
            let base = bases[round % bases.len()].as_bytes();
            let before = if round % 3 == 0 { mangled(base, &mut next) } else { base.to_vec() };
            if scan(&before, &keys, 5, &mut Everywhere, &mut first, &mut scratch, Cancel(None)).is_err() {
                continue;
            }
            let after = mangled(if round % 5 == 0 { bases[next(4)].as_bytes() } else { base }, &mut next);
            let expected = scan(&after, &keys, 5, &mut Everywhere, &mut alone, &mut scratch, Cancel(None));
            let doc = Doc::new(&before, &first);
            let found = scan_like(&after, &keys, 5, doc, &mut beside, &mut scratch, Cancel(None));
            assert_eq!(found, expected, "{}", String::from_utf8_lossy(&after));
            if found.is_ok() {
                assert_eq!(beside.nodes, alone.nodes, "{}", String::from_utf8_lossy(&after));
                assert_eq!(beside.hashes, alone.hashes, "{}", String::from_utf8_lossy(&after));
                good += 1;
            }
        }
        assert!(good > 1_000, "{good}");
    }

    #[test]
    fn a_raised_flag_stops_the_scan() {
        let flag = std::sync::atomic::AtomicU8::new(1);
        let text = format!("[{}1]", "1,".repeat(CHUNK));
        let cancel = Cancel(Some(&flag));
        let stop = scan(
            text.as_bytes(),
            &Keys::draw(),
            9,
            &mut Everywhere,
            &mut Tape::default(),
            &mut Scratch::default(),
            cancel,
        );
        assert_eq!(stop, Err(Stop::Cancelled));
    }
}
