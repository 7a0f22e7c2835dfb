//! Writing the patch: one allocation of the exact size, filled from records, paths and slices of the documents.

use crate::alignment::NONE;
use crate::equality::{Children, View};
use crate::fault::Stop;
use crate::records::{Op, Records};
use crate::scope::{HOLDS_IGNORED, IGNORED};
use crate::tape::{Doc, Kind};

/// Write the patch as JSON text into `out`.
pub fn write(view: &View, records: &Records, out: &mut Vec<u8>) -> Result<(), Stop> {
    out.clear();
    out.try_reserve(records.size())?;
    out.push(b'[');
    for (round, record) in records.list.iter().enumerate() {
        view.cancel.check_every(64, round)?;
        let value = match record.op {
            Op::Add | Op::Replace => Some(Value { doc: view.after, node: record.new, with_ignored: false }),
            Op::Test => Some(Value { doc: view.before, node: record.old, with_ignored: true }),
            Op::Remove | Op::Move => None,
        };
        write_operation(record.op, records.path(record.path), records.path(record.from), value, out);
    }
    close(out);
    Ok(())
}

/// Write the patch that leads back: every operation undone, the last one first.
pub fn write_inverse(view: &View, records: &Records, out: &mut Vec<u8>) -> Result<(), Stop> {
    out.clear();
    let values = records.list.iter().filter(|record| record.old != NONE);
    out.try_reserve(records.size() + values.map(|record| view.before.node(record.old).size() + 16).sum::<usize>())?;
    out.push(b'[');
    for (round, record) in records.list.iter().rev().enumerate() {
        view.cancel.check_every(64, round)?;
        let (path, from) = (records.path(record.path), records.path(record.from));
        let old = Some(Value { doc: view.before, node: record.old, with_ignored: true });
        match record.op {
            Op::Add if record.old == NONE => write_operation(Op::Remove, path, b"", None, out),
            Op::Add => write_operation(Op::Add, path, b"", old, out),
            Op::Remove => write_operation(Op::Add, path, b"", old, out),
            Op::Replace => write_operation(Op::Replace, path, b"", old, out),
            Op::Move => write_operation(Op::Move, from, path, None, out),
            Op::Test => {}
        }
    }
    close(out);
    Ok(())
}

/// Turn the last comma into the closing bracket.
fn close(out: &mut Vec<u8>) {
    if out.len() > 1 {
        out.pop();
    }
    out.push(b']');
}

/// A value to be written.
struct Value<'a> {
    doc: Doc<'a>,
    node: u32,
    with_ignored: bool,
}

fn write_operation(op: Op, path: &[u8], from: &[u8], value: Option<Value>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"op\":\"");
    out.extend_from_slice(op.name());
    if op == Op::Move {
        out.extend_from_slice(b"\",\"from\":\"");
        out.extend_from_slice(from);
    }
    out.extend_from_slice(b"\",\"path\":\"");
    out.extend_from_slice(path);
    out.push(b'"');
    if let Some(value) = value {
        out.extend_from_slice(b",\"value\":");
        write_value(value, out);
    }
    out.extend_from_slice(b"},");
}

/// Bytes that a value takes without white space and without what is ignored.
pub fn value_size(doc: Doc, value: u32) -> usize {
    if doc.mark(value) & HOLDS_IGNORED != 0 {
        size_without_ignored(doc, value)
    } else {
        doc.node(value).size()
    }
}

/// Append a value without white space.
fn write_value(value: Value, out: &mut Vec<u8>) {
    if value.with_ignored || value.doc.mark(value.node) & HOLDS_IGNORED == 0 {
        write_squeezed(value.doc, value.node, out);
    } else {
        write_without_ignored(value.doc, value.node, out);
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

fn write_without_ignored(doc: Doc, value: u32, out: &mut Vec<u8>) {
    let open = |container: u32, out: &mut Vec<u8>| {
        let is_object = doc.node(container).kind() == Kind::Object;
        out.push(if is_object { b'{' } else { b'[' });
        Open { children: Children::without(IGNORED, doc, container), is_object, is_first: true }
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

fn size_without_ignored(doc: Doc, value: u32) -> usize {
    let mut size = 0;
    let mut open = vec![value];
    while let Some(container) = open.pop() {
        let is_object = doc.node(container).kind() == Kind::Object;
        let mut count = 0;
        for child in Children::without(IGNORED, doc, container) {
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
