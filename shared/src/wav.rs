//! WAV files as bytes.

use std::io::{Cursor, Read};

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use crate::audio::Audio;
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

/// Reads a WAV file: 8 to 32 bit integers or 32-bit floats, any number of channels.
///
/// Returns the recording and the encoding that keeps its precision.
///
/// # Errors
/// When the bytes are not such a file, or its content fails [`Audio::new`].
pub fn decode(bytes: impl Read) -> Result<(Audio, Encoding)> {
    let mut reader = WavReader::new(bytes)?;
    let spec = reader.spec();
    let count = usize::from(spec.channels);
    if count == 0 {
        return Err(Error::audio("channels", "at least 1", 0));
    }
    let mut channels = vec![Vec::new(); count];
    let mut deinterleave = |index: usize, sample: f32| channels[index % count].push(sample);
    match spec.sample_format {
        SampleFormat::Float => {
            for (index, sample) in reader.samples::<f32>().enumerate() {
                deinterleave(index, sample?);
            }
        }
        SampleFormat::Int => {
            let scale = 1.0 / 2f32.powi(i32::from(spec.bits_per_sample) - 1);
            for (index, sample) in reader.samples::<i32>().enumerate() {
                deinterleave(index, sample? as f32 * scale);
            }
        }
    }
    Ok((Audio::new(spec.sample_rate, channels)?, Encoding::of(spec)))
}

/// Writes a recording as a WAV file.
///
/// # Errors
/// When it does not fit the format: more than 65 535 channels, or 4 GiB of samples.
pub fn encode(audio: &Audio, encoding: Encoding) -> Result<Vec<u8>> {
    let channels = u16::try_from(audio.channels().len())
        .map_err(|_| Error::audio("channels", "at most 65535", audio.channels().len()))?;
    let (bits_per_sample, sample_format) = match encoding {
        Encoding::Pcm16 => (16, SampleFormat::Int),
        Encoding::Pcm24 => (24, SampleFormat::Int),
        Encoding::Float32 => (32, SampleFormat::Float),
    };
    let data_bytes = audio.len() as u64 * u64::from(channels) * u64::from(bits_per_sample / 8);
    if data_bytes > u64::from(u32::MAX) - 1024 {
        return Err(Error::audio("length", "less than 4 GiB of samples in a WAV file", format!("{data_bytes} bytes")));
    }
    let spec = WavSpec { channels, sample_rate: audio.sample_rate_hz(), bits_per_sample, sample_format };
    let mut bytes = Cursor::new(Vec::with_capacity(data_bytes as usize + 128));
    let mut writer = WavWriter::new(&mut bytes, spec)?;
    let peak = 2f32.powi(i32::from(bits_per_sample) - 1);
    for index in 0..audio.len() {
        for channel in audio.channels() {
            match sample_format {
                SampleFormat::Float => writer.write_sample(channel[index])?,
                SampleFormat::Int => {
                    writer.write_sample((channel[index] * peak).round().clamp(-peak, peak - 1.0) as i32)?;
                }
            }
        }
    }
    writer.finalize()?;
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
