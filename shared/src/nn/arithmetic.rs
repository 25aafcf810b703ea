//! Checks and products of the sizes in a configuration.

use core::fmt::Display;
use core::ops::RangeInclusive;

use crate::error::{Error, Result};

/// Refuses a field whose value is outside its range.
pub(super) fn check_range<T: PartialOrd + Display>(
    field: &'static str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(Error::config(field, format!("{} to {}", range.start(), range.end()), value))
}

/// The product of a few valid sizes; 64 bits hold it wherever the page runs.
pub(super) fn count(factors: &[usize]) -> u64 {
    factors.iter().map(|&factor| factor as u64).product()
}

/// The product of a few factors from an unchecked configuration, at most `usize::MAX`.
pub(super) fn product(factors: impl Iterator<Item = usize>) -> usize {
    factors.fold(1, usize::saturating_mul)
}
