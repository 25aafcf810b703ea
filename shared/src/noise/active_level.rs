//! How loud speech is while somebody speaks.
//!
//! The energy of a recording over its length says as much about its pauses as about its voice. What counts here is the
//! *active level*, in the manner of ITU-T P.56 (method B): all the energy, over the time in which somebody speaks. Speech is
//! active where its power is above a threshold that lies 15.9 dB below the active level itself, and for 200 ms after.
//!
//! Level and threshold depend on each other. Both are found by going up from the power of the whole: with threshold
//! `m · P` (`m` = −15.9 dB) active frames are counted, `P` becomes the energy over their length, and so on, twelve times. Each
//! round can only shorten the active time and raise `P`, so this climbs to the lowest level that agrees with its threshold.
//! It cannot climb past the loudest frame: the `k`-th loudest of `n` frames would have to stay below `m / k` of all the
//! energy for every `k`, which adds up to less than the whole unless `n > 10^16`.
//!
//! Deviation from P.56: power is measured in frames of 20 ms, not by an exponential envelope of 30 ms, which would have to be
//! computed sample by sample on a device, too.

use burn::prelude::*;
use burn::tensor::ops::PadMode;

/// Frames a second.
const FRAMES_PER_SECOND: f64 = 50.0;
/// Frames that stay active after one that is: 200 ms.
const HANGOVER: usize = 10;
/// The threshold over the active level, as a ratio of powers: −15.9 dB.
const MARGIN: f64 = 0.025_703_957_827_688_637;
/// Rounds of the search; speech settles in three to six.
const ROUNDS: usize = 12;

fn frame_length(sample_rate_hz: u32) -> usize {
    (f64::from(sample_rate_hz) / FRAMES_PER_SECOND).round().max(1.0) as usize
}

/// Mean square of `signal` while it is active (see the [module](self)), in the square of the samples' unit; 0 for silence.
pub fn active_power(signal: &[f32], sample_rate_hz: u32) -> f64 {
    let frame = frame_length(sample_rate_hz);
    let frames: Vec<(f64, f64)> = signal.chunks(frame).map(|chunk| (energy(chunk), chunk.len() as f64)).collect();
    let total: f64 = frames.iter().map(|(energy, _)| energy).sum();
    let mut power = total / signal.len().max(1) as f64;
    for _ in 0..ROUNDS {
        let mut left = 0;
        let mut active = 0.0;
        for &(energy, len) in &frames {
            left = if energy / len > power * MARGIN { HANGOVER + 1 } else { left };
            active += if left > 0 { len } else { 0.0 };
            left = left.saturating_sub(1);
        }
        power = if active > 0.0 { total / active } else { power };
    }
    power
}

/// [`active_power`] in dB re full scale (a mean square of 1); −∞ for silence.
pub fn active_level_db(signal: &[f32], sample_rate_hz: u32) -> f64 {
    10.0 * active_power(signal, sample_rate_hz).log10()
}

/// [`active_power`] as tensor code, of every row.
///
/// # Shapes
/// `[batch, samples]` → `[batch, 1]`
pub fn active_power_on<B: Backend>(signals: Tensor<B, 2>, sample_rate_hz: u32) -> Tensor<B, 2> {
    let [batch, samples] = signals.dims();
    let device = signals.device();
    let frame = frame_length(sample_rate_hz);
    let count = samples.div_ceil(frame);
    let energies: Tensor<B, 2> = signals
        .pad([(0, 0), (0, count * frame - samples)], PadMode::Constant(0.0))
        .reshape([batch, count, frame])
        .powi_scalar(2)
        .sum_dim(2)
        .squeeze_dim(2);
    let lengths: Vec<f32> = (0..count).map(|index| frame.min(samples - index * frame) as f32).collect();
    let lengths = Tensor::<B, 1>::from_data(TensorData::new(lengths, [count]), &device).unsqueeze::<2>();
    let powers = energies.clone() / lengths.clone();
    let total = energies.sum_dim(1);
    let mut power = total.clone() / samples as f64;
    for _ in 0..ROUNDS {
        let mut active = powers.clone().greater(power.clone().mul_scalar(MARGIN).expand([batch, count])).float();
        // In four steps a frame reaches all of the ten that follow it.
        for shift in [1, 2, 4, HANGOVER - 7].into_iter().filter(|&shift| shift < count) {
            let earlier = active.clone().narrow(1, 0, count - shift).pad([(0, 0), (shift, 0)], PadMode::Constant(0.0));
            active = active.max_pair(earlier);
        }
        let active = (active * lengths.clone()).sum_dim(1);
        power = (total.clone() / active.clone().clamp_min(1.0)).mask_where(active.equal_elem(0.0), power);
    }
    power
}

/// Sum of squares.
pub(crate) fn energy(samples: &[f32]) -> f64 {
    samples.iter().map(|&sample| f64::from(sample).powi(2)).sum()
}
