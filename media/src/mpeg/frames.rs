//! A stream cut into frames, with what lies between them.

use std::io::Read;

use super::header::{FrameKind, HEADER_BYTES, Header};
use crate::bytes::{read_up_to, u32_be, u32_le};
use crate::content::ByteSource;
use crate::error::Result;

/// Bytes that are read at a time; the longest frame is much shorter.
const CHUNK_BYTES: usize = 1 << 16;
/// Bytes at the start of a file in which the first frame must be.
const MAX_LEADING_BYTES: u64 = 1 << 20;
/// Headers that must follow each other where nothing is known yet: random bytes do not have so many.
const SURE: usize = 3;

/// What comes next in a stream.
#[derive(Debug)]
pub enum FrameEvent {
    /// A frame: its header and all of its bytes.
    Frame(Header, Vec<u8>),
    /// So many bytes that are no frames, with a frame before and after them.
    Junk(u64),
    /// A frame that the end of the file cuts off.
    Cut,
    /// The end.
    End,
}

/// A stream cut into frames.
pub struct Frames {
    source: Box<dyn ByteSource>,
    buffer: Vec<u8>,
    /// Where in the buffer reading is.
    at: usize,
    /// Whether the source has no more bytes.
    drained: bool,
    /// A header of the stream.
    known: Option<Header>,
    junk: u64,
}

impl Frames {
    /// The frames from where `source` is.
    pub fn new(source: Box<dyn ByteSource>) -> Self {
        Self { source, buffer: Vec::new(), at: 0, drained: false, known: None, junk: 0 }
    }

    /// From the first frame again.
    pub fn restart(mut self) -> Result<Self> {
        self.source.rewind()?;
        Ok(Self::new(self.source))
    }

    /// What comes next.
    pub fn next(&mut self) -> Result<FrameEvent> {
        loop {
            self.fill(2 * CHUNK_BYTES)?;
            let ahead = &self.buffer[self.at..];
            if ahead.is_empty() {
                return Ok(FrameEvent::End);
            }
            if let Some(bytes) = tag_bytes(ahead) {
                self.skip(bytes)?;
                continue;
            }
            match Header::parse(ahead).filter(|header| self.is_frame(header)) {
                Some(_) if self.junk > 0 && self.known.is_some() => {
                    return Ok(FrameEvent::Junk(std::mem::take(&mut self.junk)));
                }
                Some(header) if ahead.len() < header.bytes => {
                    self.at = self.buffer.len();
                    return Ok(FrameEvent::Cut);
                }
                Some(header) => {
                    let frame = ahead[..header.bytes].to_vec();
                    self.at += header.bytes;
                    (self.known, self.junk) = (Some(header), 0);
                    return Ok(FrameEvent::Frame(header, frame));
                }
                None => {
                    self.at += 1;
                    self.junk += 1;
                    if self.known.is_none() && self.junk > MAX_LEADING_BYTES {
                        return Ok(FrameEvent::End);
                    }
                }
            }
        }
    }

    /// Whether a header at the current place is one: it is of the stream, and right after a frame, or others follow.
    fn is_frame(&self, header: &Header) -> bool {
        let sure = match &self.known {
            Some(known) if !header.continues(known) => return self.follow(header, SURE) && self.junk == 0,
            Some(_) if self.junk == 0 => return true,
            Some(_) => 2,
            None => SURE,
        };
        self.follow(header, sure)
    }

    /// Whether so many frames follow each other from the current place on, that of `header` counted, or the file ends.
    fn follow(&self, header: &Header, count: usize) -> bool {
        let (mut at, mut last) = (self.at, *header);
        for _ in 1..count {
            at += last.bytes;
            let Some(ahead) = self.buffer.get(at..).filter(|ahead| !ahead.is_empty()) else {
                // A file of fewer frames has nothing but those, and one that is cut off has at least one before.
                return self.drained && (at == self.buffer.len() || at > self.at + header.bytes);
            };
            if tag_bytes(ahead).is_some() {
                return true;
            }
            match Header::parse(ahead).filter(|next| next.continues(&last)) {
                Some(next) => last = next,
                None => return self.drained && ahead.len() < HEADER_BYTES,
            }
        }
        true
    }

    /// Reads on until `bytes` lie ahead, or all there are.
    fn fill(&mut self, bytes: usize) -> Result<()> {
        if self.drained || self.buffer.len() - self.at >= bytes / 2 {
            return Ok(());
        }
        self.buffer.drain(..self.at);
        self.at = 0;
        let old = self.buffer.len();
        self.buffer.resize(bytes, 0);
        let count = read_up_to(&mut self.source, &mut self.buffer[old..])?;
        self.buffer.truncate(old + count);
        self.drained = self.buffer.len() < bytes;
        Ok(())
    }

    /// Passes over bytes that need not lie ahead.
    fn skip(&mut self, bytes: u64) -> Result<()> {
        let there = bytes.min((self.buffer.len() - self.at) as u64);
        self.at += there as usize;
        std::io::copy(&mut self.source.by_ref().take(bytes - there), &mut std::io::sink())?;
        Ok(())
    }
}

/// The size of the tag that starts here: ID3v2, ID3v1, APE, Lyrics3.
pub fn tag_bytes(bytes: &[u8]) -> Option<u64> {
    if bytes.starts_with(b"ID3") && bytes.len() >= 10 {
        let size = bytes[6..10].iter().fold(0, |size, &byte| size << 7 | u64::from(byte & 0x7f));
        let footer = if bytes[5] & 0x10 != 0 { 10 } else { 0 };
        return Some(10 + size + footer);
    }
    if bytes.starts_with(b"APETAGEX") && bytes.len() >= 32 {
        // The size leaves out the header that this is, unless it is the footer of a tag without one.
        let is_header = u32_le(bytes, 20) & 1 << 29 != 0;
        return Some(if is_header { 32 + u64::from(u32_le(bytes, 12)) } else { 32 });
    }
    if bytes.starts_with(b"LYRICSBEGIN") {
        let end = bytes.windows(9).position(|window| window == b"LYRICS200" || window == b"LYRICSEND")?;
        return Some(end as u64 + 9);
    }
    (bytes.starts_with(b"TAG") && bytes.len() >= 128 && Header::parse(&bytes[..HEADER_BYTES]).is_none()).then_some(128)
}

/// What the header of Xing's or LAME's in the first frame says about a stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Info {
    /// Frames of the stream, this one not counted.
    pub frames: Option<u64>,
    /// Samples before and after those that count, where the encoder says so.
    pub trim: Option<[u64; 2]>,
}

impl Info {
    /// Reads such a header; none where the frame is one of sound.
    pub fn parse(header: &Header, frame: &[u8]) -> Option<Self> {
        /// What decoders add to the delay of the encoder, in samples.
        const DECODER_DELAY: u64 = 529;
        if header.kind != FrameKind::Layer(3) {
            return None;
        }
        if frame.get(36..40) == Some(b"VBRI") {
            return Some(Self { frames: Some(u32_be(frame, 36 + 14).into()), trim: None });
        }
        // Encoders put it where it would be without a checksum, even if there is one.
        let start = 4 + header.side_bytes;
        let xing = frame.get(start..)?;
        if !xing.starts_with(b"Xing") && !xing.starts_with(b"Info") {
            return None;
        }
        let flags = u32_be(xing, 4);
        let frames = (flags & 1 != 0).then(|| u32_be(xing, 8).into());
        let sizes = [(1, 4), (2, 4), (4, 100), (8, 4)];
        let lame = 8 + sizes.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, size)| size).sum::<usize>();
        let known = xing.get(lame..lame + 4).is_some_and(|name| name.iter().all(u8::is_ascii_graphic));
        let delays = xing.get(lame + 21..lame + 24).filter(|_| known);
        let trim = delays.map(|bytes| {
            let both = u64::from(bytes[0]) << 16 | u64::from(bytes[1]) << 8 | u64::from(bytes[2]);
            [(both >> 12) + DECODER_DELAY, (both & 0xfff).saturating_sub(DECODER_DELAY)]
        });
        Some(Self { frames, trim })
    }
}
