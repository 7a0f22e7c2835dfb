//! Strings: finding the end of one, checking it on the way (UTF-8, control characters, escapes, surrogates), and its
//! hash. Sixteen bytes at a time; what is not plain ASCII takes the careful path.

use crate::blocks::{block, first_special, BLOCK};
use crate::fault::{Fault, Reason};
use crate::hash::{word, Keys};

/// Where a string ends (after its closing quote), its hash and whether its text holds a backslash.
pub struct Scanned {
    pub end: usize,
    pub hash: u64,
    pub escaped: bool,
}

/// The lowest bytes of a word, by their number.
const LOW_BYTES: [u64; 9] =
    [0, 0xFF, 0xFFFF, 0xFF_FFFF, 0xFFFF_FFFF, 0xFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF, 0xFF_FFFF_FFFF_FFFF, u64::MAX];

/// Scan the string whose opening quote is at `open`, if it is short and plain, as most are: its end and its hash.
#[inline(always)]
pub fn scan_short(text: &[u8], open: usize, keys: &Keys) -> Option<(usize, u64)> {
    let begin = open + 1;
    let block = block(text, begin)?;
    let length = first_special(block);
    if length >= BLOCK || block[length] != b'"' {
        return None;
    }
    let low = word(block) & LOW_BYTES[length.min(8)];
    let high = word(&block[8..]) & LOW_BYTES[length.max(8) - 8];
    Some((begin + length + 1, keys.short_text(low, high, length)))
}

/// Why a string could not be scanned.
pub enum ScanError {
    Fault(Fault),
    Memory,
}

impl From<Fault> for ScanError {
    fn from(fault: Fault) -> ScanError {
        ScanError::Fault(fault)
    }
}

/// Scan any string whose opening quote is at `open`. `buffer` is scratch space for unescaped text.
#[inline(never)]
pub fn scan_long(text: &[u8], open: usize, keys: &Keys, buffer: &mut Vec<u8>) -> Result<Scanned, ScanError> {
    let begin = open + 1;
    let mut at = begin;
    let mut meant = begin; // the meaning of what is before stands in the buffer, if there was an escape
    loop {
        at = skip_plain(text, at);
        match text.get(at) {
            None => return Err(Fault::new(Reason::OpenString, open).into()),
            Some(b'"') => break,
            Some(b'\\') => {
                let next = skip_escape(text, open, at)?;
                if meant == begin {
                    buffer.clear();
                }
                buffer.try_reserve(next - meant).map_err(|_| ScanError::Memory)?; // it is never longer than the text
                buffer.extend_from_slice(&text[meant..at]);
                unescape_one(&text[at..next], buffer);
                (at, meant) = (next, next);
            }
            Some(&byte) if byte < 0x20 => return Err(Fault::new(Reason::ControlCharacter, at).into()),
            Some(_) => {
                at = skip_utf8(text, at)?;
                while text.get(at).map_or(false, |&byte| byte >= 0x80) {
                    at = skip_utf8(text, at)?;
                }
            }
        }
    }
    let escaped = meant > begin;
    let hash = if escaped {
        buffer.try_reserve(at - meant).map_err(|_| ScanError::Memory)?;
        buffer.extend_from_slice(&text[meant..at]);
        keys.text(buffer)
    } else {
        keys.text(&text[begin..at])
    };
    Ok(Scanned { end: at + 1, hash, escaped })
}

/// The first byte from `at` on that is not plain ASCII text, or the end.
#[inline(always)]
fn skip_plain(text: &[u8], mut at: usize) -> usize {
    while let Some(block) = block(text, at) {
        let length = first_special(block);
        at += length;
        if length < BLOCK {
            return at;
        }
    }
    let is_plain = |byte: &&u8| matches!(byte, 0x20..=0x7F) && !matches!(byte, b'"' | b'\\');
    at + text[at..].iter().take_while(is_plain).count()
}

/// Check one UTF-8 sequence of two to four bytes (Unicode, table 3-7) and step over it.
#[inline]
fn skip_utf8(text: &[u8], at: usize) -> Result<usize, Fault> {
    let byte = |offset: usize| text.get(at + offset).copied().unwrap_or(0);
    let follows = |offset: usize| byte(offset) & 0xC0 == 0x80;
    let (first, second) = (byte(0), byte(1));
    let length = match first {
        0xC2..=0xDF if follows(1) => 2,
        0xE0 if (0xA0..=0xBF).contains(&second) && follows(2) => 3,
        0xED if (0x80..=0x9F).contains(&second) && follows(2) => 3,
        0xE1..=0xEC | 0xEE..=0xEF if follows(1) && follows(2) => 3,
        0xF0 if (0x90..=0xBF).contains(&second) && follows(2) && follows(3) => 4,
        0xF1..=0xF3 if follows(1) && follows(2) && follows(3) => 4,
        0xF4 if (0x80..=0x8F).contains(&second) && follows(2) && follows(3) => 4,
        _ => return Err(Fault::new(Reason::Utf8, at)),
    };
    Ok(at + length)
}

/// Check one escape sequence and step over it; a surrogate pair is one step. The string starts at `open`.
fn skip_escape(text: &[u8], open: usize, at: usize) -> Result<usize, Fault> {
    match text.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => match hex4(text, at + 2) {
            None => Err(Fault::new(Reason::Escape, at)),
            Some(0xD800..=0xDBFF) => match (text.get(at + 6), text.get(at + 7), hex4(text, at + 8)) {
                (Some(b'\\'), Some(b'u'), Some(0xDC00..=0xDFFF)) => Ok(at + 12),
                _ => Err(Fault::new(Reason::Surrogate, open)),
            },
            Some(0xDC00..=0xDFFF) => Err(Fault::new(Reason::Surrogate, open)),
            Some(_) => Ok(at + 6),
        },
        None => Err(Fault::new(Reason::EndInside, at)),
        Some(_) => Err(Fault::new(Reason::Escape, at)),
    }
}

fn hex4(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + 4)?;
    digits.iter().try_fold(0, |value, &digit| Some(value << 4 | (digit as char).to_digit(16)?))
}

/// Append the meaning of a checked string's inner text. It is never longer than the text.
pub fn unescape(inner: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while at < inner.len() {
        let plain = inner[at..].iter().position(|&byte| byte == b'\\').map_or(inner.len(), |length| at + length);
        out.extend_from_slice(&inner[at..plain]);
        at = plain;
        if at < inner.len() {
            at += unescape_one(&inner[at..], out);
        }
    }
}

/// Append the meaning of the escape sequence that `rest` begins with; how many bytes it takes.
fn unescape_one(rest: &[u8], out: &mut Vec<u8>) -> usize {
    let simple = match rest[1] {
        b'b' => 0x08,
        b'f' => 0x0C,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => return unescape_unicode(rest, out),
        other => other,
    };
    out.push(simple);
    2
}

fn unescape_unicode(rest: &[u8], out: &mut Vec<u8>) -> usize {
    let unit = hex4(rest, 2).unwrap_or(0);
    let (code, length) = match (unit, hex4(rest, 8)) {
        (0xD800..=0xDBFF, Some(low)) => (0x10000 + ((unit - 0xD800) << 10) + (low & 0x3FF), 12),
        _ => (unit, 6),
    };
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(text: &[u8]) -> Option<(usize, u64, bool)> {
        let keys = Keys::draw();
        let result = scan_long(text, 0, &keys, &mut Vec::new()).ok()?;
        if let Some(short) = scan_short(text, 0, &keys) {
            assert_eq!(short, (result.end, result.hash));
        }
        let plain = serde_free_unescape(&text[1..result.end - 1]);
        assert_eq!(result.hash, keys.text(&plain));
        Some((result.end, result.hash, result.escaped))
    }

    fn serde_free_unescape(inner: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        unescape(inner, &mut out);
        out
    }

    #[test]
    fn every_length_and_every_distance_to_the_end_is_found() {
        for length in 0..40 {
            for after in 0..20 {
                let text = [b"\"".as_slice(), &vec![b'x'; length], b"\"", &vec![b' '; after]].concat();
                let (end, _, escaped) = scanned(&text).expect("a plain string");
                assert_eq!((end, escaped), (length + 2, false));
            }
        }
    }

    #[test]
    fn specials_are_found_at_every_offset() {
        for offset in 0..40 {
            for (special, good) in [
                ("\\n", true),
                ("\\u00e9", true),
                ("\\ud83d\\ude00", true),
                ("\u{e9}", true),
                ("\u{1F600}", true),
                ("\\ud83d", false),
                ("\\ude00", false),
                ("\\ud83dx", false),
                ("\\x", false),
                ("\n", false),
                ("\\u12g4", false),
            ] {
                let text = format!("\"{}{special}tail\"", "x".repeat(offset));
                assert_eq!(scanned(text.as_bytes()).is_some(), good, "{text}");
            }
        }
    }

    #[test]
    fn bad_utf8_is_refused() {
        for bytes in [
            b"\xC0\x80".as_slice(),
            b"\xC1\xBF",
            b"\xE0\x9F\xBF",
            b"\xED\xA0\x80",
            b"\xF0\x8F\xBF\xBF",
            b"\xF4\x90\x80\x80",
            b"\xF5\x80\x80\x80",
            b"\x80",
            b"\xFF",
            b"\xC3",
            b"\xE2\x82",
            b"\xF0\x9F\x98",
        ] {
            let text = [b"\"", bytes, b"\""].concat();
            assert!(scanned(&text).is_none(), "{bytes:?}");
        }
    }

    #[test]
    fn escapes_hash_as_what_they_mean() {
        let keys = Keys::draw();
        let hash = |text: &[u8]| scan_long(text, 0, &keys, &mut Vec::new()).map(|found| found.hash).ok();
        assert_eq!(hash(b"\"\\u0041\\/\""), hash(b"\"A/\""));
        assert_eq!(hash(b"\"\\ud83d\\ude00\""), hash("\"\u{1F600}\"".as_bytes()));
    }
}
