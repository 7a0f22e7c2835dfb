//! Sixteen bytes at a time: where plain text ends, how much white space there is. With SSE2 where every processor has it
//! (x86-64), else in plain arithmetic; both are always compiled in tests and held against each other.

/// Bytes of a block.
pub const BLOCK: usize = 16;

/// The block at `at`, if that many bytes are left.
#[inline(always)]
pub fn block(text: &[u8], at: usize) -> Option<&[u8; BLOCK]> {
    text.get(at..)?.get(..BLOCK)?.try_into().ok()
}

/// Place of the first byte that is a quote, a backslash, a control character or not ASCII; 16 if there is none.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub fn first_special(block: &[u8; BLOCK]) -> usize {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_cmplt_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    };
    // SAFETY: SSE2 belongs to x86-64, and the unaligned load reads the 16 bytes that the reference covers.
    let mask = unsafe {
        let bytes = _mm_loadu_si128(block.as_ptr().cast::<__m128i>());
        let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
        let backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
        // signed: bytes from 0x80 on are negative, so one comparison finds them and the control characters
        let below_space = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
        _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), below_space))
    };
    (mask as u32 | 1 << BLOCK).trailing_zeros() as usize
}

/// Number of white bytes (space, tab, line feed, carriage return) that the block begins with.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub fn leading_white(block: &[u8; BLOCK]) -> usize {
    use std::arch::x86_64::{__m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8};
    // SAFETY: as above.
    let mask = unsafe {
        let bytes = _mm_loadu_si128(block.as_ptr().cast::<__m128i>());
        let space = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b' ' as i8));
        let line_feed = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\n' as i8));
        let carriage_return = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\r' as i8));
        let tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\t' as i8));
        _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(space, line_feed), _mm_or_si128(carriage_return, tab)))
    };
    (!(mask as u32)).trailing_zeros() as usize
}

#[cfg(not(target_arch = "x86_64"))]
pub use plain::{first_special, leading_white};

/// The same in plain arithmetic, eight bytes at a time.
#[cfg(any(test, not(target_arch = "x86_64")))]
mod plain {
    use super::BLOCK;
    use crate::hash::word;

    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;

    pub fn first_special(block: &[u8; BLOCK]) -> usize {
        first(special(word(block)), special(word(&block[8..])))
    }

    pub fn leading_white(block: &[u8; BLOCK]) -> usize {
        first(not_white(word(block)), not_white(word(&block[8..])))
    }

    /// The high bit of each byte that is not white.
    fn not_white(block: u64) -> u64 {
        let differs = |byte: u8| {
            let apart = block ^ (ONES * u64::from(byte));
            ((apart & !HIGH) + !HIGH) | apart // the high bit of each byte that is not zero, exactly
        };
        differs(b' ') & differs(b'\n') & differs(b'\r') & differs(b'\t') & HIGH
    }

    /// Place of the first byte that is not zero.
    fn first(low: u64, high: u64) -> usize {
        let bits = if low == 0 { 64 + high.trailing_zeros() } else { low.trailing_zeros() };
        bits as usize / 8
    }

    /// Something in each byte that is special. Borrows run upwards only, so the lowest one is always right.
    fn special(block: u64) -> u64 {
        let quote = block ^ (ONES * u64::from(b'"'));
        let backslash = block ^ (ONES * u64::from(b'\\'));
        let zero_in_quote = quote.wrapping_sub(ONES) & !quote;
        let zero_in_backslash = backslash.wrapping_sub(ONES) & !backslash;
        (zero_in_quote | zero_in_backslash | block.wrapping_sub(ONES * 0x20) | block) & HIGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_agree_with_the_definition() {
        let is_special = |byte: u8| byte == b'"' || byte == b'\\' || !(0x20..0x80).contains(&byte);
        for first in 0..=255u8 {
            for second in [b'a', b' ', b'"', 0x00, 0x1F, 0x7F, 0x80, 0xFF] {
                for place in 0..BLOCK {
                    let mut bytes = if first % 2 == 0 { [b' '; BLOCK] } else { [b'z'; BLOCK] };
                    bytes[place] = first;
                    bytes[(place + 3) % BLOCK] = second;
                    let expected = bytes.iter().position(|&byte| is_special(byte)).unwrap_or(BLOCK);
                    assert_eq!(first_special(&bytes), expected, "{bytes:?}");
                    assert_eq!(plain::first_special(&bytes), expected, "{bytes:?}");
                    let white = bytes.iter().position(|byte| !b" \t\r\n".contains(byte)).unwrap_or(BLOCK);
                    assert_eq!(leading_white(&bytes), white);
                    assert_eq!(plain::leading_white(&bytes), white);
                }
            }
        }
    }
}
