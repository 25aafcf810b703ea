//! What training minimises, of waveforms `[batch, 1, samples]`: one [`Loss`], or an [`Objective`] of several.
//!
//! | loss | range | good for | source |
//! |---|---|---|---|
//! | `l1` | 0 at best | waveforms, where a few large errors shall not rule | |
//! | `energy-conserving-l1` | 0 at best | following the paper: twice `l1`, see [`Loss::EnergyConservingL1`] | Rethage et al. 2018 |
//! | `mse` | 0 at best | waveforms, where large errors matter most; loud items rule | |
//! | `wsdr` | -1 (best) to 1 | the ratio of speech to error at any level, and items without speech | Choi et al. 2019 |
//! | `multi-resolution-stft` | 0 at best | spectra in short and long frames; blind to phase | Yamamoto et al. 2020 |
//! | `compressed-spectrum` | 0 at best | quiet speech, at any level | Ephrat et al. 2018, Braun and Tashev 2021 |
//! | `error-level` | -40 (best) dB up | little noise as much as loud noise, and items without speech | Wisdom et al. 2021 |
//! | `harm` | 0 dB at best | recordings with little noise, which others may spoil; hardly cares for those with much | |
//! | `loudness` | -3 (best) to 4 | what is heard: PESQ, of which it is a likeness; nearly blind to phase and level | ITU-T P.862, Martín-Doñas et al. 2018 |
//!
//! ```
//! use burn::backend::Flex;
//! use burn::tensor::Tensor;
//! use shared::loss::Loss;
//!
//! let device = Default::default();
//! let signal = |samples: [f32; 4]| Tensor::<Flex, 3>::from_data([[samples]], &device);
//! let [noisy, clean] = [signal([1.0, 0.0, 1.0, 0.0]), signal([1.0, -1.0, 1.0, -1.0])];
//! let loss: Loss = "l1".parse()?;
//! assert_eq!(loss.forward(noisy.clone(), clean, noisy).into_scalar(), 0.5);
//! # Ok::<(), shared::Error>(())
//! ```

mod compressed_spectrum;
mod kinds;
mod loudness;
mod multi_resolution;
mod objective;
mod signals;
mod waveform;

pub use kinds::Loss;
pub use objective::Objective;
