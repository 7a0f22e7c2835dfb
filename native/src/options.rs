//! The options of a comparison, as the wrapper packs them: little-endian numbers, texts and lists with their lengths
//! in front. The order of the fields is the order of the structs here.

use crate::fault::Stop;

/// Unescaped tokens; `*` is one token, `**` any run of them.
pub type Pattern = Vec<Vec<u8>>;

/// How the items of arrays are paired.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alignment {
    InOrder,
    ByPosition,
    Keyed,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArrayRule {
    pub alignment: Alignment,
    /// Missing or repeated keys: fall back to `InOrder` instead of refusing.
    pub is_lenient: bool,
    pub keys: Vec<Vec<u8>>,
    pub path: Option<Pattern>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Tolerance {
    pub distance: f64,
    pub path: Option<Pattern>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Switch {
    pub is_on: bool,
    pub path: Option<Pattern>,
}

/// `DiffOptions` of `service/core/options.py`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Options {
    pub max_depth: usize,
    pub shorten_above: usize,
    /// Also write the patch that leads back.
    pub wants_inverse: bool,
    pub ignored_names: Vec<Vec<u8>>,
    pub ignored_paths: Vec<Pattern>,
    pub only: Vec<Pattern>,
    pub arrays: Vec<ArrayRule>,
    pub tolerances: Vec<Tolerance>,
    pub moves: Vec<Switch>,
    pub invertible: Vec<Switch>,
}

impl Options {
    /// Unpack. Bytes that do not fit the form are `Unsupported`: the wrapper and the library are of different builds.
    pub fn unpack(bytes: &[u8]) -> Result<Options, Stop> {
        let mut reader = Reader { bytes };
        let options = Options {
            max_depth: reader.number()?,
            shorten_above: reader.number()?,
            wants_inverse: reader.flag()?,
            ignored_names: reader.list(Reader::text)?,
            ignored_paths: reader.list(Reader::pattern)?,
            only: reader.list(Reader::pattern)?,
            arrays: reader.list(Reader::array_rule)?,
            tolerances: reader.list(Reader::tolerance)?,
            moves: reader.list(Reader::switch)?,
            invertible: reader.list(Reader::switch)?,
        };
        if reader.bytes.is_empty() {
            Ok(options)
        } else {
            Err(Stop::Unsupported)
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Stop> {
        if count > self.bytes.len() {
            return Err(Stop::Unsupported);
        }
        let (taken, rest) = self.bytes.split_at(count);
        self.bytes = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<usize, Stop> {
        let mut value = [0; 4];
        value.copy_from_slice(self.take(4)?);
        Ok(u32::from_le_bytes(value) as usize)
    }

    fn flag(&mut self) -> Result<bool, Stop> {
        Ok(self.take(1)?[0] != 0)
    }

    fn text(&mut self) -> Result<Vec<u8>, Stop> {
        let length = self.number()?;
        Ok(self.take(length)?.to_vec())
    }

    fn list<T>(&mut self, item: fn(&mut Self) -> Result<T, Stop>) -> Result<Vec<T>, Stop> {
        let count = self.number()?;
        (0..count).map(|_| item(self)).collect()
    }

    fn pattern(&mut self) -> Result<Pattern, Stop> {
        self.list(Self::text)
    }

    fn path(&mut self) -> Result<Option<Pattern>, Stop> {
        Ok(if self.flag()? { Some(self.pattern()?) } else { None })
    }

    fn array_rule(&mut self) -> Result<ArrayRule, Stop> {
        let alignment = match self.take(1)?[0] {
            0 => Alignment::InOrder,
            1 => Alignment::ByPosition,
            2 => Alignment::Keyed,
            _ => return Err(Stop::Unsupported),
        };
        Ok(ArrayRule { alignment, is_lenient: self.flag()?, keys: self.list(Self::text)?, path: self.path()? })
    }

    fn tolerance(&mut self) -> Result<Tolerance, Stop> {
        let mut value = [0; 8];
        value.copy_from_slice(self.take(8)?);
        Ok(Tolerance { distance: f64::from_le_bytes(value), path: self.path()? })
    }

    fn switch(&mut self) -> Result<Switch, Stop> {
        Ok(Switch { is_on: self.flag()?, path: self.path()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_whole_or_not_at_all() {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&7u32.to_le_bytes());
        bytes.extend_from_slice(&1024u32.to_le_bytes());
        bytes.push(0);
        bytes.extend_from_slice(&1u32.to_le_bytes());
        bytes.extend_from_slice(&2u32.to_le_bytes());
        bytes.extend_from_slice(b"id");
        bytes.extend_from_slice(&[0; 6 * 4]);
        let options = Options::unpack(&bytes).expect("packed well");
        assert_eq!((options.max_depth, options.shorten_above), (7, 1024));
        assert_eq!(options.ignored_names, [b"id".to_vec()]);
        for end in 0..bytes.len() {
            assert_eq!(Options::unpack(&bytes[..end]), Err(Stop::Unsupported));
        }
        bytes.push(0);
        assert_eq!(Options::unpack(&bytes), Err(Stop::Unsupported));
    }
}
