//! Duplicate member names: found by hash at the end of each object, in linear time.

use crate::fault::Stop;
use crate::memory::refill;

/// Up to this many names every pair is compared; above, a table is used.
const PAIRWISE: usize = 12;

/// Places in `hashes` of two names with one hash, the later one second, if there are any.
///
/// `table` is scratch space.
#[inline]
pub fn find_twins(hashes: &[u64], table: &mut Vec<u32>) -> Result<Option<(usize, usize)>, Stop> {
    if hashes.len() <= PAIRWISE {
        return Ok(find_pairwise(hashes));
    }
    find_by_table(hashes, table)
}

#[inline]
fn find_pairwise(hashes: &[u64]) -> Option<(usize, usize)> {
    for (later, hash) in hashes.iter().enumerate().skip(1) {
        if let Some(earlier) = hashes[..later].iter().position(|other| other == hash) {
            return Some((earlier, later));
        }
    }
    None
}

fn find_by_table(hashes: &[u64], table: &mut Vec<u32>) -> Result<Option<(usize, usize)>, Stop> {
    let size = (hashes.len() * 2).next_power_of_two();
    refill(table, 0, size)?;
    for (later, hash) in hashes.iter().enumerate() {
        let mut slot = *hash as usize & (size - 1);
        while table[slot] != 0 {
            let earlier = table[slot] as usize - 1;
            if hashes[earlier] == *hash {
                return Ok(Some((earlier, later)));
            }
            slot = (slot + 1) & (size - 1);
        }
        table[slot] = later as u32 + 1;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins_are_found_in_small_and_large_objects() {
        for count in [2usize, 12, 13, 500] {
            let mut hashes: Vec<u64> = (0..count as u64).map(|value| value * 0x1_0000_0001).collect();
            assert_eq!(find_twins(&hashes, &mut Vec::new()), Ok(None));
            hashes[count - 1] = hashes[0];
            assert_eq!(find_twins(&hashes, &mut Vec::new()), Ok(Some((0, count - 1))));
        }
    }
}
