//! The part of a sound track in MP4 that is the recording: its edit list, or what iTunes wrote instead.
//!
//! Encoders need some samples before the first that counts, and fill the last packet up. Symphonia 0.6.1 gives them as sound.

use std::io::{Read, Seek};

use crate::bytes::{read_at, u32_be, u64_be};
use crate::error::Result;

/// Most bytes of a `moov` box that are looked through.
const MAX_MOOV_BYTES: u64 = 1 << 28;

/// The part of a track that is the recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Edit {
    /// From an edit list (ISO/IEC 14496-12, section 8.6.6).
    List {
        /// Where it starts, in units of the track.
        start: u64,
        /// Its length in units of the movie; 0 for "up to the end".
        length: u64,
        /// Units of the track a second.
        track_scale: u32,
        /// Units of the movie a second.
        movie_scale: u32,
    },
    /// From the tag `iTunSMPB`, in samples.
    Itunes {
        /// Samples before the first that counts.
        delay: u64,
        /// Samples that count.
        length: u64,
    },
}

impl Edit {
    /// Samples of the track before the recording, and the recording's length, where it is known. The track has `frames`.
    pub fn in_samples(self, sample_rate_hz: u32, frames: Option<u64>) -> (i64, Option<u64>) {
        let scaled =
            |units: u64, scale: u32| (u128::from(units) * u128::from(sample_rate_hz) / u128::from(scale.max(1))) as i64;
        match self {
            Self::Itunes { delay, length } => (delay as i64, Some(length)),
            Self::List { start, length, track_scale, movie_scale } => {
                let start = scaled(start, track_scale);
                let rest = frames.map(|frames| frames.saturating_sub(start as u64));
                // A movie's units may be longer than samples; the rounded length then cuts nothing off.
                let unit = u64::from(sample_rate_hz / movie_scale.max(1));
                let stated = Some(scaled(length, movie_scale) as u64 + unit).filter(|_| length > 0);
                (start, [rest, stated].into_iter().flatten().min())
            }
        }
    }
}

/// The content of the box `moov`, in which everything about the tracks is; none where that box is missing.
pub fn moov(source: &mut (impl Read + Seek), file_bytes: u64) -> Result<Option<Vec<u8>>> {
    let mut position = 0u64;
    while position < file_bytes {
        let header = read_at(source, position, 16)?;
        let (size, header_bytes) = match u32_be(&header, 0) {
            0 => (file_bytes - position, 8),
            1 => (u64_be(&header, 8), 16),
            size => (size.into(), 8),
        };
        if size < header_bytes {
            break;
        }
        if header.get(4..8) == Some(b"moov") {
            return Ok(Some(read_at(source, position + header_bytes, size.min(MAX_MOOV_BYTES) as usize)?));
        }
        position = position.saturating_add(size);
    }
    Ok(None)
}

/// The edit of the first sound track; none where there is none, or more than one.
pub fn edit(moov: &[u8]) -> Option<Edit> {
    itunes(moov).or_else(|| list(moov))
}

/// The boxes within a box: names and contents.
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let size = u32_be(bytes, 0) as usize;
        let (this, rest) = bytes.split_at_checked(size).filter(|_| size >= 8)?;
        bytes = rest;
        Some((&this[4..8], &this[8..]))
    })
}

/// The content of the box at a path of names.
fn find<'a>(bytes: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    let Some((first, rest)) = path.split_first() else { return Some(bytes) };
    boxes(bytes).filter(|(name, _)| name == *first).find_map(|(_, content)| find(content, rest))
}

/// The number at one of two places, by the version of a box, whose numbers have 32 or 64 bits.
fn scale(content: &[u8]) -> u32 {
    u32_be(content, if content.first() == Some(&1) { 20 } else { 12 })
}

fn list(moov: &[u8]) -> Option<Edit> {
    let movie_scale = scale(find(moov, &[b"mvhd"])?);
    let is_sound =
        |track: &&[u8]| find(track, &[b"mdia", b"hdlr"]).and_then(|handler| handler.get(8..12)) == Some(b"soun");
    let track = boxes(moov).filter(|(name, _)| name == b"trak").map(|(_, track)| track).find(is_sound)?;
    let track_scale = scale(find(track, &[b"mdia", b"mdhd"])?);
    let list = find(track, &[b"edts", b"elst"])?;
    let wide = list.first() == Some(&1);
    let entry_bytes = if wide { 20 } else { 12 };
    let entries = list.get(8..)?.chunks_exact(entry_bytes).take(u32_be(list, 4) as usize);
    let mut edits = entries.filter_map(|entry| match wide {
        true => Some((u64_be(entry, 0), u64_be(entry, 8))).filter(|(_, start)| *start != u64::MAX),
        // Entries of -1 are pauses, which only matter beside a picture.
        false => {
            Some((u32_be(entry, 0).into(), u32_be(entry, 4).into())).filter(|(_, start)| *start != u32::MAX.into())
        }
    });
    match (edits.next(), edits.next()) {
        (Some((length, start)), None) => Some(Edit::List { start, length, track_scale, movie_scale }),
        _ => None,
    }
}

/// Hexadecimal numbers in a text: 0, samples before, samples after, samples that count.
fn itunes(moov: &[u8]) -> Option<Edit> {
    // `meta` has four bytes before its boxes.
    let items = find(find(moov, &[b"udta", b"meta"])?.get(4..)?, &[b"ilst"])?;
    let is_smpb = |item: &&[u8]| find(item, &[b"name"]).is_some_and(|name| name.ends_with(b"iTunSMPB"));
    let item = boxes(items).filter(|(name, _)| name == b"----").map(|(_, item)| item).find(is_smpb)?;
    let text = std::str::from_utf8(find(item, &[b"data"])?.get(8..)?).ok()?;
    let number = |index: usize| u64::from_str_radix(text.split_whitespace().nth(index)?, 16).ok();
    Some(Edit::Itunes { delay: number(1)?, length: number(3).filter(|&length| length > 0)? })
}
