//! How long a container says that it is, which is more than there is where a file is cut off.

use std::io::{Read, Seek};

use super::Container;
use crate::bytes::{read_at, u32_be, u64_be};
use crate::error::Result;
use crate::padded::StatedExtent;

/// What the outermost boxes of a file say.
pub fn stated(container: Container, source: &mut (impl Read + Seek), file_bytes: u64) -> Result<StatedExtent> {
    let plain = |bytes| StatedExtent { bytes, patch: None };
    let StatedExtent { bytes, patch } = match container {
        Container::Ogg | Container::Flac => plain(0),
        Container::Mp4 => plain(mp4(source, file_bytes)?),
        Container::Matroska => matroska(source)?,
        Container::Caf => plain(caf(source, file_bytes)?),
    };
    // No file is longer; such a number is damage.
    let is_cut = (file_bytes..MAX_BYTES).contains(&bytes);
    Ok(StatedExtent {
        bytes: if is_cut { bytes } else { file_bytes },
        patch: patch.filter(|_| is_cut && bytes > file_bytes),
    })
}

/// Bytes of the longest file that is believed to be cut off: 1 TiB.
const MAX_BYTES: u64 = 1 << 40;

fn mp4(source: &mut (impl Read + Seek), file_bytes: u64) -> Result<u64> {
    let mut position = 0u64;
    while position < file_bytes {
        let header = read_at(source, position, 16)?;
        let size = match u32_be(&header, 0) {
            1 => u64_be(&header, 8),
            size => size.into(),
        };
        if size < 8 {
            break; // 0 is "up to the end"
        }
        position = position.saturating_add(size);
    }
    Ok(position)
}

fn caf(source: &mut (impl Read + Seek), file_bytes: u64) -> Result<u64> {
    let mut position = 8u64;
    while position < file_bytes {
        let header = read_at(source, position, 12)?;
        let size = u64_be(&header, 4);
        if size == u64::MAX {
            break; // "up to the end"
        }
        position = position.saturating_add(12).saturating_add(size);
    }
    Ok(position)
}

/// The end of the first segment, after the EBML header (RFC 8794, section 4), and the bytes by which it has no known size.
fn matroska(source: &mut (impl Read + Seek)) -> Result<StatedExtent> {
    const SEGMENT: [u8; 4] = [0x18, 0x53, 0x80, 0x67];
    const NONE: StatedExtent = StatedExtent { bytes: 0, patch: None };
    let start = read_at(source, 0, 4096)?;
    // Both have names of four bytes.
    let element = |position: usize| start.get(position + 4..).and_then(size);
    let end = |position: usize, (size, width): (Option<u64>, usize)| {
        size.and_then(|size| size.checked_add((position + 4 + width) as u64))
    };
    let segment = element(0).and_then(|header| usize::try_from(end(0, header)?).ok());
    let Some(segment) = segment.filter(|&at| start.get(at..).is_some_and(|rest| rest.starts_with(&SEGMENT))) else {
        return Ok(NONE);
    };
    let Some(header) = element(segment) else { return Ok(NONE) };
    let mut unknown = vec![0xff; header.1];
    unknown[0] = 0xff >> (header.1 - 1);
    Ok(StatedExtent { bytes: end(segment, header).unwrap_or(0), patch: Some((segment as u64 + 4, unknown)) })
}

/// The size of an element and the bytes that say it; none for a size that is not known, which is all ones.
fn size(bytes: &[u8]) -> Option<(Option<u64>, usize)> {
    let first = *bytes.first()?;
    let width = first.leading_zeros() as usize + 1;
    let digits = bytes.get(..width).filter(|_| width <= 8)?;
    let value = digits.iter().fold(0u64, |value, &byte| value << 8 | u64::from(byte)) & ((1 << (7 * width)) - 1);
    let unknown = value == (1 << (7 * width)) - 1;
    Some(((!unknown).then_some(value), width))
}
