//! The short-time Fourier transform on slices, by FFT.

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::{StftConfig, hann_window};

/// The spectrum of one signal: `frames` rows of `bins` coefficients.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    /// Coefficients, frame after frame.
    pub coefficients: Vec<Complex32>,
    /// Coefficients per frame.
    pub bins: usize,
}

impl Spectrum {
    /// The frames in time order, each of `bins` coefficients.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = &[Complex32]> {
        self.coefficients.chunks_exact(self.bins)
    }
}

/// A planned transform; cheap to use often.
pub struct SpectrumPlan {
    config: StftConfig,
    window: Vec<f32>,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
}

impl SpectrumPlan {
    /// Plans the transform of the given sizes.
    ///
    /// # Panics
    /// When [`StftConfig::validate`] would refuse the sizes.
    pub fn new(config: StftConfig) -> Self {
        config.validate().expect("validated sizes");
        let mut planner = RealFftPlanner::new();
        Self {
            config,
            window: hann_window(config.n_fft).into_iter().map(|gain| gain as f32).collect(),
            forward: planner.plan_fft_forward(config.n_fft),
            inverse: planner.plan_fft_inverse(config.n_fft),
        }
    }

    /// The spectrum of `signal`; the same figures as [`super::stft::Stft::forward`], with no normalisation.
    pub fn forward(&self, signal: &[f32]) -> Spectrum {
        let hop_length = self.config.hop_length;
        self.centred_on(signal, (0..self.config.frames(signal.len())).map(|t| t * hop_length))
    }

    /// Frames centred on any samples of `signal`, zeros assumed outside.
    pub fn centred_on(&self, signal: &[f32], centres: impl ExactSizeIterator<Item = usize>) -> Spectrum {
        let (n_fft, bins) = (self.config.n_fft, self.config.bins());
        let mut coefficients = vec![Complex32::default(); centres.len() * bins];
        let mut input = self.forward.make_input_vec();
        let mut scratch = self.forward.make_scratch_vec();
        for (centre, output) in centres.zip(coefficients.chunks_exact_mut(bins)) {
            for (i, (value, gain)) in input.iter_mut().zip(&self.window).enumerate() {
                let sample = (centre + i).checked_sub(n_fft / 2).and_then(|index| signal.get(index));
                *value = sample.map_or(0.0, |sample| sample * gain);
            }
            self.forward.process_with_scratch(&mut input, output, &mut scratch).expect("buffers made by the plan");
        }
        Spectrum { coefficients, bins }
    }

    /// The least-squares inverse, trimmed to `len` samples; as [`super::stft::Stft::inverse`].
    ///
    /// # Panics
    /// When the spectrum has another number of bins, or too few frames.
    pub fn inverse(&self, spectrum: &Spectrum, len: usize) -> Vec<f32> {
        let StftConfig { n_fft, hop_length } = self.config;
        assert!(spectrum.bins == self.config.bins() && spectrum.frames().len() >= self.config.frames(len));
        let mut signal = vec![0.0; len];
        let mut envelope = vec![0.0; len];
        let mut frame = self.inverse.make_input_vec();
        let mut output = self.inverse.make_output_vec();
        let mut scratch = self.inverse.make_scratch_vec();
        for (t, coefficients) in spectrum.frames().enumerate() {
            frame.copy_from_slice(coefficients);
            // A real signal has no imaginary part at 0 Hz and at Nyquist, whatever was done to the coefficients.
            frame[0].im = 0.0;
            frame[n_fft / 2].im = 0.0;
            self.inverse.process_with_scratch(&mut frame, &mut output, &mut scratch).expect("buffers made by the plan");
            for (i, (value, gain)) in output.iter().zip(&self.window).enumerate() {
                let Some(index) = (t * hop_length + i).checked_sub(n_fft / 2).filter(|&index| index < len) else {
                    continue;
                };
                signal[index] += value * gain / n_fft as f32;
                envelope[index] += gain * gain;
            }
        }
        signal.iter_mut().zip(&envelope).for_each(|(value, gain)| *value /= gain);
        signal
    }
}
