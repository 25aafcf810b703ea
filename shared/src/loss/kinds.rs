//! All losses by name, and how each compares signals.

use core::fmt;
use core::ops::Range;
use core::str::FromStr;

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::compressed_spectrum::CompressedSpectrum;
use super::loudness::Loudness;
use super::multi_resolution::MultiResolution;
use super::signals::Signals;
use super::waveform;
use crate::error::{Error, Result};

/// A loss by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Loss {
    /// Mean absolute error.
    L1,
    /// Mean absolute error of speech plus that of noise: Rethage, Pons and Serra 2018, "A Wavenet for Speech
    /// Denoising", where it is called the energy-conserving loss.
    ///
    /// With the noise `b = x - y` and its estimate `b̂ = x - ŷ` it is `|y - ŷ| + |b - b̂|`. The network gives `ŷ` alone, so
    /// that `b - b̂ = ŷ - y`: both terms are equal, and the loss is exactly twice [`Loss::L1`]. The name
    /// is for recipes that follow the paper, such as `wavenet`. The factor matters where losses are added up, and where
    /// gradients are clipped to a norm.
    EnergyConservingL1,
    /// Mean squared error.
    Mse,
    /// Weighted source-to-distortion ratio, from -1 (perfect) to 1: Choi et al. 2019, "Weighted-SDR loss".
    ///
    /// With the noise `z = x - y` and its estimate `ẑ = x - ŷ` it is `-α cos(y, ŷ) - (1 - α) cos(z, ẑ)`, where
    /// `α = |y|² / (|y|² + |z|²)`: clean items are judged by their speech, noise by what is left out.
    #[default]
    Wsdr,
    /// Multi-resolution STFT loss, 0 at best: Yamamoto, Song and Kim 2020, "Parallel WaveGAN", section 2.2.
    ///
    /// The mean over three resolutions of spectral convergence (equation 4), `‖|S| - |Ŝ|‖ / ‖|S|‖` in Frobenius norms,
    /// and the mean of `|ln |S| - ln |Ŝ||` over all coefficients (equation 5). It is blind to phase. Zeros are assumed
    /// outside of the signals (the authors mirror).
    MultiResolutionStft,
    /// Distance of power-law compressed spectra, 0 at best: Ephrat et al. 2018, "Looking to Listen at the Cocktail
    /// Party", and Braun and Tashev 2021, "A consolidated view of loss functions for supervised deep learning-based
    /// speech enhancement".
    ///
    /// The mean over all coefficients of `(|S|^c - |Ŝ|^c)² + ½ ||S|^c e^{jφ} - |Ŝ|^c e^{jφ̂}|²` with `c = 0.3`, of
    /// frames of 512 samples every 128, which are 32 ms and 8 ms at 16 kHz. Both signals are first divided by the root
    /// mean square of the clean one, or of the noisy one where the clean one is silent, so that level does not matter.
    ///
    /// Ours are the weights of 1 and 1/2, the level of the whole signal with its pauses, and a constant added to
    /// squared magnitudes, so that silence has a gradient.
    CompressedSpectrum,
    /// Level of the error in dB relative to the noisy signal, -40 at best: `10 log10((|ŷ - y|² + τ|x|²) / |x|²)` with
    /// `τ = 1e-4`. Wisdom et al. 2021, "What's all the FUSS about free universal sound separation data?", equation 4.
    ///
    /// Up to what an item has in common with all others it is the negative SNR of the estimate: halving the error
    /// counts the same, whether there was much noise or little, which cosines as in [`Loss::Wsdr`] hardly see.
    ///
    /// Ours is the reference: the paper takes the noisy signal for silent targets only, and the clean one elsewhere.
    ErrorLevel,
    /// By how many dB noise and error together are above the noise, 0 at best: `10 log10(1 + |ŷ - y|² / (|x - y|² + τ|x|²))` with
    /// `τ = 1e-4`. An estimate as far off as the input has 3 dB; one that is 10 dB better 0.4, and a gradient to match.
    ///
    /// Ours: as [`Loss::ErrorLevel`] it keeps good recordings good, and leaves it to other losses how noisy ones are denoised.
    Harm,
    /// How much is heard that should not be, or not heard that should be: the logarithm of a disturbance after ITU-T P.862 (PESQ), with
    /// gradients as in Martín-Doñas et al. 2018, "A deep learning loss function based on the perceptual evaluation of the speech quality".
    ///
    /// Power in Bark bands above the threshold of hearing becomes loudness by Zwicker's law; differences of less than a quarter are
    /// masked; the rest counts more where something was added (the asymmetry). `ln` of the root mean square over frames, about -3 to 4.
    /// As frames are given the clean signal's gain before, it is nearly blind to level, and it is blind to phase: add a loss that is not.
    ///
    /// Ours are bands and threshold by formula (Schroeder et al. 1979, Terhardt 1979), the weight of asymmetry, and that frames saturate
    /// smoothly at P.862's limit. P.862 also aligns time and spectrum, smooths gains, and gives loud moments a higher power.
    Loudness,
}

impl Loss {
    /// Every loss.
    pub const ALL: [Self; 9] = [
        Self::L1,
        Self::EnergyConservingL1,
        Self::Mse,
        Self::Wsdr,
        Self::MultiResolutionStft,
        Self::CompressedSpectrum,
        Self::ErrorLevel,
        Self::Harm,
        Self::Loudness,
    ];

    /// The name in files and on the command line, such as `multi-resolution-stft`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::L1 => "l1",
            Self::EnergyConservingL1 => "energy-conserving-l1",
            Self::Mse => "mse",
            Self::Wsdr => "wsdr",
            Self::MultiResolutionStft => "multi-resolution-stft",
            Self::CompressedSpectrum => "compressed-spectrum",
            Self::ErrorLevel => "error-level",
            Self::Harm => "harm",
            Self::Loudness => "loudness",
        }
    }

    /// The loss of `estimate` against `clean`, given the network's input `noisy`: the mean over the batch, `[1]`.
    ///
    /// # Panics
    /// When the signals differ in shape or are not `[batch, 1, samples]`.
    pub fn forward<B: Backend>(self, noisy: Tensor<B, 3>, clean: Tensor<B, 3>, estimate: Tensor<B, 3>) -> Tensor<B, 1> {
        self.per_item(noisy, clean, estimate, None).mean()
    }

    /// The loss of every item, of its samples in `counted` only; of all samples without.
    ///
    /// Each is what the stretch has as a signal of its own: padding after a short item, or context on both sides,
    /// changes neither the loss nor its gradient.
    ///
    /// # Shapes
    /// `[batch, 1, samples]` each, and as many ranges as items → `[batch]`
    ///
    /// # Panics
    /// When the signals differ in shape or are not `[batch, 1, samples]`, when there are more or fewer ranges than
    /// items, or when a range is empty or ends after the signals.
    pub fn per_item<B: Backend>(
        self,
        noisy: Tensor<B, 3>,
        clean: Tensor<B, 3>,
        estimate: Tensor<B, 3>,
        counted: Option<&[Range<usize>]>,
    ) -> Tensor<B, 1> {
        let compare = self.comparison::<B>(&clean.device());
        let (signals, differing) = Signals::new(noisy, clean, estimate).counted(counted);
        let Some(ranges) = differing else { return compare(signals) };
        match self {
            Self::L1 | Self::EnergyConservingL1 | Self::Mse => {
                let (masked, dilution) = signals.masked(ranges);
                compare(masked) * dilution
            }
            Self::Wsdr | Self::ErrorLevel | Self::Harm => compare(signals.masked(ranges).0),
            // Where a stretch starts decides where its frames are.
            Self::MultiResolutionStft | Self::CompressedSpectrum | Self::Loudness => {
                Tensor::cat(signals.stretches(ranges).map(compare).collect(), 0)
            }
        }
    }

    /// The loss of every item when all samples count.
    fn comparison<B: Backend>(self, device: &B::Device) -> Box<dyn Fn(Signals<B>) -> Tensor<B, 1>> {
        match self {
            Self::L1 => Box::new(waveform::l1),
            Self::EnergyConservingL1 => Box::new(waveform::energy_conserving_l1),
            Self::Mse => Box::new(waveform::mse),
            Self::Wsdr => Box::new(waveform::wsdr),
            Self::MultiResolutionStft => {
                let transforms = MultiResolution::new(device);
                Box::new(move |signals| transforms.compare(signals))
            }
            Self::CompressedSpectrum => {
                let transform = CompressedSpectrum::new(device);
                Box::new(move |signals| transform.compare(signals))
            }
            Self::ErrorLevel => Box::new(waveform::error_level),
            Self::Harm => Box::new(waveform::harm),
            Self::Loudness => {
                let bands = Loudness::new(device);
                Box::new(move |signals| bands.compare(signals))
            }
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Loss {
    type Err = Error;

    /// The loss of that [name](Self::name).
    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|loss| loss.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            Error::config("loss", format!("one of {known}"), format!("{name:?}"))
        })
    }
}
