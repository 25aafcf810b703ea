//! Samples that lie in a file one after the other: PCM, G.711, ADPCM.

use std::io::{self, Seek, SeekFrom};
use std::ops::Range;

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::packet::PacketBuilder;
use symphonia::core::units::{Duration, Timestamp};

use crate::bytes::read_up_to;
use crate::content::{Block, ByteSource, Opened, SampleContent};
use crate::error::{Error, Result};
use crate::format::{Damage, Encoding, Format};
use crate::metadata::Metadata;

/// Samples per channel that are read at a time, about.
const BLOCK_LENGTH: u64 = 1 << 14;

/// How such samples are stored.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleCodec {
    /// Name for people, such as "24-bit PCM".
    pub name: String,
    /// Symphonia's decoder.
    pub id: AudioCodecId,
    /// Bytes of the smallest piece that can be decoded by itself: one sample of all channels, or a block of ADPCM.
    pub block_bytes: u64,
    /// Samples per channel in it.
    pub block_length: u64,
    /// What keeps the precision.
    pub encoding: Encoding,
}

impl SampleCodec {
    /// PCM of whole bytes: one sample of all channels is a block.
    pub fn plain(name: impl Into<String>, id: AudioCodecId, sample_bytes: u64, channels: usize, bits: u32) -> Self {
        let encoding = Encoding::of_integers(bits);
        Self { name: name.into(), id, block_bytes: sample_bytes * channels as u64, block_length: 1, encoding }
    }

    /// Floating-point samples.
    pub fn float(id: AudioCodecId, sample_bytes: u64, channels: usize) -> Self {
        let name = format!("{}-bit float", 8 * sample_bytes);
        Self { encoding: Encoding::Float32, ..Self::plain(name, id, sample_bytes, channels, 32) }
    }
}

/// Where the samples of a file are.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplePlace {
    /// Bytes of the file, as far as it has them.
    pub bytes: Range<u64>,
    /// Bytes that the file says it has besides.
    pub missing_bytes: u64,
    /// Samples per channel that count, where the last block has more.
    pub most: Option<u64>,
}

/// All that a header says about a file of such samples.
pub struct StoredRecording {
    /// Name of the container.
    pub container: &'static str,
    /// Samples per second and channel.
    pub sample_rate_hz: u32,
    /// Channels.
    pub channels: usize,
    /// As [`Format::channel_mask`].
    pub channel_mask: Option<u32>,
    /// How the samples are stored.
    pub codec: SampleCodec,
    /// Where they are.
    pub place: SamplePlace,
    /// Text.
    pub metadata: Metadata,
}

impl StoredRecording {
    /// Prepares to read the samples.
    pub fn open(self, source: Box<dyn ByteSource>) -> Result<Opened> {
        let Self { container, sample_rate_hz, channels, channel_mask, codec, place, metadata } = self;
        let malformed = |reason: String| Error::Malformed { container, reason };
        if channels == 0 {
            return Err(malformed("it says that it has no channels".into()));
        }
        if sample_rate_hz == 0 {
            return Err(malformed("it says that it has a sampling rate of 0 Hz".into()));
        }
        let (name, encoding) = (codec.name.clone(), codec.encoding);
        let samples = StoredSamples::new(container, source, sample_rate_hz, channels, codec, place)?;
        let format = Format {
            container,
            codec: name,
            sample_rate_hz,
            channels,
            channel_mask,
            encoding,
            length: Some(samples.length()),
            other_tracks: 0,
            metadata,
        };
        Ok(Opened { format, content: Box::new(samples) })
    }
}

/// A file of such samples, being read.
pub struct StoredSamples {
    source: Box<dyn ByteSource>,
    codec: SampleCodec,
    decoder: Box<dyn AudioDecoder>,
    /// Bytes of the file that were not read yet.
    left: Range<u64>,
    position: u64,
    length: u64,
    missing: u64,
    damage: Vec<Damage>,
}

impl StoredSamples {
    fn new(
        container: &'static str,
        mut source: Box<dyn ByteSource>,
        sample_rate_hz: u32,
        channels: usize,
        codec: SampleCodec,
        place: SamplePlace,
    ) -> Result<Self> {
        let malformed = |reason: String| Error::Malformed { container, reason };
        let count = u16::try_from(channels).map_err(|_| malformed(format!("it has {channels} channels")))?;
        if codec.block_bytes == 0 || codec.block_length == 0 {
            return Err(malformed("its blocks of samples have no size".into()));
        }
        let blocks_at_once = BLOCK_LENGTH.div_ceil(codec.block_length);
        let mut parameters = AudioCodecParameters::new();
        parameters
            .for_codec(codec.id)
            .with_sample_rate(sample_rate_hz)
            .with_channels(Channels::Discrete(count))
            .with_max_frames_per_packet(blocks_at_once * codec.block_length)
            .with_frames_per_block(codec.block_length);
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(&parameters, &AudioDecoderOptions::default())
            .map_err(|error| malformed(format!("{}: {error}", codec.name)))?;
        source.seek(SeekFrom::Start(place.bytes.start))?;
        let of_bytes = |bytes: u64| bytes / codec.block_bytes * codec.block_length;
        let size = place.bytes.end - place.bytes.start;
        let stored = of_bytes(size);
        let length = place.most.map_or(stored, |most| most.min(stored));
        let missing = of_bytes(size.saturating_add(place.missing_bytes)).min(place.most.unwrap_or(u64::MAX)) - length;
        Ok(Self { source, codec, decoder, left: place.bytes, position: 0, length, missing, damage: Vec::new() })
    }

    /// Samples per channel, with those that the file says it has though it ends before.
    fn length(&self) -> u64 {
        self.length + self.missing
    }
}

impl SampleContent for StoredSamples {
    fn damage(&self) -> &[Damage] {
        &self.damage
    }

    fn read(&mut self) -> Result<Option<Block>> {
        if self.position >= self.length {
            if std::mem::take(&mut self.missing) > 0 {
                self.damage.push(Damage::cut(self.position));
            }
            return Ok(None);
        }
        let SampleCodec { block_bytes, block_length, .. } = self.codec;
        let blocks = BLOCK_LENGTH.div_ceil(block_length).min((self.left.end - self.left.start) / block_bytes);
        let mut bytes = vec![0; (blocks * block_bytes) as usize];
        if read_up_to(&mut self.source, &mut bytes)? < bytes.len() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is shorter than it was").into());
        }
        self.left.start += bytes.len() as u64;
        let duration = Duration::new(blocks * block_length);
        let packet = PacketBuilder::new().track_id(0).pts(Timestamp::ZERO).dur(duration).data(bytes).build();
        let mut block = Block::new();
        match self.decoder.decode(&packet) {
            Ok(decoded) => decoded.copy_to_vecs_planar(&mut block),
            Err(error) => {
                let channels = self.decoder.codec_params().channels.as_ref().map_or(1, Channels::count);
                block = vec![vec![0.0; duration.get() as usize]; channels];
                self.damage.push(Damage {
                    start: self.position,
                    length: duration.get(),
                    reason: format!("{}: {error}", self.codec.name),
                });
            }
        }
        let count = (block[0].len() as u64).min(self.length - self.position);
        block.iter_mut().for_each(|channel| channel.truncate(count as usize));
        self.position += count;
        Ok(Some(block))
    }
}
