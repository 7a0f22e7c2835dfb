//! Operations as records: what to do, where, and which node holds the value. Nothing is written until the end; taking
//! operations back means cutting three counters.

use crate::alignment::NONE;
use crate::fault::Stop;
use crate::memory::push;

/// The operations of RFC 6902.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    Add,
    Remove,
    Replace,
    Move,
    Test,
}

impl Op {
    pub fn name(self) -> &'static [u8] {
        match self {
            Op::Add => b"add",
            Op::Remove => b"remove",
            Op::Replace => b"replace",
            Op::Move => b"move",
            Op::Test => b"test",
        }
    }

    /// Bytes of the operation besides path, source and value.
    pub fn overhead(self) -> usize {
        let members = match self {
            Op::Add | Op::Replace | Op::Test => br#"{"op":"","path":"","value":}"#.len(),
            Op::Move => br#"{"op":"","from":"","path":""}"#.len(),
            Op::Remove => br#"{"op":"","path":""}"#.len(),
        };
        members + self.name().len()
    }
}

/// A piece of the store of paths.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    start: u32,
    length: u32,
}

impl Span {
    const NOTHING: Span = Span { start: 0, length: 0 };
}

/// One operation, by nodes: `old` of the first document is what it takes away or tests, `new` of the second one what it
/// puts there; or `NONE`.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    pub op: Op,
    pub path: Span,
    pub from: Span,
    pub old: u32,
    pub new: u32,
}

/// A place to cut back to.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    records: usize,
    paths: usize,
    size: usize,
}

/// The operations so far and their exact size in bytes.
#[derive(Default)]
pub struct Records {
    pub list: Vec<Record>,
    paths: Vec<u8>,
    /// Bytes of all operations, each with a comma.
    size: usize,
}

impl Records {
    pub fn clear(&mut self) {
        self.list.clear();
        self.paths.clear();
        self.size = 0;
    }

    /// Bytes of the whole patch.
    pub fn size(&self) -> usize {
        self.size.max(1) + 1
    }

    pub fn mark(&self) -> Mark {
        Mark { records: self.list.len(), paths: self.paths.len(), size: self.size }
    }

    pub fn cut(&mut self, mark: Mark) {
        self.list.truncate(mark.records);
        self.paths.truncate(mark.paths);
        self.size = mark.size;
    }

    /// Append an operation; `value_size` is the number of bytes that the value will take.
    pub fn push(&mut self, op: Op, path: &[u8], old: u32, new: u32, value_size: usize) -> Result<(), Stop> {
        let path = self.keep(path)?;
        self.push_record(Record { op, path, from: Span::NOTHING, old, new }, value_size)
    }

    /// Append a `move`.
    pub fn push_move(&mut self, from: &[u8], path: &[u8]) -> Result<(), Stop> {
        let (from, path) = (self.keep(from)?, self.keep(path)?);
        self.push_record(Record { op: Op::Move, path, from, old: NONE, new: NONE }, 0)
    }

    fn push_record(&mut self, record: Record, value_size: usize) -> Result<(), Stop> {
        self.size += record.op.overhead() + (record.path.length + record.from.length) as usize + value_size + 1;
        push(&mut self.list, record)
    }

    fn keep(&mut self, path: &[u8]) -> Result<Span, Stop> {
        let span =
            Span { start: u32::try_from(self.paths.len()).map_err(|_| Stop::Memory)?, length: path.len() as u32 };
        self.paths.try_reserve(path.len())?;
        self.paths.extend_from_slice(path);
        Ok(span)
    }

    pub fn path(&self, span: Span) -> &[u8] {
        &self.paths[span.start as usize..(span.start + span.length) as usize]
    }

    pub fn used(&self) -> usize {
        self.list.capacity() * std::mem::size_of::<Record>() + self.paths.capacity()
    }
}
