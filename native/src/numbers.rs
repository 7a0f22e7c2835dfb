//! Numbers: their grammar, their hash and when two spellings mean the same number.
//!
//! `1`, `1.0` and `1e0` are one number. An integer spelling and a fraction or exponent spelling count as equal only up
//! to 15 digits: beyond, readers that use doubles would disagree about them. Nothing here is ever rounded.

use crate::fault::{Fault, Reason};
use crate::hash::Keys;
use std::cmp::Ordering;

/// Digits that always fit a `u64`.
const SHORT: usize = 18;
/// Integers below this are the same number in every spelling.
const SAFE: u64 = 1_000_000_000_000_000;
const MAX_EXPONENT: i64 = 1_000_000_000;
/// Longer integers are refused: readers limit them, Python among them.
const MAX_INTEGER_DIGITS: usize = 4299;
/// Numbers with fraction or exponent from 10^308 on need a closer look; from 10^309 on no double holds them.
const NEAR_MAX_POINT: i64 = 309;

/// Scan the number at `start`, if it is an integer of few digits, as most are: its end and its hash.
#[inline(always)]
pub fn scan_short(text: &[u8], start: usize, keys: &Keys) -> Option<(usize, u64)> {
    let byte = |at: usize| text.get(at).copied().unwrap_or(0);
    let negative = byte(start) == b'-';
    let first = start + usize::from(negative);
    let mut at = first;
    let mut value = 0u64;
    while byte(at).is_ascii_digit() {
        value = value.wrapping_mul(10).wrapping_add(u64::from(byte(at) - b'0'));
        at += 1;
    }
    let digits = at - first;
    let is_simple = (1..=SHORT).contains(&digits)
        && (digits == 1 || byte(first) != b'0')
        && !matches!(byte(at), b'.' | b'e' | b'E');
    if is_simple {
        Some((at, keys.integer(value, negative && value != 0)))
    } else {
        None
    }
}

/// Scan any number at `start`.
#[inline(never)]
pub fn scan_long(text: &[u8], start: usize, keys: &Keys) -> Result<(usize, u64), Fault> {
    let digits_from = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let first = start + usize::from(text.get(start) == Some(&b'-'));
    let whole = digits_from(first);
    if whole == 0 {
        let is_infinity = text[start..].starts_with(b"-Infinity");
        return Err(Fault::new(if is_infinity { Reason::NotFinite } else { Reason::Number }, start));
    }
    if whole > 1 && text[first] == b'0' {
        return Err(Fault::new(Reason::LeadingZero, start));
    }
    let mut at = first + whole;
    if text.get(at) == Some(&b'.') {
        let count = digits_from(at + 1);
        if count == 0 {
            return Err(Fault::new(Reason::Number, start));
        }
        at += 1 + count;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(text.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        let count = digits_from(at);
        if count == 0 {
            return Err(Fault::new(Reason::Number, start));
        }
        at += count;
    }
    let number = &text[start..at];
    let parts = Parts::of(number);
    if is_out_of_range(number, &parts) {
        return Err(Fault::new(Reason::OutOfRange, start));
    }
    Ok((at, hash(number, &parts, keys)))
}

/// Whether a reader could not hold the number: an integer of thousands of digits, a fraction beyond every double.
fn is_out_of_range(text: &[u8], parts: &Parts) -> bool {
    if parts.is_integer_spelling {
        return text.len() - usize::from(text[0] == b'-') > MAX_INTEGER_DIGITS;
    }
    if parts.is_beyond {
        return parts.point > 0;
    }
    parts.point >= NEAR_MAX_POINT && as_double(text).map_or(true, f64::is_infinite)
}

fn as_double(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A number taken apart: no leading or trailing zeros in `digits`, value = 0.digits x 10^point.
///
/// `digits` may hold one dot, which counts for nothing.
struct Parts<'a> {
    negative: bool,
    digits: &'a [u8],
    count: usize,
    point: i64,
    is_integer_spelling: bool,
    /// The exponent is so large that only the text itself is compared.
    is_beyond: bool,
}

impl<'a> Parts<'a> {
    /// Take a number apart that has passed the grammar.
    fn of(text: &'a [u8]) -> Parts<'a> {
        let negative = text[0] == b'-';
        let body = &text[usize::from(negative)..];
        let exponent_at = body.iter().position(|byte| matches!(byte, b'e' | b'E'));
        let mantissa = &body[..exponent_at.unwrap_or(body.len())];
        let (exponent, is_beyond) = exponent_at.map_or((0, false), |at| parse_exponent(&body[at + 1..]));
        let dot = mantissa.iter().position(|&byte| byte == b'.');
        let is_digit = |byte: &u8| (b'1'..=b'9').contains(byte);
        let (first, last) = match (mantissa.iter().position(is_digit), mantissa.iter().rposition(is_digit)) {
            (Some(first), Some(last)) => (first, last + 1),
            _ => (0, 0), // zero
        };
        let digits = &mantissa[first..last];
        let whole = dot.unwrap_or(mantissa.len()) as i64;
        // 0.0012: dot at 1, first digit at 3 -> point -2; 12.5: dot at 2, first at 0 -> point 2
        let lead = first as i64 - i64::from(dot.map_or(false, |dot| first > dot));
        let holds_dot = dot.map_or(false, |dot| first < dot && dot < last);
        Parts {
            negative: negative && !digits.is_empty(),
            digits,
            count: digits.len() - usize::from(holds_dot),
            point: if digits.is_empty() { 0 } else { whole - lead + exponent },
            is_integer_spelling: dot.is_none() && exponent_at.is_none(),
            is_beyond: is_beyond && !digits.is_empty(),
        }
    }

    fn digit_bytes(&self) -> impl Iterator<Item = u8> + 'a {
        self.digits.iter().copied().filter(|&byte| byte != b'.')
    }

    fn is_integral(&self) -> bool {
        self.point >= self.count as i64
    }

    /// The value, if it is an integer below 10^18.
    fn short_integer(&self) -> Option<u64> {
        if !self.is_integral() || self.point > SHORT as i64 {
            return None;
        }
        let value = self.digit_bytes().fold(0u64, |value, digit| value * 10 + u64::from(digit - b'0'));
        Some(value * 10u64.pow((self.point - self.count as i64) as u32))
    }

    /// True where an integer spelling and another one may be the same number.
    fn is_safe(&self) -> bool {
        self.is_integral() && self.point <= 15
    }
}

/// The exponent, held within 10^9 either way, and whether it had to be.
fn parse_exponent(text: &[u8]) -> (i64, bool) {
    let (sign, digits) = match text.first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    };
    let mut value = 0i64;
    for digit in digits {
        value = value * 10 + i64::from(digit - b'0');
        if value > MAX_EXPONENT {
            return (sign * MAX_EXPONENT, true);
        }
    }
    (sign * value, false)
}

fn hash(text: &[u8], parts: &Parts, keys: &Keys) -> u64 {
    if parts.is_beyond {
        return keys.text(text);
    }
    if let Some(value) = parts.short_integer() {
        if parts.is_integer_spelling || value < SAFE {
            return keys.integer(value, parts.negative);
        }
    }
    let sum = parts.digit_bytes().fold(keys.array_start(), |sum, digit| keys.array_step(sum, u64::from(digit)));
    keys.decimal(sum ^ u64::from(parts.is_integer_spelling), parts.point, parts.negative)
}

/// Whether two spellings mean the same number.
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    if left == right {
        return true;
    }
    let (left_parts, right_parts) = (Parts::of(left), Parts::of(right));
    if left_parts.is_beyond || right_parts.is_beyond {
        return false;
    }
    left_parts.negative == right_parts.negative
        && left_parts.point == right_parts.point
        && left_parts.count == right_parts.count
        && (left_parts.is_integer_spelling == right_parts.is_integer_spelling || left_parts.is_safe())
        && left_parts.digit_bytes().eq(right_parts.digit_bytes())
}

/// A number as a multiple of `distance`, so that most numbers that are close round alike.
pub fn rounded(text: &[u8], distance: f64) -> Option<f64> {
    let rounded = (as_double(text)? / distance).round() + 0.0; // no negative zero
    if rounded.is_finite() {
        Some(rounded)
    } else {
        None
    }
}

/// Whether two numbers differ by less than `distance`, as doubles.
pub fn close(left: &[u8], right: &[u8], distance: f64) -> bool {
    if equal(left, right) {
        return true;
    }
    match (as_double(left), as_double(right)) {
        (Some(left), Some(right)) => {
            let gap = (left - right).abs();
            gap.partial_cmp(&distance) == Some(Ordering::Less)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(left: &str, right: &str) -> bool {
        let keys = Keys::draw();
        let scanned = |text: &str| {
            let long = scan_long(text.as_bytes(), 0, &keys).expect("a number");
            assert_eq!(scan_short(text.as_bytes(), 0, &keys).unwrap_or(long), long);
            long
        };
        let (left_end, left_hash) = scanned(left);
        let (right_end, right_hash) = scanned(right);
        assert_eq!((left_end, right_end), (left.len(), right.len()));
        let answer = equal(left.as_bytes(), right.as_bytes());
        assert_eq!(answer, left_hash == right_hash, "{left} {right}");
        answer
    }

    #[test]
    fn spellings_of_one_number_are_equal() {
        for (left, right) in [
            ("1", "1.0"),
            ("1", "1e0"),
            ("100", "1e2"),
            ("100", "1.00E+2"),
            ("0", "-0"),
            ("0", "-0.0e5"),
            ("0", "0e99999999999"),
            ("0.5", "5e-1"),
            ("0.0012", "12e-4"),
            ("12.50", "1.25e1"),
            ("-3", "-3.000"),
            ("999999999999999", "999999999999999.0"),
            ("1e30", "10e29"),
            ("123456789012345678901234567890.10", "1.2345678901234567890123456789010e29"),
            ("1e-400", "10e-401"),
            ("1e300", "10e299"),
        ] {
            assert!(same(left, right), "{left} {right}");
        }
    }

    #[test]
    fn different_numbers_differ() {
        for (left, right) in [
            ("1", "2"),
            ("1", "-1"),
            ("1", "10"),
            ("0.1", "0.01"),
            ("1.5", "15"),
            ("12345678901234567", "12345678901234567.0"),
            ("1000000000000000", "1e15"),
            ("100000000000000000000", "1e20"),
            ("123456789012345678901", "123456789012345678902"),
            ("0.1", "0.10000000000000000000001"),
            ("1e-9999999999", "10e-9999999998"),
        ] {
            assert!(!same(left, right), "{left} {right}");
        }
    }

    #[test]
    fn tolerance_is_a_distance_below_which_numbers_are_equal() {
        assert!(close(b"1.0", b"1.0005", 0.001));
        assert!(!close(b"1.0", b"1.5", 0.5));
        assert!(close(b"1e300", b"10e299", 0.1));
        assert!(!close(b"1e300", b"1e301", 0.1));
    }

    #[test]
    fn numbers_that_readers_cannot_hold_are_refused() {
        let keys = Keys::draw();
        let is_good = |text: &str| scan_long(text.as_bytes(), 0, &keys).is_ok();
        assert!(is_good("1.7976931348623157e308"));
        assert!(!is_good("1.7976931348623159e308"));
        assert!(!is_good("-1e309"));
        assert!(!is_good("1e9999999999"));
        assert!(is_good("1e-9999999999"));
        assert!(is_good(&"9".repeat(4299)));
        assert!(!is_good(&"9".repeat(4300)));
        assert!(is_good(&format!("0.{}1", "0".repeat(1_000_000))));
    }

    #[test]
    fn malformed_numbers_are_refused() {
        let keys = Keys::draw();
        for text in ["-", "01", "1.", "1.e5", "1e", "1e+", "-.5", "-01"] {
            assert!(scan_long(text.as_bytes(), 0, &keys).is_err(), "{text}");
        }
    }
}
