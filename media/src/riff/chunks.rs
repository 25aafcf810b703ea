//! The chunks of a WAV file: RIFF, RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088), and Sony's Wave64.

use std::io::{Read, Seek};

use crate::bytes::{read_at, u32_le, u64_le};
use crate::error::{Error, Result};
use crate::metadata::Metadata;
use crate::riff::metadata;
use crate::samples::SamplePlace;

/// The end of every GUID of Wave64 whose beginning is a RIFF name, and of the two others.
const W64_CHUNK: [u8; 12] = [0xf3, 0xac, 0xd3, 0x11, 0x8c, 0xd1, 0x00, 0xc0, 0x4f, 0x8e, 0xdb, 0x8a];
/// The first 16 bytes of a Wave64 file.
pub const W64_START: [u8; 16] = *b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00";
/// Most bytes of a chunk that is kept in memory.
const MAX_CHUNK_BYTES: u64 = 1 << 24;

/// What a file has besides samples.
#[derive(Debug)]
pub struct Chunks {
    /// Name of the container.
    pub container: &'static str,
    /// The `fmt ` chunk.
    pub format: Vec<u8>,
    /// Where the samples are.
    pub place: SamplePlace,
    /// Text.
    pub metadata: Metadata,
}

/// Which kind of file it is.
#[derive(Clone, Copy, PartialEq)]
enum RiffKind {
    Riff,
    /// RF64 or BW64, whose sizes of 0xFFFFFFFF are in the chunk `ds64`.
    Rf64,
    W64,
}

struct Chunk {
    name: [u8; 4],
    /// Where its content starts.
    start: u64,
    /// Size of its content; what the file says.
    size: u64,
}

impl Chunks {
    /// Reads all chunks.
    pub fn read(source: &mut (impl Read + Seek), file_bytes: u64) -> Result<Self> {
        let start = read_at(source, 0, 16)?;
        let (container, kind) = match &start[..4] {
            b"RIFF" => ("WAV", RiffKind::Riff),
            b"RF64" => ("RF64", RiffKind::Rf64),
            b"BW64" => ("BW64", RiffKind::Rf64),
            _ => ("W64", RiffKind::W64),
        };
        let malformed = |reason: &str| Error::Malformed { container, reason: reason.into() };
        let mut position = if kind == RiffKind::W64 { 40 } else { 12 };
        let (mut format, mut data, mut fact) = (None, None, None);
        let (mut data_64, mut length_64) = (None, None);
        let mut metadata = Metadata::default();
        while let Some(chunk) = Chunk::read(source, kind, position)? {
            let Chunk { name, start, mut size } = chunk;
            let mut content = |most: u64| read_at(source, start, size.min(most) as usize);
            match &name {
                b"ds64" => {
                    let content = content(28)?;
                    (data_64, length_64) = (Some(u64_le(&content, 8)), Some(u64_le(&content, 16)));
                }
                b"fmt " => format = Some(content(1 << 10)?),
                b"fact" => {
                    let content = content(8)?;
                    fact = Some(if kind == RiffKind::W64 { u64_le(&content, 0) } else { u32_le(&content, 0).into() });
                }
                b"data" if data.is_none() => {
                    let there = file_bytes.saturating_sub(start);
                    let mut endless = is_endless(size) && size > there || size == 0;
                    if kind == RiffKind::Rf64 && size == u64::from(u32::MAX) {
                        // A program that could not go back to the header leaves 0 there, too.
                        let stated = data_64.filter(|&size| size != 0 && size != u64::MAX);
                        (size, endless) = (stated.unwrap_or(0), stated.is_none());
                    }
                    // No samples at all are believed only where the size of the whole file is right.
                    if endless && (size != 0 || u64::from(u32_le(&read_at(source, 4, 4)?, 0)) + 8 != file_bytes) {
                        data = Some((start.min(file_bytes)..file_bytes, 0));
                        break;
                    }
                    let end = start + size.min(there);
                    data = Some((start..end, size.saturating_sub(there)));
                }
                // Where a name should be there is something else: what follows the samples of a damaged file, or its padding.
                name if !is_name(name) => break,
                _ => {
                    let content = if metadata::is_kept(&name) { content(MAX_CHUNK_BYTES)? } else { Vec::new() };
                    metadata::add(&mut metadata, &name, content, size > MAX_CHUNK_BYTES);
                }
            }
            position = next(source, kind, start, size)?;
        }
        let format = format.ok_or_else(|| malformed("it has no format chunk"))?;
        let (bytes, missing_bytes) = data.ok_or_else(|| malformed("it has no samples; it may be cut off"))?;
        let most = length_64.filter(|_| fact == Some(u32::MAX.into())).or(fact);
        Ok(Self { container, format, place: SamplePlace { bytes, missing_bytes, most }, metadata })
    }
}

impl Chunk {
    /// The header of the chunk at `position`; none at the end of the file.
    fn read(source: &mut (impl Read + Seek), kind: RiffKind, position: u64) -> Result<Option<Self>> {
        let header_bytes = if kind == RiffKind::W64 { 24 } else { 8 };
        let header = read_at(source, position, header_bytes)?;
        if header.len() < header_bytes {
            return Ok(None);
        }
        let mut name = [0; 4];
        name.copy_from_slice(&header[..4]);
        let start = position + header_bytes as u64;
        if kind != RiffKind::W64 {
            return Ok(Some(Self { name, start, size: u32_le(&header, 4).into() }));
        }
        if header[4..16] != W64_CHUNK {
            name = *b"    ";
        }
        // Sizes of Wave64 count their headers.
        Ok(Some(Self { name, start, size: u64_le(&header, 16).saturating_sub(24) }))
    }
}

/// Where the next chunk starts. After an odd number of bytes there should be one to fill up, and some programs forget it.
fn next(source: &mut (impl Read + Seek), kind: RiffKind, start: u64, size: u64) -> Result<u64> {
    let end = start.saturating_add(size);
    if kind == RiffKind::W64 {
        return Ok(end.checked_next_multiple_of(8).unwrap_or(u64::MAX));
    }
    if size.is_multiple_of(2) {
        return Ok(end);
    }
    let after = read_at(source, end, 5)?;
    let names = |bytes: Option<&[u8]>| bytes.is_some_and(is_name);
    let forgotten = names(after.get(..4)) && !names(after.get(1..5));
    Ok(if forgotten { end } else { end + 1 })
}

/// Whether four bytes may be the name of a chunk.
fn is_name(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| (b' '..=b'~').contains(byte))
}

/// Whether a size is one that programs write when they do not know it: about the most that signed or unsigned numbers hold.
fn is_endless(size: u64) -> bool {
    const SLACK: u64 = 1 << 16;
    let near = |limit: u64| (limit - SLACK..=limit + SLACK).contains(&size);
    near(1 << 31) || near(1 << 32)
}
