//! What becomes of the band above the network's: it follows what the network did to its own top octave.
//!
//! A network at 16 kHz says nothing about what a recording at 48 kHz has above 8 kHz. Hiss there goes with hiss below, and
//! sibilants reach up there from below; so the upper band is attenuated, frame by frame, as the octave under it was.

use std::collections::VecDeque;
use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};

use crate::dsp::{StftConfig, hann_window};

/// Frames on which the attenuation is measured, at the network's rate: 32 ms every 8 ms at 16 kHz.
const FRAMES: StftConfig = StftConfig { n_fft: 512, hop_length: 128 };
/// The same where they must not be waited for: 8 ms every 2 ms.
const SHORT_FRAMES: StftConfig = StftConfig { n_fft: 128, hop_length: 32 };

/// Measures the upper band's gain, frame by frame: `sqrt(E_after / E_before)`, at most 1, with energies of the top octave
/// `rate / 4 .. rate / 2` of what went into the network and what came out.
pub struct UpperBand {
    frames: StftConfig,
    window: Vec<f32>,
    transform: Arc<dyn RealToComplex<f32>>,
    scratch: Vec<Complex32>,
    frame: Vec<f32>,
    spectrum: Vec<Complex32>,
    /// Signals before and after the network, from the start of the next frame on; half a frame of silence is taken to precede
    /// them.
    signals: [VecDeque<f32>; 2],
    /// Gains from frame `first_gain` on.
    gains: VecDeque<f32>,
    first_gain: usize,
}

impl UpperBand {
    /// At the start of a signal. Frames are shorter where they must not be waited for.
    pub fn new(low_latency: bool) -> Self {
        let frames = if low_latency { SHORT_FRAMES } else { FRAMES };
        let transform = RealFftPlanner::new().plan_fft_forward(frames.n_fft);
        let silence = || VecDeque::from(vec![0.0; frames.n_fft / 2]);
        Self {
            frames,
            window: hann_window(frames.n_fft).into_iter().map(|gain| gain as f32).collect(),
            scratch: transform.make_scratch_vec(),
            frame: transform.make_input_vec(),
            spectrum: transform.make_output_vec(),
            transform,
            signals: [silence(), silence()],
            gains: VecDeque::new(),
            first_gain: 0,
        }
    }

    /// Samples at the network's rate that are held back, at most.
    pub fn latency(&self) -> usize {
        self.frames.n_fft / 2 + self.frames.hop_length
    }

    /// Takes as many samples from before the network as from after it.
    pub fn push(&mut self, before: &[f32], after: &[f32]) {
        for (signal, samples) in self.signals.iter_mut().zip([before, after]) {
            signal.extend(samples);
        }
        let StftConfig { n_fft, hop_length } = self.frames;
        while self.signals[0].len() >= n_fft {
            let [before, after] = [0, 1].map(|index| self.top_octave(index));
            self.gains.push_back(if before > 0.0 { (after / before).sqrt().min(1.0) as f32 } else { 1.0 });
            for signal in &mut self.signals {
                signal.drain(..hop_length);
            }
        }
    }

    /// The rest, as the signals end here. Nothing may follow.
    pub fn flush(&mut self) {
        let silence = vec![0.0; self.frames.n_fft];
        self.push(&silence, &silence);
    }

    /// Energy of one signal's next frame in the top octave.
    fn top_octave(&mut self, index: usize) -> f64 {
        for ((value, sample), gain) in self.frame.iter_mut().zip(&self.signals[index]).zip(&self.window) {
            *value = sample * gain;
        }
        self.transform
            .process_with_scratch(&mut self.frame, &mut self.spectrum, &mut self.scratch)
            .expect("buffers made by the plan");
        self.spectrum[self.frames.n_fft / 4..]
            .iter()
            .map(|bin| f64::from(bin.re).powi(2) + f64::from(bin.im).powi(2))
            .sum()
    }

    /// Samples at the network's rate, from the start, for which the gain is known.
    pub fn known(&self) -> u64 {
        ((self.first_gain + self.gains.len()).saturating_sub(1) * self.frames.hop_length) as u64
    }

    /// The gain at a time in samples at the network's rate, linear between frames. Forgets all before it.
    pub fn gain(&mut self, time: f64) -> f32 {
        let position = time / self.frames.hop_length as f64;
        let frame = position as usize;
        while self.first_gain < frame && self.gains.len() > 1 {
            self.gains.pop_front();
            self.first_gain += 1;
        }
        let part = (position - self.first_gain as f64).clamp(0.0, 1.0) as f32;
        let here = self.gains.front().copied().unwrap_or(1.0);
        let there = self.gains.get(1).copied().unwrap_or(here);
        here + (there - here) * part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tone at three eighths of the rate, in the middle of the top octave.
    fn tone(len: usize) -> Vec<f32> {
        (0..len).map(|i| (0.75 * core::f32::consts::PI * i as f32).sin()).collect()
    }

    fn gains(before: &[f32], after: &[f32], block_length: usize) -> Vec<f32> {
        let mut band = UpperBand::new(false);
        let mut pushed = 0;
        for (before, after) in before.chunks(block_length).zip(after.chunks(block_length)) {
            band.push(before, after);
            pushed += before.len() as u64;
            assert!(band.known() + band.latency() as u64 >= pushed);
        }
        band.flush();
        assert!(band.known() >= before.len() as u64);
        (0..before.len()).map(|time| band.gain(time as f64)).collect()
    }

    #[test]
    fn follows_the_top_octave_and_nothing_else() {
        let before = tone(8_000);
        // Halved in its second half; a loud tone below the octave comes and goes without effect.
        let low = |i: usize| 5.0 * (0.1 * core::f32::consts::PI * i as f32).sin();
        let after: Vec<f32> =
            before.iter().enumerate().map(|(i, x)| if i < 4_000 { *x } else { 0.5 * x } + low(i)).collect();
        let whole = gains(&before, &after, 8_000);
        assert!(whole[..3_700].iter().all(|gain| (gain - 1.0).abs() < 0.02), "{:?}", &whole[3_000..3_010]);
        assert!(whole[4_300..].iter().all(|gain| (gain - 0.5).abs() < 0.02), "{:?}", &whole[5_000..5_010]);
        assert!(whole.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.01), "a jump");
        for block_length in [1, 127, 129, 1_000] {
            assert_eq!(gains(&before, &after, block_length), whole);
        }
    }

    #[test]
    fn never_amplifies_and_leaves_silence() {
        let (quiet, loud) = (tone(2_000), tone(2_000).iter().map(|x| 9.0 * x).collect::<Vec<_>>());
        assert!(gains(&quiet, &loud, 500).iter().all(|&gain| gain == 1.0));
        assert!(gains(&[0.0; 2_000], &[0.0; 2_000], 500).iter().all(|&gain| gain == 1.0));
        assert_eq!(gains(&[0.5], &[0.25], 1).len(), 1);
    }
}
