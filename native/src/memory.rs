//! Vectors whose size follows the input: running out of memory is an answer here, never the end of the process.

use crate::fault::Stop;

/// A vector of so many equal values.
pub fn filled<T: Clone>(value: T, count: usize) -> Result<Vec<T>, Stop> {
    let mut list = Vec::new();
    refill(&mut list, value, count)?;
    Ok(list)
}

/// Make a vector hold so many equal values.
pub fn refill<T: Clone>(list: &mut Vec<T>, value: T, count: usize) -> Result<(), Stop> {
    list.clear();
    list.try_reserve(count)?;
    list.resize(count, value);
    Ok(())
}

/// All that an iterator gives.
pub fn gathered<T>(items: impl Iterator<Item = T>) -> Result<Vec<T>, Stop> {
    let mut list = Vec::new();
    append(&mut list, items)?;
    Ok(list)
}

/// Append all that an iterator gives.
pub fn append<T>(list: &mut Vec<T>, items: impl Iterator<Item = T>) -> Result<(), Stop> {
    list.try_reserve(items.size_hint().0)?;
    for item in items {
        push(list, item)?;
    }
    Ok(())
}

#[inline(always)]
pub fn push<T>(list: &mut Vec<T>, item: T) -> Result<(), Stop> {
    if list.len() == list.capacity() {
        list.try_reserve(1)?; // which at least doubles it
    }
    list.push(item);
    Ok(())
}
