//! A recording being read, wherever it comes from.

use std::rc::Rc;

use js_sys::{ArrayBuffer, Float32Array};
use media::{Block, Damage, Encoding, Reader, Spec};
use shared::audio::check_rate;
use wasm_bindgen::{JsCast, JsValue};
use web::protocol::engine::TakeInput;
use web::protocol::{Failure, MAX_CHANNELS, MAX_SAMPLES};
use web_sys::Blob;

use crate::blob_reader::BlobReader;

/// Samples of each channel that are taken at a time from what is in memory.
const BLOCK_LENGTH: usize = 1 << 14;

/// What every track of a take has in common.
#[derive(Clone, Copy, Debug)]
pub struct TrackFormat {
    /// Samples per second.
    pub sample_rate_hz: u32,
    /// How many channels.
    pub channels: usize,
}

/// A recording being read.
pub struct RecordingSource {
    kind: OpenInput,
    /// What a file of the result is to hold. Rate and number of channels are checked.
    pub spec: Spec,
    /// Samples per channel, if that is known.
    pub length: Option<u64>,
    /// Samples per channel read so far.
    position: u64,
}

enum OpenInput {
    /// A file of any format, read in blocks.
    File(Box<Reader>),
    /// Samples that the browser decoded.
    Samples(Vec<Float32Array>),
    /// Samples in our own memory.
    Memory(Rc<Block>),
}

impl RecordingSource {
    /// The recording beside a request.
    ///
    /// # Errors
    /// When it cannot be read, or exceeds the limits of [`web::protocol`].
    pub fn open(input: TakeInput, beside: &[JsValue]) -> Result<Self, Failure> {
        let missing = || Failure::Other("the recording did not come with the request".into());
        match input {
            TakeInput::File => {
                let blob: &Blob = beside.first().and_then(JsCast::dyn_ref).ok_or_else(missing)?;
                let reader = Reader::new(BlobReader::open(blob))?;
                let (spec, length) = (Spec::like(reader.format()), reader.format().length);
                Self::new(OpenInput::File(Box::new(reader)), spec, length)
            }
            TakeInput::Samples { sample_rate_hz } => {
                let buffers = beside.iter().map(|buffer| buffer.dyn_ref::<ArrayBuffer>());
                let arrays: Option<Vec<_>> = buffers.map(|buffer| buffer.map(|b| Float32Array::new(b))).collect();
                let arrays = arrays.ok_or_else(missing)?;
                let length = arrays.iter().map(Float32Array::length).min().unwrap_or(0).into();
                let format = TrackFormat { sample_rate_hz, channels: arrays.len() };
                Self::new(OpenInput::Samples(arrays), format.spec(Encoding::Pcm16), Some(length))
            }
        }
    }

    /// A recording in memory, which was checked before.
    pub fn of_memory(samples: Rc<Block>, format: TrackFormat) -> Self {
        let length = samples.first().map(|channel| channel.len() as u64);
        Self { kind: OpenInput::Memory(samples), spec: format.spec(Encoding::Float32), length, position: 0 }
    }

    fn new(kind: OpenInput, spec: Spec, length: Option<u64>) -> Result<Self, Failure> {
        check_rate(spec.sample_rate_hz).map_err(|error| Failure::Other(error.to_string()))?;
        if spec.channels > MAX_CHANNELS {
            return Err(Failure::TooManyChannels(spec.channels));
        }
        if spec.channels == 0 {
            return Err(Failure::Empty);
        }
        let this = Self { kind, spec, length, position: 0 };
        if length.is_some_and(|length| this.samples(length) > MAX_SAMPLES as u64) {
            return Err(Failure::TooLong);
        }
        Ok(this)
    }

    /// Rate and channels.
    pub fn format(&self) -> TrackFormat {
        TrackFormat { sample_rate_hz: self.spec.sample_rate_hz, channels: self.spec.channels }
    }

    /// So many samples per channel over all channels.
    pub fn samples(&self, length: u64) -> u64 {
        length.saturating_mul(self.spec.channels as u64)
    }

    /// The next samples of each channel; none at the end.
    ///
    /// # Errors
    /// When the recording cannot be read to its end, is empty, is too long, or has a sample that is not finite.
    pub fn read(&mut self) -> Result<Option<Block>, Failure> {
        let start = self.position as usize;
        let block = match &mut self.kind {
            OpenInput::File(reader) => reader.read()?,
            OpenInput::Samples(arrays) => {
                let end = self.length.unwrap_or(0).min((start + BLOCK_LENGTH) as u64);
                let part = |array: &Float32Array| array.subarray(start as u32, end as u32).to_vec();
                (start < end as usize).then(|| arrays.iter().map(part).collect())
            }
            OpenInput::Memory(samples) => {
                let end = samples[0].len().min(start + BLOCK_LENGTH);
                (start < end).then(|| samples.iter().map(|channel| channel[start..end].to_vec()).collect())
            }
        };
        let Some(block) = block else { return self.end() };
        if block.iter().flatten().any(|sample| !sample.is_finite()) {
            return Err(Failure::Other("the recording has samples that are no finite numbers".into()));
        }
        self.position += block[0].len() as u64;
        if self.samples(self.position) > MAX_SAMPLES as u64 {
            return Err(Failure::TooLong);
        }
        Ok(Some(block))
    }

    /// Refuses a recording that ends without a sample, or without one that could be decoded: the browser may know its
    /// dialect.
    fn end(&self) -> Result<Option<Block>, Failure> {
        if self.position == 0 {
            return Err(Failure::Empty);
        }
        let lost: u64 = self.damage().iter().map(|damage| damage.length).sum();
        match self.damage().first() {
            Some(first) if lost >= self.position => {
                Err(Failure::NotAudio(format!("nothing in it can be decoded: {}", first.reason)))
            }
            _ => Ok(None),
        }
    }

    /// What could not be decoded of the part read so far.
    pub fn damage(&self) -> &[Damage] {
        match &self.kind {
            OpenInput::File(reader) => reader.damage(),
            OpenInput::Samples(_) | OpenInput::Memory(_) => &[],
        }
    }
}

impl TrackFormat {
    /// What a file with these is to hold, where nothing else is known about the recording.
    fn spec(self, encoding: Encoding) -> Spec {
        let Self { sample_rate_hz, channels } = self;
        Spec { sample_rate_hz, channels, channel_mask: None, encoding, metadata: Default::default() }
    }
}
