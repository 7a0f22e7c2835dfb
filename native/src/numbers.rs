//! Numbers: their grammar, their hash and when two spellings mean the same number.
//!
//! `1`, `1.0` and `1e0` are one number. An integer spelling and a fraction or exponent spelling count as equal only up
//! to 15 digits: beyond, readers that use doubles would disagree about them. Nothing here is ever rounded.

use crate::fault::{Fault, Reason};
use crate::hash::{word, Keys};
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

/// Scan the number at `start`, if it has few digits and no exponent, as most have: its end and its hash.
#[inline(always)]
pub fn scan_short(text: &[u8], start: usize, keys: &Keys) -> Option<(usize, u64)> {
    // A single digit is the most frequent number.
    if let Some(&[digit @ b'0'..=b'9', b',' | b']' | b'}']) = text.get(start..start + 2) {
        return Some((start + 1, keys.integer(u64::from(digit - b'0'), false)));
    }
    let negative = text.get(start) == Some(&b'-');
    let first = start + usize::from(negative);
    let (mut at, whole) = digits(text, first, 0)?;
    if at == first || (text[first] == b'0' && at > first + 1) {
        return None;
    }
    match text.get(at) {
        Some(b'.') => {}
        Some(b'e' | b'E') => return None,
        _ if at - first > SHORT => return None,
        _ => return Some((at, keys.integer(whole, negative && whole != 0))),
    }
    let point = at + 1;
    let (end, mut value) = digits(text, point, whole)?;
    let mut fraction = end - point;
    if fraction == 0 || end - first - 1 > SHORT || matches!(text.get(end), Some(b'e' | b'E')) {
        return None;
    }
    while value % 10 == 0 && fraction > 0 {
        value /= 10;
        fraction -= 1;
    }
    at = end;
    if fraction > 0 {
        Some((at, keys.decimal(value, -(fraction as i64), negative)))
    } else if value < SAFE {
        Some((at, keys.integer(value, negative && value != 0)))
    } else {
        None
    }
}

/// Read digits from `at` on, to be appended to `value`: where they end, and the new value. None if there are more than
/// two words of them. Eight at a time and without a branch on their number, which nobody could foresee.
#[inline(always)]
fn digits(text: &[u8], at: usize, value: u64) -> Option<(usize, u64)> {
    let (count, found) = word_of_digits(text, at);
    let value = value.wrapping_mul(POWERS[count]).wrapping_add(found);
    if count < 8 {
        return Some((at + count, value));
    }
    let (more, found) = word_of_digits(text, at + 8);
    if more == 8 {
        return many_digits(text, at + 16, value.wrapping_mul(POWERS[8]).wrapping_add(found));
    }
    Some((at + 8 + more, value.wrapping_mul(POWERS[more]).wrapping_add(found)))
}

#[cold]
fn many_digits(text: &[u8], at: usize, value: u64) -> Option<(usize, u64)> {
    let (count, found) = word_of_digits(text, at);
    if count > 2 {
        return None;
    }
    Some((at + count, value.wrapping_mul(POWERS[count]).wrapping_add(found)))
}

const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// How many digits the next eight bytes begin with, and the number that they spell.
#[inline(always)]
fn word_of_digits(text: &[u8], at: usize) -> (usize, u64) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let block = match text.get(at..at + 8) {
        Some(block) => word(block),
        None => last_word(text, at),
    };
    let apart = block ^ (ONES * u64::from(b'0'));
    // The high bit of the first byte that is above 9, and of some behind it: carries run upwards only.
    let others = (apart.wrapping_add(ONES * 0x76) | apart) & (ONES * 0x80);
    let count = (others.trailing_zeros() / 8) as usize;
    if count == 0 {
        return (0, 0);
    }
    // Leading zeros in place of what follows; then neighbours are joined, three times over: ten, hundred, ten thousand.
    let eight = apart << (64 - 8 * count);
    let pairs = eight.wrapping_mul(10).wrapping_add(eight >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_FFFF_0000_FFFF;
    (count, fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xFFFF_FFFF)
}

/// The last bytes of the text, fewer than eight, and zeros behind.
#[cold]
fn last_word(text: &[u8], at: usize) -> u64 {
    let mut block = [0; 8];
    let rest = &text[at.min(text.len())..];
    block[..rest.len()].copy_from_slice(rest);
    word(&block)
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
    let spelling = u64::from(parts.is_integer_spelling) << 63;
    let exponent = parts.point - parts.count as i64;
    let digits = if parts.count <= SHORT {
        parts.digit_bytes().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'))
    } else {
        parts.digit_bytes().fold(keys.array_start(), |sum, digit| keys.array_step(sum, u64::from(digit)))
    };
    keys.decimal(digits ^ spelling, exponent, parts.negative)
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
