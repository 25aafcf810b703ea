//! What is known about a recording before its samples are read.

use crate::metadata::Metadata;

/// How the samples of a WAV file are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Encoding {
    /// 16-bit integers; samples beyond full scale are clipped.
    #[default]
    Pcm16,
    /// 24-bit integers; samples beyond full scale are clipped.
    Pcm24,
    /// 32-bit integers; samples beyond full scale are clipped.
    Pcm32,
    /// 32-bit floats; nothing is clipped.
    Float32,
}

impl Encoding {
    /// Bytes of one sample.
    pub fn sample_bytes(self) -> u16 {
        match self {
            Self::Pcm16 => 2,
            Self::Pcm24 => 3,
            Self::Pcm32 | Self::Float32 => 4,
        }
    }

    /// The integer encoding that keeps `bits` bits: at least 16, at most 32.
    pub(crate) fn of_integers(bits: u32) -> Self {
        match bits {
            ..=16 => Self::Pcm16,
            17..=24 => Self::Pcm24,
            _ => Self::Pcm32,
        }
    }
}

/// What is known about a recording before its samples are read.
#[derive(Clone, Debug, PartialEq)]
pub struct Format {
    /// Container, such as "WAV" or "Ogg".
    pub container: &'static str,
    /// Codec, such as "24-bit PCM" or "Opus".
    pub codec: String,
    /// Samples per second and channel; at least 1.
    pub sample_rate_hz: u32,
    /// Channels; at least 1.
    pub channels: usize,
    /// Speakers of the channels, in the bits of `dwChannelMask` in Microsoft's `WAVEFORMATEXTENSIBLE`; none where the file does
    /// not say.
    pub channel_mask: Option<u32>,
    /// The WAV encoding that keeps the recording's precision. Lossy codecs count as 16 bits.
    pub encoding: Encoding,
    /// Samples per channel, where the file says so. Files lie: it is for progress and limits, not for allocation.
    pub length: Option<u64>,
    /// Sound tracks besides the one that is read, which is the first.
    pub other_tracks: usize,
    /// Titles, dates and other text.
    pub metadata: Metadata,
}

impl Format {
    /// Length in seconds, where the file says so.
    pub fn seconds(&self) -> Option<f64> {
        Some(self.length? as f64 / f64::from(self.sample_rate_hz))
    }
}

/// A stretch of a recording that could not be decoded. It is read as silence, so that everything after it stays in time.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Damage {
    /// Where it starts, in samples per channel.
    pub start: u64,
    /// Samples per channel that are silence in its place; 0 where the recording is cut off.
    pub length: u64,
    /// What is wrong, such as "the file is cut off".
    pub reason: String,
}

impl Damage {
    /// The end of what is there of a recording that is cut off.
    pub(crate) fn cut(start: u64) -> Self {
        Self { start, length: 0, reason: "the file is cut off here".into() }
    }
}
