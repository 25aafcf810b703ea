//! The pages of an Ogg file that are whole (RFC 3533, section 6).
//!
//! Symphonia 0.6.1 passes over pages that are damaged, but gives up where one claims to end after the file does.

use std::ops::Range;

use symphonia::core::checksum::Crc32;
use symphonia::core::io::Monitor;

use crate::bytes::{read_at, read_up_to, u32_le};
use crate::content::ByteSource;
use crate::error::Result;

/// Bytes of the longest page: a header, 255 sizes, 255 segments of 255 bytes.
const MAX_PAGE_BYTES: usize = 27 + 255 + 255 * 255;
/// Where in a page its checksum is.
const CHECKSUM: Range<usize> = 22..26;

/// The name of the codec of the first stream, where that is one that Symphonia does not look for.
pub fn unsupported_codec(source: &mut Box<dyn ByteSource>) -> Result<Option<&'static str>> {
    let start = read_at(source, 0, 64)?;
    let packet = start.get(26).and_then(|&sizes| start.get(27 + usize::from(sizes)..)).unwrap_or_default();
    let known: [(&[u8], &str); 3] = [(b"Speex   ", "Speex"), (b"CELT    ", "CELT"), (b"PCM     ", "Ogg PCM")];
    Ok(known.iter().find(|(name, _)| packet.starts_with(name)).map(|(_, codec)| *codec))
}

/// Where pages are that are whole, neighbours as one, and whether the file is cut off within one.
pub fn pages(source: &mut Box<dyn ByteSource>) -> Result<(Vec<Range<u64>>, bool)> {
    source.rewind()?;
    let mut ranges: Vec<Range<u64>> = Vec::new();
    // `at` is in the buffer, which starts at `base` in the file.
    let (mut buffer, mut at, mut base) = (Vec::new(), 0, 0);
    let mut is_cut = false;
    loop {
        if buffer.len() - at < MAX_PAGE_BYTES {
            buffer.drain(..at);
            base += at as u64;
            at = 0;
            let old = buffer.len();
            buffer.resize(4 * MAX_PAGE_BYTES, 0);
            let count = read_up_to(source, &mut buffer[old..])?;
            buffer.truncate(old + count);
        }
        let ahead = &buffer[at..];
        if ahead.is_empty() {
            return Ok((ranges, is_cut));
        }
        let page = if ahead.starts_with(b"OggS") { page_bytes(ahead) } else { Some(0) };
        match page {
            Some(bytes) if bytes > 0 && is_whole(&ahead[..bytes]) => {
                let start = base + at as u64;
                let end = start + bytes as u64;
                match ranges.last_mut() {
                    Some(last) if last.end == start => last.end = end,
                    _ => ranges.push(start..end),
                }
                is_cut = false;
                at += bytes;
            }
            // It is not there up to its end, nor is one that is whole after it.
            None => (is_cut, at) = (true, at + 1),
            Some(_) => at += 1,
        }
    }
}

/// The bytes of the page that starts here; none where there are less.
fn page_bytes(bytes: &[u8]) -> Option<usize> {
    let sizes = usize::from(*bytes.get(26)?);
    let body: usize = bytes.get(27..27 + sizes)?.iter().map(|&size| usize::from(size)).sum();
    Some(27 + sizes + body).filter(|&page| page <= bytes.len())
}

/// Whether a page's checksum is that of the page, where the checksum is taken for zeros.
fn is_whole(page: &[u8]) -> bool {
    let mut checksum = Crc32::new(0);
    checksum.process_buf_bytes(&page[..CHECKSUM.start]);
    checksum.process_buf_bytes(&[0; 4]);
    checksum.process_buf_bytes(&page[CHECKSUM.end..]);
    checksum.crc() == u32_le(page, CHECKSUM.start)
}
