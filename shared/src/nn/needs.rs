//! What a network needs to run, and how much of it a configuration may ask for.
//!
//! Cost does not follow from a network's size: a U-Net of 5 000 parameters with a hop of one sample needs terabytes. So every
//! configuration is checked before anything is allocated, and a bundle from a stranger cannot hang or exhaust the machine.

use super::shape::NetworkShape;
use crate::error::{Error, Result};

/// Samples at the network's rate in a piece of a recording, unless chosen otherwise: 8 s at 16 kHz.
pub const PIECE_LENGTH: usize = 128_000;
/// Most multiply-accumulates for a second of audio: 5 times those of the paper's WaveNet at 16 kHz.
pub const MAX_MACS_PER_SECOND: f64 = 5e11;
/// Most memory for one piece of a recording, in bytes: 4 times what the paper's WaveNet takes.
pub const MAX_PIECE_BYTES: u64 = 16 << 30;
/// Largest [`NetworkShape::latency`] in samples: 4 times that of DCUnet-20.
pub const MAX_LATENCY: usize = 1 << 17;
/// Largest [`NetworkShape::alignment`] in samples: 4 times that of DCUnet-20. Even the shortest recording is padded to it.
pub const MAX_ALIGNMENT: usize = 1 << 14;
/// Sampling rate at which a configuration is checked that does not come with one, in Hz: the presets'.
const USUAL_RATE_HZ: u32 = 16_000;

pub(super) fn macs_per_second(shape: &dyn NetworkShape, sample_rate_hz: u32) -> f64 {
    shape.macs() as f64 * f64::from(sample_rate_hz) / shape.alignment() as f64
}

/// Memory to denoise one piece of the default length with its context, estimated in bytes.
pub(super) fn piece_bytes(shape: &dyn NetworkShape) -> u64 {
    let length = PIECE_LENGTH.next_multiple_of(shape.alignment());
    size_of::<f32>() as u64 * shape.working_values((length + 2 * shape.context()) as u64)
}

/// Checks what does not depend on the sampling rate, and the computation at 16 kHz.
pub(super) fn validate(shape: &dyn NetworkShape) -> Result<()> {
    if shape.alignment() > MAX_ALIGNMENT {
        let expected = format!("at most {MAX_ALIGNMENT} samples (use smaller strides)");
        return Err(Error::config("alignment", expected, shape.alignment()));
    }
    if shape.latency() > MAX_LATENCY {
        let expected = format!("at most {MAX_LATENCY} samples (use fewer layers, or smaller kernels and strides)");
        return Err(Error::config("context and alignment", expected, shape.latency()));
    }
    let bytes = piece_bytes(shape);
    if bytes > MAX_PIECE_BYTES {
        let gib = |bytes: u64| format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30));
        let expected = format!("at most {} (use fewer channels, or a longer hop or stride)", gib(MAX_PIECE_BYTES));
        return Err(Error::config("memory for one piece", expected, gib(bytes)));
    }
    validate_macs(shape, USUAL_RATE_HZ)
}

/// Checks that the network can be run at this sampling rate in reasonable time.
pub(super) fn validate_macs(shape: &dyn NetworkShape, sample_rate_hz: u32) -> Result<()> {
    let macs = macs_per_second(shape, sample_rate_hz);
    if macs <= MAX_MACS_PER_SECOND {
        return Ok(());
    }
    let billions = |macs: f64| format!("{:.0} billion", macs / 1e9);
    let expected = format!("at most {} (use fewer channels, or a longer hop or stride)", billions(MAX_MACS_PER_SECOND));
    let got = format!("{} at {sample_rate_hz} Hz", billions(macs));
    Err(Error::config("multiply-accumulates per second of audio", expected, got))
}
