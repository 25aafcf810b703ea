//! A recording being read, wherever it comes from.

use std::io::Read;
use std::rc::Rc;

use js_sys::{ArrayBuffer, Float32Array};
use shared::audio::check_rate;
use wasm_bindgen::{JsCast, JsValue};
use web::protocol::{Failure, Input, MAX_CHANNELS, MAX_SAMPLES};
use web_sys::Blob;

use crate::decoder::Decoder;
use crate::file::File;
use crate::wav_file::WavFile;

/// Samples of each channel that are taken at a time from what is in memory.
const BLOCK_LENGTH: usize = 1 << 14;

/// Samples of each channel, all of one length.
pub type Block = Vec<Vec<f32>>;

/// What every track of a take has in common.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Samples per second.
    pub sample_rate_hz: u32,
    /// How many channels.
    pub channels: usize,
}

/// A recording being read.
pub struct Source {
    kind: Kind,
    /// Rate and channels; checked.
    pub format: Format,
    /// Samples per channel, if that is known.
    pub length: Option<u64>,
    /// Bits per sample, as the protocol wants them.
    pub bits: u16,
    /// Samples per channel read so far.
    position: u64,
}

enum Kind {
    Wav(Box<WavFile>),
    Decoded(Box<Decoder>),
    /// From samples that the browser decoded.
    Samples(Vec<Float32Array>),
    /// From our own memory.
    Memory(Rc<Block>),
}

impl Source {
    /// The recording beside a request.
    ///
    /// # Errors
    /// When it is none, or one that we do not take.
    pub fn open(input: Input, beside: &[JsValue]) -> Result<Self, Failure> {
        match input {
            Input::File => {
                let blob: &Blob = beside.first().and_then(JsCast::dyn_ref).ok_or(Failure::NotAudio)?;
                Self::of_file(blob)
            }
            Input::Samples { sample_rate_hz } => {
                let buffers = beside.iter().map(|buffer| buffer.dyn_ref::<ArrayBuffer>());
                let arrays: Option<Vec<_>> = buffers.map(|buffer| buffer.map(|b| Float32Array::new(b))).collect();
                let arrays = arrays.ok_or(Failure::NotAudio)?;
                let length = arrays.iter().map(Float32Array::length).min().unwrap_or(0).into();
                let format = Format { sample_rate_hz, channels: arrays.len() };
                Self::new(Kind::Samples(arrays), format, Some(length), 16)
            }
        }
    }

    /// A recording in memory, which was taken before.
    pub fn of_memory(samples: Rc<Block>, format: Format) -> Self {
        let length = samples.first().map(|channel| channel.len() as u64);
        Self { kind: Kind::Memory(samples), format, length, bits: 32, position: 0 }
    }

    fn of_file(blob: &Blob) -> Result<Self, Failure> {
        let mut start = [0; 12];
        let mut file = File::open(blob);
        if file.length() == 0 {
            return Err(Failure::Empty);
        }
        let whole = file.read_exact(&mut start).is_ok();
        if whole
            && start.starts_with(b"RIFF")
            && start.ends_with(b"WAVE")
            && let Some(wav) = WavFile::open(blob)?
        {
            let format = Format { sample_rate_hz: wav.sample_rate_hz(), channels: wav.channels() };
            let (length, bits) = (Some(wav.length()), wav.bits());
            return Self::new(Kind::Wav(Box::new(wav)), format, length, bits);
        }
        let decoder = Decoder::open(File::open(blob))?;
        let format = Format { sample_rate_hz: decoder.sample_rate_hz(), channels: decoder.channels() };
        let (length, bits) = (decoder.length(), decoder.bits());
        Self::new(Kind::Decoded(Box::new(decoder)), format, length, bits)
    }

    fn new(kind: Kind, format: Format, length: Option<u64>, bits: u16) -> Result<Self, Failure> {
        check_rate(format.sample_rate_hz).map_err(|error| Failure::Other(error.to_string()))?;
        if format.channels > MAX_CHANNELS {
            return Err(Failure::TooManyChannels(format.channels));
        }
        // A decoder that knows no length may give 0, and has a first packet all the same.
        let length = length.filter(|&length| length > 0 || !matches!(kind, Kind::Decoded(_)));
        if length == Some(0) || format.channels == 0 {
            return Err(Failure::Empty);
        }
        let this = Self { kind, format, length, bits, position: 0 };
        if length.is_some_and(|length| this.samples(length) > MAX_SAMPLES as u64) {
            return Err(Failure::TooLong);
        }
        Ok(this)
    }

    /// So many samples per channel over all channels.
    pub fn samples(&self, length: u64) -> u64 {
        length.saturating_mul(self.format.channels as u64)
    }

    /// The next samples; none at the end.
    ///
    /// # Errors
    /// When the recording cannot be read any more, gets too long, or a sample is not finite.
    pub fn read(&mut self) -> Result<Option<Block>, Failure> {
        let start = self.position as usize;
        let block = match &mut self.kind {
            Kind::Wav(wav) => wav.read()?,
            Kind::Decoded(decoder) => decoder.read()?,
            Kind::Samples(arrays) => {
                let end = self.length.unwrap_or(0).min((start + BLOCK_LENGTH) as u64);
                let part = |array: &Float32Array| array.subarray(start as u32, end as u32).to_vec();
                (start < end as usize).then(|| arrays.iter().map(part).collect())
            }
            Kind::Memory(samples) => {
                let end = samples[0].len().min(start + BLOCK_LENGTH);
                (start < end).then(|| samples.iter().map(|channel| channel[start..end].to_vec()).collect())
            }
        };
        let Some(block) = block else { return Ok(None) };
        if block.iter().flatten().any(|sample| !sample.is_finite()) {
            return Err(Failure::Other("the recording has samples that are no finite numbers".into()));
        }
        self.position += block[0].len() as u64;
        if self.samples(self.position) > MAX_SAMPLES as u64 {
            return Err(Failure::TooLong);
        }
        Ok(Some(block))
    }
}
