//! Why a text was refused or a comparison stopped, and where.

/// What is wrong with a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    Empty,
    ExpectedValue,
    ExpectedName,
    ExpectedColon,
    ExpectedCommaOrBracket,
    ExpectedCommaOrBrace,
    EndInside,
    Trailing,
    Word,
    Number,
    LeadingZero,
    OutOfRange,
    NotFinite,
    OpenString,
    ControlCharacter,
    Escape,
    Surrogate,
    Utf8,
    DuplicateName,
    TooDeep,
}

impl Reason {
    /// A clause that completes "Not valid JSON at line 1, column 1: ...".
    pub fn describe(self) -> &'static str {
        match self {
            Reason::Empty => "there is no value",
            Reason::ExpectedValue => "a value was expected here",
            Reason::ExpectedName => "a member name in double quotes was expected here",
            Reason::ExpectedColon => "a colon was expected after the member name",
            Reason::ExpectedCommaOrBracket => "a comma or ']' was expected here",
            Reason::ExpectedCommaOrBrace => "a comma or '}' was expected here",
            Reason::EndInside => "the text ends too early",
            Reason::Trailing => "something follows the value",
            Reason::Word => "only true, false and null may stand without quotes",
            Reason::Number => "the number is malformed",
            Reason::LeadingZero => "a number may not begin with a needless zero",
            Reason::OutOfRange => "the number is out of range",
            Reason::NotFinite => "NaN and Infinity are not JSON",
            Reason::OpenString => "the string is not closed",
            Reason::ControlCharacter => "a control character in a string must be escaped",
            Reason::Escape => "the escape sequence is unknown",
            Reason::Surrogate => "a surrogate stands alone; surrogates come in pairs",
            Reason::Utf8 => "the bytes are not valid UTF-8",
            Reason::DuplicateName => "the object has this member name twice",
            Reason::TooDeep => "containers are nested too deep",
        }
    }
}

/// A refusal and the byte at which it was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    pub reason: Reason,
    pub at: usize,
}

impl Fault {
    #[cold]
    pub fn new(reason: Reason, at: usize) -> Fault {
        Fault { reason, at }
    }
}

/// Why no result came about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The text is not acceptable.
    Fault(Fault),
    /// The system has no more memory.
    Memory,
    /// The caller raised the flag.
    Cancelled,
    /// The text is longer than a tape can describe, or the options ask for more than the core can do.
    Unsupported,
    /// Items of a keyed array lack a key or share one.
    Keys,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

impl From<std::collections::TryReserveError> for Stop {
    fn from(_: std::collections::TryReserveError) -> Stop {
        Stop::Memory
    }
}

/// Line and column (in characters) of a byte, both from 1. Counted only when something is wrong.
pub fn position(text: &[u8], at: usize) -> (usize, usize) {
    let before = &text[..at.min(text.len())];
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let lines = before.iter().filter(|&&byte| byte == b'\n').count();
    let characters = before[line_start..].iter().filter(|&&byte| byte & 0xC0 != 0x80).count();
    (lines + 1, characters + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        assert_eq!(position(b"", 0), (1, 1));
        assert_eq!(position("{\n \"\u{e9}\" x".as_bytes(), 7), (2, 5));
    }
}
