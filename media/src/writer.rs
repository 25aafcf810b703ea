//! WAV files, block by block.

use std::io::{Seek, SeekFrom, Write};

use crate::error::{Error, Result};
use crate::format::{Encoding, Format};
use crate::layout::FRONT_CENTRE;
use crate::metadata::Metadata;
use crate::riff::TAG_GUID;

/// What a WAV file is to hold.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Spec {
    /// Samples per second and channel.
    pub sample_rate_hz: u32,
    /// Channels, 1 to 65 535.
    pub channels: usize,
    /// Speakers of the channels, as in [`crate::Format::channel_mask`]. Without it, one and two channels are written as mono
    /// and stereo in the plain format, and more without speakers.
    pub channel_mask: Option<u32>,
    /// How samples are stored.
    pub encoding: Encoding,
    /// Text to carry.
    pub metadata: Metadata,
}

impl Spec {
    /// A file with the rate, channels, speakers, precision and text of a recording.
    pub fn like(format: &Format) -> Self {
        let Format { sample_rate_hz, channels, channel_mask, encoding, .. } = *format;
        Self { sample_rate_hz, channels, channel_mask, encoding, metadata: format.metadata.clone() }
    }
}

/// Speakers of two channels: front left, front right.
const STEREO: u32 = 0x3;
/// Bytes of the chunk `ds64` without its header.
const DS64_BYTES: u32 = 28;
/// Most bytes that a plain WAV file has.
const MAX_RIFF_BYTES: u64 = u32::MAX as u64 + 8;

/// A WAV file being written. It is whole only after [`Writer::finish`].
pub struct Writer<W> {
    bytes: W,
    encoding: Encoding,
    channels: usize,
    /// Bytes before the first sample.
    header_bytes: u64,
    /// Where the sizes for more than 4 GiB go, if there is room for them.
    ds64: Option<u64>,
    /// Where the number of samples goes, if the header has it.
    fact: Option<u64>,
    /// Samples per channel written.
    length: u64,
}

impl<W: Write + Seek> Writer<W> {
    /// Writes the header, at the start of `bytes`. `length` is how many samples per channel will come, at most, where that is
    /// known: it decides whether the file becomes RF64 (EBU Tech 3306) because a WAV file cannot hold so many. Where it is not
    /// known, the file can become either.
    ///
    /// # Errors
    /// When the spec cannot be written as WAV, or the destination fails.
    pub fn new(mut bytes: W, spec: &Spec, length: Option<u64>) -> Result<Self> {
        let Spec { sample_rate_hz, channels, channel_mask, encoding, metadata } = spec;
        let unwritable = |reason: String| Error::Unwritable(reason);
        let count = u16::try_from(*channels).ok().filter(|&count| count > 0);
        let count = count.ok_or_else(|| unwritable(format!("1 to 65535 channels expected, got {channels}")))?;
        let frame_bytes = u64::from(count) * u64::from(encoding.sample_bytes());
        let too_wide = || unwritable(format!("{channels} channels at {sample_rate_hz} Hz are too many bytes a second"));
        let bytes_per_second = u32::try_from(u64::from(*sample_rate_hz) * frame_bytes).map_err(|_| too_wide())?;
        let block_bytes = u16::try_from(frame_bytes).map_err(|_| too_wide())?;
        let bits = 8 * encoding.sample_bytes();
        let tag: u16 = if *encoding == Encoding::Float32 { 3 } else { 1 };
        // The plain format implies the speakers of one or two channels.
        let is_plain = match count {
            1 => channel_mask.is_none_or(|mask| mask == FRONT_CENTRE),
            2 => channel_mask.is_none_or(|mask| mask == STEREO),
            _ => false,
        };

        let mut header = Vec::from(*b"RIFF\0\0\0\0WAVE");
        let mut format = Vec::new();
        format.extend(if is_plain { tag } else { 0xfffe }.to_le_bytes());
        format.extend(count.to_le_bytes());
        format.extend(sample_rate_hz.to_le_bytes());
        format.extend(bytes_per_second.to_le_bytes());
        format.extend(block_bytes.to_le_bytes());
        format.extend(bits.to_le_bytes());
        if !is_plain {
            format.extend(22u16.to_le_bytes());
            format.extend(bits.to_le_bytes());
            format.extend(channel_mask.unwrap_or(0).to_le_bytes());
            format.extend(tag.to_le_bytes());
            format.extend(TAG_GUID);
        } else if tag != 1 {
            format.extend(0u16.to_le_bytes());
        }
        let text = info_list(metadata);
        let rest_bytes = 12
            + 8
            + 8
            + 12
            + format.len() as u64
            + text.len() as u64
            + metadata.bext.as_ref().map_or(0, |bext| 9 + bext.len() as u64)
            + 1;
        let fits = length
            .is_some_and(|length| length.saturating_mul(frame_bytes).saturating_add(rest_bytes) <= MAX_RIFF_BYTES);
        let ds64 = (!fits).then(|| {
            let place = header.len() as u64;
            push_chunk(&mut header, b"JUNK", &[0; DS64_BYTES as usize]);
            place
        });
        push_chunk(&mut header, b"fmt ", &format);
        let fact = (tag != 1).then(|| {
            push_chunk(&mut header, b"fact", &[0; 4]);
            header.len() as u64 - 4
        });
        if let Some(bext) = &metadata.bext {
            push_chunk(&mut header, b"bext", bext);
        }
        header.extend(text);
        header.extend(b"data\0\0\0\0");
        bytes.write_all(&header)?;
        let header_bytes = header.len() as u64;
        Ok(Self { bytes, encoding: *encoding, channels: *channels, header_bytes, ds64, fact, length: 0 })
    }

    /// Writes samples of each channel, all of one length.
    ///
    /// # Errors
    /// When more come than announced in [`Writer::new`] and than a WAV file holds, or the destination fails.
    ///
    /// # Panics
    /// When the number of channels is another than in the spec, or they differ in length.
    pub fn write(&mut self, channels: &[impl AsRef<[f32]>]) -> Result<()> {
        assert_eq!(channels.len(), self.channels, "channels are those of the spec");
        let length = channels[0].as_ref().len();
        assert!(channels.iter().all(|channel| channel.as_ref().len() == length), "channels are of one length");
        let written = (self.length + length as u64) * self.frame_bytes() + self.header_bytes;
        if self.ds64.is_none() && written > MAX_RIFF_BYTES - 1 {
            return Err(Error::Unwritable("more than 4 GiB came, of a recording that said it was shorter".into()));
        }
        let mut encoded = Vec::with_capacity(length * self.frame_bytes() as usize);
        let integer = |sample: f32, bits: u32| {
            let peak = 2f64.powi(bits as i32 - 1);
            (f64::from(sample) * peak).round().clamp(-peak, peak - 1.0) as i32
        };
        for at in 0..length {
            for channel in channels {
                let sample = channel.as_ref()[at];
                match self.encoding {
                    Encoding::Pcm16 => encoded.extend((integer(sample, 16) as i16).to_le_bytes()),
                    Encoding::Pcm24 => encoded.extend(&integer(sample, 24).to_le_bytes()[..3]),
                    Encoding::Pcm32 => encoded.extend(integer(sample, 32).to_le_bytes()),
                    Encoding::Float32 => encoded.extend(sample.to_le_bytes()),
                }
            }
        }
        self.bytes.write_all(&encoded)?;
        self.length += length as u64;
        Ok(())
    }

    /// Completes the header and gives the destination back.
    ///
    /// # Errors
    /// When the destination fails.
    pub fn finish(mut self) -> Result<W> {
        let data_bytes = self.length * self.frame_bytes();
        if data_bytes % 2 == 1 {
            self.bytes.write_all(&[0])?;
        }
        let riff_bytes = self.header_bytes + data_bytes.next_multiple_of(2) - 8;
        let short = |size: u64| u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes();
        let mut patches = vec![(4, short(riff_bytes).to_vec()), (self.header_bytes - 4, short(data_bytes).to_vec())];
        patches.extend(self.fact.map(|place| (place, short(self.length).to_vec())));
        if let Some(place) = self.ds64.filter(|_| riff_bytes > u64::from(u32::MAX)) {
            let mut sizes = b"ds64".to_vec();
            sizes.extend(DS64_BYTES.to_le_bytes());
            [riff_bytes, data_bytes, self.length].iter().for_each(|size| sizes.extend(size.to_le_bytes()));
            patches.push((place, sizes));
            patches.push((0, b"RF64\xff\xff\xff\xff".to_vec()));
            patches.push((self.header_bytes - 4, vec![0xff; 4]));
        }
        for (place, patch) in patches {
            self.bytes.seek(SeekFrom::Start(place))?;
            self.bytes.write_all(&patch)?;
        }
        self.bytes.seek(SeekFrom::End(0))?;
        self.bytes.flush()?;
        Ok(self.bytes)
    }

    fn frame_bytes(&self) -> u64 {
        self.channels as u64 * u64::from(self.encoding.sample_bytes())
    }
}

/// A chunk, filled up to an even size.
fn push_chunk(bytes: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    bytes.extend(name);
    bytes.extend((content.len() as u32).to_le_bytes());
    bytes.extend(content);
    if content.len() % 2 == 1 {
        bytes.push(0);
    }
}

/// The INFO list as a chunk; nothing where there is no text.
fn info_list(metadata: &Metadata) -> Vec<u8> {
    let mut list = Vec::new();
    if !metadata.info.is_empty() {
        let mut content = b"INFO".to_vec();
        for (name, text) in &metadata.info {
            // Readers expect a zero at the end.
            push_chunk(&mut content, name, &[text.as_bytes(), &[0]].concat());
        }
        push_chunk(&mut list, b"LIST", &content);
    }
    list
}
