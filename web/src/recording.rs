//! Recordings that lie in the browser's memory, read and written bit by bit: the engine's own memory holds little of them.

use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

use js_sys::{ArrayBuffer, Float32Array, Uint8Array};
use shared::Audio;
use shared::noise::NoRecordings;
use shared::wav::{self, Encoding};

use crate::protocol::{AddedNoise, Failure, Input};

/// Samples of each channel that are read at a time.
const BLOCK_LENGTH: usize = 1 << 14;
/// Bytes that are handed to the browser at a time.
const PART_BYTES: usize = 1 << 20;

/// A recording being read.
pub enum Source {
    /// From a WAV file.
    Wav(wav::Reader<BufReader<Bytes>>),
    /// From samples that the browser decoded.
    Samples {
        /// One array a channel.
        channels: Vec<Float32Array>,
        /// Samples per second.
        sample_rate_hz: u32,
        /// Samples read of each.
        position: u32,
    },
    /// From a recording in our own memory.
    Audio {
        /// The recording.
        audio: Audio,
        /// How it is to be written.
        encoding: Encoding,
        /// Samples read of each channel.
        position: usize,
    },
}

impl Source {
    /// The recording in the buffers of a request.
    ///
    /// # Errors
    /// When it is not one.
    pub fn new(input: Input, buffers: &[ArrayBuffer]) -> Result<Self, Failure> {
        match input {
            Input::Wav => {
                let bytes = Bytes { array: Uint8Array::new(buffers.first().ok_or(Failure::NotAudio)?), position: 0 };
                wav::Reader::new(BufReader::with_capacity(1 << 16, bytes)).map(Self::Wav).map_err(failure)
            }
            Input::Samples { sample_rate_hz } => {
                let channels = buffers.iter().map(|buffer| Float32Array::new(buffer)).collect();
                Ok(Self::Samples { channels, sample_rate_hz, position: 0 })
            }
        }
    }

    /// Samples per second.
    pub fn sample_rate_hz(&self) -> u32 {
        match self {
            Self::Wav(reader) => reader.sample_rate_hz(),
            Self::Samples { sample_rate_hz, .. } => *sample_rate_hz,
            Self::Audio { audio, .. } => audio.sample_rate_hz(),
        }
    }

    /// How many channels there are.
    pub fn channels(&self) -> usize {
        match self {
            Self::Wav(reader) => reader.channels(),
            Self::Samples { channels, .. } => channels.len(),
            Self::Audio { audio, .. } => audio.channels().len(),
        }
    }

    /// Samples per channel.
    pub fn length(&self) -> u64 {
        match self {
            Self::Wav(reader) => reader.length(),
            Self::Samples { channels, .. } => channels.first().map_or(0, Float32Array::length).into(),
            Self::Audio { audio, .. } => audio.len() as u64,
        }
    }

    /// The encoding that suits the recording's precision.
    pub fn encoding(&self) -> Encoding {
        match self {
            Self::Wav(reader) => reader.encoding(),
            Self::Samples { .. } => Encoding::Pcm16,
            Self::Audio { encoding, .. } => *encoding,
        }
    }

    /// The next samples of each channel; none at the end.
    ///
    /// # Errors
    /// When the file is broken.
    pub fn read(&mut self) -> Result<Vec<Vec<f32>>, Failure> {
        match self {
            Self::Wav(reader) => reader.read(BLOCK_LENGTH).map_err(failure),
            Self::Samples { channels, position, .. } => {
                let start = *position;
                *position += BLOCK_LENGTH as u32; // subarray() stops at the end by itself
                Ok(channels.iter().map(|channel| channel.subarray(start, *position).to_vec()).collect())
            }
            Self::Audio { audio, position, .. } => {
                let start = *position;
                *position = (start + BLOCK_LENGTH).min(audio.len());
                Ok(audio.channels().iter().map(|channel| channel[start..*position].to_vec()).collect())
            }
        }
    }

    /// The same with noise, and the WAV file of that in parts. All of it comes into our own memory: some noise depends on the
    /// whole recording.
    ///
    /// # Errors
    /// When the file is broken, or the noise cannot be made.
    pub fn with_noise(mut self, noise: &AddedNoise) -> Result<(Self, Vec<ArrayBuffer>), Failure> {
        let mut channels = vec![Vec::with_capacity(self.length() as usize); self.channels()];
        loop {
            let block = self.read()?;
            if block[0].is_empty() {
                break;
            }
            channels.iter_mut().zip(block).for_each(|(channel, samples)| channel.extend(samples));
        }
        let audio = Audio::new(self.sample_rate_hz(), channels).map_err(failure)?;
        let audio = noise.chain.apply(&audio, noise.seed.into(), &NoRecordings);
        let audio = audio.map_err(|error| Failure::NoNoise(error.to_string()))?;
        let encoding = self.encoding();
        let mut parts = Parts::default();
        wav::Writer::new(&mut parts, audio.sample_rate_hz(), audio.channels().len(), encoding)
            .and_then(|mut writer| {
                writer.write(audio.channels())?;
                writer.finish()
            })
            .map_err(failure)?;
        Ok((Self::Audio { audio, encoding, position: 0 }, parts.finish()))
    }
}

fn failure(error: shared::Error) -> Failure {
    match error {
        shared::Error::Wav(_) => Failure::NotAudio,
        other => Failure::Other(other.to_string()),
    }
}

/// A file's bytes.
pub struct Bytes {
    array: Uint8Array,
    position: u32,
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let end = (u64::from(self.position) + buffer.len() as u64).min(self.array.length().into()) as u32;
        let part = self.array.subarray(self.position, end);
        part.copy_to(&mut buffer[..part.length() as usize]);
        self.position = end;
        Ok(part.length() as usize)
    }
}

/// A file being written: what is complete goes to the browser. Only its beginning can be written again.
#[derive(Default)]
pub struct Parts {
    /// The first part, kept until the end: a header is there.
    head: Vec<u8>,
    done: Vec<ArrayBuffer>,
    tail: Vec<u8>,
    length: u64,
    position: u64,
}

impl Parts {
    /// The whole file, in parts.
    pub fn finish(self) -> Vec<ArrayBuffer> {
        let part = |bytes: Vec<u8>| Uint8Array::from(bytes.as_slice()).buffer();
        let mut parts = vec![part(self.head)];
        parts.extend(self.done);
        parts.push(part(self.tail));
        parts
    }
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let start = self.position as usize;
        let count = if start < self.head.len() {
            let count = bytes.len().min(self.head.len() - start);
            self.head[start..start + count].copy_from_slice(&bytes[..count]);
            count
        } else if self.position != self.length {
            return Err(io::Error::other("only the first part can be written again"));
        } else if self.head.len() < PART_BYTES {
            self.head.extend_from_slice(bytes);
            bytes.len()
        } else {
            self.tail.extend_from_slice(bytes);
            if self.tail.len() >= PART_BYTES {
                self.done.push(Uint8Array::from(self.tail.as_slice()).buffer());
                self.tail.clear();
            }
            bytes.len()
        };
        self.position += count as u64;
        self.length = self.length.max(self.position);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Parts {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or_else(|| io::Error::other("before the start"))?;
        Ok(self.position)
    }
}
