//! Numbers in byte strings, and reading as much as there is.

use std::io::{self, Read, Seek, SeekFrom};

/// The little-endian number at `offset` of `bytes`; 0 where they end before.
pub fn u16_le(bytes: &[u8], offset: usize) -> u16 {
    array(bytes, offset).map_or(0, u16::from_le_bytes)
}

/// As [`u16_le`], of 32 bits.
pub fn u32_le(bytes: &[u8], offset: usize) -> u32 {
    array(bytes, offset).map_or(0, u32::from_le_bytes)
}

/// As [`u16_le`], of 64 bits.
pub fn u64_le(bytes: &[u8], offset: usize) -> u64 {
    array(bytes, offset).map_or(0, u64::from_le_bytes)
}

/// The big-endian number at `offset` of `bytes`; 0 where they end before.
pub fn u16_be(bytes: &[u8], offset: usize) -> u16 {
    array(bytes, offset).map_or(0, u16::from_be_bytes)
}

/// As [`u16_be`], of 32 bits.
pub fn u32_be(bytes: &[u8], offset: usize) -> u32 {
    array(bytes, offset).map_or(0, u32::from_be_bytes)
}

/// As [`u16_be`], of 64 bits.
pub fn u64_be(bytes: &[u8], offset: usize) -> u64 {
    array(bytes, offset).map_or(0, u64::from_be_bytes)
}

fn array<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk().copied()
}

/// Fills `buffer` as far as the source goes; how many bytes that were.
pub fn read_up_to(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Up to `length` bytes from `position`; fewer at the end of the source.
pub fn read_at(source: &mut (impl Read + Seek), position: u64, length: usize) -> io::Result<Vec<u8>> {
    source.seek(SeekFrom::Start(position))?;
    let mut bytes = vec![0; length];
    let count = read_up_to(source, &mut bytes)?;
    bytes.truncate(count);
    Ok(bytes)
}

/// Where `to` leads from `position` in a source of `length` bytes, for implementations of [`Seek`]. It may lie beyond the end.
///
/// # Errors
/// When it would lie before the start, or beyond what 64 bits count.
pub fn sought(to: SeekFrom, position: u64, length: u64) -> io::Result<u64> {
    let place = match to {
        SeekFrom::Start(place) => Some(place),
        SeekFrom::End(offset) => length.checked_add_signed(offset),
        SeekFrom::Current(offset) => position.checked_add_signed(offset),
    };
    place.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a place before the start or beyond all numbers"))
}
