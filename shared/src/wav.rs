//! WAV files as bytes: whole, or bit by bit.

use std::io::{Cursor, Read, Seek, Write};

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use crate::audio::{Audio, check_rate};
use crate::error::{Error, Result};

/// How the samples of a WAV file are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// 16-bit integers; what falls outside full scale is clipped.
    #[default]
    Pcm16,
    /// 24-bit integers; what falls outside full scale is clipped.
    Pcm24,
    /// 32-bit floats; nothing is clipped.
    Float32,
}

impl Encoding {
    /// The encoding that keeps what a file with these `bits` per sample held.
    fn of(spec: WavSpec) -> Self {
        match (spec.sample_format, spec.bits_per_sample) {
            (SampleFormat::Float, _) => Self::Float32,
            (SampleFormat::Int, ..=16) => Self::Pcm16,
            (SampleFormat::Int, _) => Self::Pcm24,
        }
    }
}

/// A WAV file being read, bit by bit.
pub struct Reader<R> {
    inner: WavReader<R>,
}

impl<R: Read> Reader<R> {
    /// Reads the header. 8 to 32 bit integers and 32-bit floats can be read, in any number of channels.
    ///
    /// # Errors
    /// When the bytes are not such a file.
    pub fn new(bytes: R) -> Result<Self> {
        let inner = WavReader::new(bytes)?;
        if inner.spec().channels == 0 {
            return Err(Error::audio("channels", "at least 1", 0));
        }
        check_rate(inner.spec().sample_rate)?;
        Ok(Self { inner })
    }

    /// Samples per second, as the header says.
    pub fn sample_rate_hz(&self) -> u32 {
        self.inner.spec().sample_rate
    }

    /// Channels, at least 1.
    pub fn channels(&self) -> usize {
        self.inner.spec().channels.into()
    }

    /// Samples per channel, as the header says.
    pub fn length(&self) -> u64 {
        self.inner.duration().into()
    }

    /// The encoding that keeps the file's precision.
    pub fn encoding(&self) -> Encoding {
        Encoding::of(self.inner.spec())
    }

    /// The next `length` samples of each channel; fewer at the file's end, and then none.
    ///
    /// # Errors
    /// When the file is cut short or broken.
    pub fn read(&mut self, length: usize) -> Result<Vec<Vec<f32>>> {
        let (spec, count) = (self.inner.spec(), self.channels());
        let mut channels = vec![Vec::with_capacity(length); count];
        let mut deinterleave = |index: usize, sample: f32| channels[index % count].push(sample);
        match spec.sample_format {
            SampleFormat::Float => {
                for (index, sample) in self.inner.samples::<f32>().take(length * count).enumerate() {
                    deinterleave(index, sample?);
                }
            }
            SampleFormat::Int => {
                let scale = 1.0 / 2f32.powi(i32::from(spec.bits_per_sample) - 1);
                for (index, sample) in self.inner.samples::<i32>().take(length * count).enumerate() {
                    deinterleave(index, sample? as f32 * scale);
                }
            }
        }
        Ok(channels)
    }
}

/// A WAV file being written, bit by bit. It is whole after [`Writer::finish`] only.
pub struct Writer<W: Write + Seek> {
    inner: WavWriter<W>,
    /// Bytes of samples that the format has room for.
    room: u64,
}

impl<W: Write + Seek> Writer<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// When there are more than 65 535 channels, or `bytes` fail.
    pub fn new(bytes: W, sample_rate_hz: u32, channels: usize, encoding: Encoding) -> Result<Self> {
        let channels = u16::try_from(channels).map_err(|_| Error::audio("channels", "at most 65535", channels))?;
        let (bits_per_sample, sample_format) = match encoding {
            Encoding::Pcm16 => (16, SampleFormat::Int),
            Encoding::Pcm24 => (24, SampleFormat::Int),
            Encoding::Float32 => (32, SampleFormat::Float),
        };
        let spec = WavSpec { channels, sample_rate: sample_rate_hz, bits_per_sample, sample_format };
        Ok(Self { inner: WavWriter::new(bytes, spec)?, room: u64::from(u32::MAX) - 1024 })
    }

    /// Writes samples of each channel, all of one length.
    ///
    /// # Errors
    /// When there would be more than 4 GiB of them, or the bytes fail.
    pub fn write(&mut self, channels: &[Vec<f32>]) -> Result<()> {
        let spec = self.inner.spec();
        let length = channels.first().map_or(0, Vec::len);
        let bytes = length as u64 * channels.len() as u64 * u64::from(spec.bits_per_sample / 8);
        let left = self.room.checked_sub(bytes);
        self.room = left.ok_or_else(|| {
            Error::audio(
                "length",
                "less than 4 GiB of samples in a WAV file",
                "more; cut the recording, or take 16 bits",
            )
        })?;
        let peak = 2f32.powi(i32::from(spec.bits_per_sample) - 1);
        for index in 0..length {
            for channel in channels {
                match spec.sample_format {
                    SampleFormat::Float => self.inner.write_sample(channel[index])?,
                    SampleFormat::Int => {
                        let sample = (channel[index] * peak).round().clamp(-peak, peak - 1.0);
                        self.inner.write_sample(sample as i32)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Completes the header.
    ///
    /// # Errors
    /// When the bytes fail.
    pub fn finish(self) -> Result<()> {
        Ok(self.inner.finalize()?)
    }
}

/// Reads a whole WAV file as [`Reader`] does.
///
/// Returns the recording and the encoding that keeps its precision.
///
/// # Errors
/// When the bytes are not such a file, or its content fails [`Audio::new`].
pub fn decode(bytes: impl Read) -> Result<(Audio, Encoding)> {
    let mut reader = Reader::new(bytes)?;
    let mut channels = vec![Vec::new(); reader.channels()];
    loop {
        let block = reader.read(1 << 16)?;
        if block[0].is_empty() {
            return Ok((Audio::new(reader.sample_rate_hz(), channels)?, reader.encoding()));
        }
        for (channel, samples) in channels.iter_mut().zip(block) {
            channel.extend(samples);
        }
    }
}

/// Writes a recording as a WAV file.
///
/// # Errors
/// When it does not fit the format: more than 65 535 channels, or 4 GiB of samples.
pub fn encode(audio: &Audio, encoding: Encoding) -> Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = Writer::new(&mut bytes, audio.sample_rate_hz(), audio.channels().len(), encoding)?;
    writer.write(audio.channels())?;
    writer.finish()?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_a_round_trip_in_every_encoding() {
        let audio = Audio::new(44_100, vec![vec![0.0, 0.5, -1.0], vec![0.25, -0.125, 0.75]]).expect("valid");
        for encoding in [Encoding::Pcm16, Encoding::Pcm24, Encoding::Float32] {
            let bytes = encode(&audio, encoding).expect("fits");
            assert_eq!(decode(bytes.as_slice()).expect("own file"), (audio.clone(), encoding));
        }
    }

    #[test]
    fn clips_integers_but_not_floats() {
        let audio = Audio::mono(16_000, vec![2.0, -2.0]).expect("valid");
        let pcm = encode(&audio, Encoding::Pcm16).expect("fits");
        assert_eq!(decode(pcm.as_slice()).expect("own file").0.channels()[0], [32767.0 / 32768.0, -1.0]);
        let float = encode(&audio, Encoding::Float32).expect("fits");
        assert_eq!(decode(float.as_slice()).expect("own file").0, audio);
    }

    #[test]
    fn refuses_other_bytes_and_a_file_cut_anywhere() {
        for bytes in [b"".as_slice(), b"PK\x03\x04 renamed to .wav"] {
            assert!(matches!(decode(bytes), Err(Error::Wav(_))));
        }
        let whole = encode(&Audio::mono(16_000, vec![0.1; 8]).expect("valid"), Encoding::Pcm16).expect("fits");
        for length in 0..whole.len() {
            decode(&whole[..length]).expect_err("cut file");
        }
    }
}
