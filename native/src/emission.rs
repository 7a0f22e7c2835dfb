//! Writing the patch: one allocation of the exact size, filled from records, paths and slices of the documents.

use crate::equality::{Children, View};
use crate::fault::Stop;
use crate::records::{Op, Record, Records};
use crate::scope::{Rules, HOLDS_IGNORED};
use crate::tape::{Doc, Kind};

/// Write the patch as JSON text into `out`.
pub fn write(view: &View, records: &Records, out: &mut Vec<u8>) -> Result<(), Stop> {
    out.clear();
    out.try_reserve(records.size())?;
    out.push(b'[');
    for (place, record) in records.list.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write_operation(view, records, record, out);
    }
    out.push(b']');
    Ok(())
}

fn write_operation(view: &View, records: &Records, record: &Record, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"op\":\"");
    out.extend_from_slice(record.op.name());
    if matches!(record.op, Op::Move | Op::Copy) {
        out.extend_from_slice(b"\",\"from\":\"");
        out.extend_from_slice(records.path(record.from));
    }
    out.extend_from_slice(b"\",\"path\":\"");
    out.extend_from_slice(records.path(record.path));
    out.push(b'"');
    if matches!(record.op, Op::Add | Op::Replace | Op::Test) {
        out.extend_from_slice(b",\"value\":");
        let doc = if record.op == Op::Test { view.before } else { view.after };
        write_value(doc, if record.op == Op::Test { None } else { Some(view.rules) }, record.value, out);
    }
    out.push(b'}');
}

/// Bytes that `write_value` writes.
pub fn value_size(doc: Doc, rules: Option<&Rules>, value: u32) -> usize {
    match rules {
        Some(rules) if doc.mark(value) & HOLDS_IGNORED != 0 => size_without_ignored(doc, rules, value),
        _ => doc.node(value).size(),
    }
}

/// Append a value without white space; with `rules`, also without the members that they ignore.
fn write_value(doc: Doc, rules: Option<&Rules>, value: u32, out: &mut Vec<u8>) {
    match rules {
        Some(rules) if doc.mark(value) & HOLDS_IGNORED != 0 => write_without_ignored(doc, rules, value, out),
        _ => write_squeezed(doc, value, out),
    }
}

/// Append the text of a value without its white space: scalars and names are copied whole, and between them only what
/// is not white.
fn write_squeezed(doc: Doc, value: u32, out: &mut Vec<u8>) {
    let node = doc.node(value);
    if node.white() == 0 {
        return out.extend_from_slice(doc.slice(value));
    }
    let mut at = node.start as usize;
    for child in &doc.nodes[value as usize + 1..node.next as usize] {
        if !child.is_container() {
            push_marks(&doc.text[at..child.start as usize], out);
            out.extend_from_slice(&doc.text[child.start as usize..child.end as usize]);
            at = child.end as usize;
        }
    }
    push_marks(&doc.text[at..node.end as usize], out);
}

/// Brackets, commas and colons of a text without strings.
fn push_marks(text: &[u8], out: &mut Vec<u8>) {
    out.extend(text.iter().filter(|&&byte| byte > b' '));
}

/// A step of writing a container child by child: open ones wait on a stack.
struct Open<'a> {
    children: Children<'a>,
    is_object: bool,
    is_first: bool,
}

fn write_without_ignored(doc: Doc, rules: &Rules, value: u32, out: &mut Vec<u8>) {
    let open = |container: u32, out: &mut Vec<u8>| {
        let is_object = doc.node(container).kind() == Kind::Object;
        out.push(if is_object { b'{' } else { b'[' });
        Open { children: Children::of(doc, rules, container), is_object, is_first: true }
    };
    let mut stack = vec![open(value, out)];
    while let Some(top) = stack.last_mut() {
        let child = match top.children.next() {
            Some(child) => child,
            None => {
                out.push(if top.is_object { b'}' } else { b']' });
                stack.pop();
                continue;
            }
        };
        if !std::mem::replace(&mut top.is_first, false) {
            out.push(b',');
        }
        let value = child + u32::from(top.is_object);
        if top.is_object {
            out.extend_from_slice(doc.slice(child));
            out.push(b':');
        }
        if doc.mark(value) & HOLDS_IGNORED != 0 {
            stack.push(open(value, out));
        } else {
            write_squeezed(doc, value, out);
        }
    }
}

fn size_without_ignored(doc: Doc, rules: &Rules, value: u32) -> usize {
    let mut size = 0;
    let mut open = vec![value];
    while let Some(container) = open.pop() {
        let is_object = doc.node(container).kind() == Kind::Object;
        let mut count = 0;
        for child in Children::of(doc, rules, container) {
            count += 1;
            let value = child + u32::from(is_object);
            if is_object {
                size += doc.slice(child).len() + 1;
            }
            if doc.mark(value) & HOLDS_IGNORED != 0 {
                open.push(value);
            } else {
                size += doc.node(value).size();
            }
        }
        size += 2 + usize::max(count, 1) - 1;
    }
    size
}
