//! Hashes: one 64 x 64 -> 128 bit multiplication, folded. The keys are drawn anew for every context, so nobody can
//! prepare texts that collide; and no answer rests on a hash alone, so a collision costs time, never correctness.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// Spreads neighbouring numbers over a table (the golden ratio of 64 bits).
pub const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Multiply and fold.
#[inline(always)]
pub fn mix(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    product as u64 ^ (product >> 64) as u64
}

/// The secret numbers of one context, each used for one thing.
#[derive(Clone)]
pub struct Keys {
    text: [u64; 3],
    number: [u64; 3],
    array: [u64; 3],
    object: [u64; 3],
    pub null: u64,
    pub no: u64,
    pub yes: u64,
}

impl Keys {
    /// Draw keys from the operating system (through the standard library's own hasher).
    pub fn draw() -> Keys {
        let source = RandomState::new();
        let mut count = 0u64;
        let mut next = || {
            let mut hasher = source.build_hasher();
            hasher.write_u64(count);
            count += 1;
            hasher.finish() | 1 // never zero: zero times anything is zero
        };
        let mut three = || [next(), next(), next()];
        let (text, number, array, object, words) = (three(), three(), three(), three(), three());
        Keys { text, number, array, object, null: words[0], no: words[1], yes: words[2] }
    }

    /// The hash of a text of at most 16 bytes: its bytes as two little-endian words, padded with zeros.
    #[inline(always)]
    pub fn short_text(&self, low: u64, high: u64, length: usize) -> u64 {
        mix(low ^ self.text[0], mix(high ^ self.text[1], self.text[2] ^ length as u64))
    }

    /// The hash of a text (what stands between the quotes, without escapes).
    pub fn text(&self, bytes: &[u8]) -> u64 {
        let length = bytes.len();
        if length <= 16 {
            let mut block = [0u8; 16];
            block[..length].copy_from_slice(bytes);
            return self.short_text(word(&block), word(&block[8..]), length);
        }
        let mut sum = self.text[2] ^ length as u64;
        for block in bytes[..length - 1].chunks_exact(16) {
            sum = mix(word(block) ^ sum, word(&block[8..]) ^ self.text[1]);
        }
        let last = &bytes[length - 16..];
        mix(word(last) ^ sum, word(&last[8..]) ^ self.text[0])
    }

    /// The hash of an integer of at most 18 digits.
    #[inline(always)]
    pub fn integer(&self, magnitude: u64, negative: bool) -> u64 {
        mix(magnitude ^ self.number[0], self.number[1] ^ u64::from(negative))
    }

    /// The hash of any other number: digits (as text or as a number) and decimal exponent.
    pub fn decimal(&self, digits: u64, exponent: i64, negative: bool) -> u64 {
        mix(digits ^ self.number[2], self.integer(exponent as u64, negative))
    }

    #[inline(always)]
    pub fn array_start(&self) -> u64 {
        self.array[0]
    }

    #[inline(always)]
    pub fn array_step(&self, sum: u64, item: u64) -> u64 {
        mix(sum ^ item, self.array[1])
    }

    #[inline(always)]
    pub fn array_end(&self, sum: u64, count: u32) -> u64 {
        mix(sum ^ u64::from(count), self.array[2])
    }

    /// One member; members are summed, so their order does not count.
    #[inline(always)]
    pub fn member(&self, name: u64, value: u64) -> u64 {
        mix(name ^ self.object[0], value ^ self.object[1])
    }

    #[inline(always)]
    pub fn object_end(&self, sum: u64, count: u32) -> u64 {
        mix(sum ^ u64::from(count), self.object[2])
    }
}

/// The first eight bytes as a little-endian number: one load.
#[inline(always)]
pub fn word(bytes: &[u8]) -> u64 {
    let mut block = [0; 8];
    block.copy_from_slice(&bytes[..8]);
    u64::from_le_bytes(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_texts_hash_by_content_and_length() {
        let keys = Keys::draw();
        let text = [b'x'; 100];
        let hashes: std::collections::HashSet<u64> = (0..=100).map(|length| keys.text(&text[..length])).collect();
        assert_eq!(hashes.len(), 101);
        assert_eq!(keys.text(b"abc"), keys.short_text(0x63_62_61, 0, 3));
    }

    #[test]
    fn a_change_in_any_byte_of_a_long_text_changes_the_hash() {
        let keys = Keys::draw();
        let text = [b'x'; 67];
        let plain = keys.text(&text);
        for at in 0..text.len() {
            let mut other = text;
            other[at] = b'y';
            assert_ne!(keys.text(&other), plain, "byte {at}");
        }
    }
}
