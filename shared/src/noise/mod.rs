//! Making recordings noisy.
//!
//! | kind in a chain | what it does | where |
//! |---|---|---|
//! | `zero-small`, `raise-small` | small STFT coefficients become 0, or larger | [`small_coefficients`], [`stft`] |
//! | `white`, `pink`, `brown` | noise of a spectral slope | [`colour`] |
//! | `hum` | mains hum with harmonics | [`hum`] |
//! | `clicks`, `crackle` | impulses | [`clicks`] |
//! | `babble` | several talkers | [`babble`] |
//! | `recording` | recorded noise, looped with cross-fades | [`recording`] |
//! | `gain`, `clip` | level and clipping | [`level`], [`clipping`] |
//! | `band-limit` | a limited band | [`band_limit`] |
//! | `resample` | aliases and images of bad resampling | [`resampling`] |
//! | `drop-packets` | lost packets | [`packets`] |
//! | `room` | reverberation | [`room`] |
//!
//! A [`Chain`] is a list of them, as JSON. Drawing it with a seed fixes everything that is random; what is left, a
//! [`DrawnChain`], does the same to slices and to tensors on any device. Added noise is measured against speech
//! [while it is active](active_level).
//!
//! ```
//! use shared::Audio;
//! use shared::noise::{Chain, NoRecordings};
//!
//! let chain = Chain::from_json(r#"[{"kind": "pink", "snr_db": [0, 10]}, {"kind": "clip", "level": 0.5}]"#)?;
//! let clean = Audio::mono(16_000, (0..16_000).map(|i| (0.1 * i as f32).sin()).collect())?;
//! let noisy = chain.apply(&clean, 1, &NoRecordings)?;
//! assert_eq!(noisy.len(), clean.len());
//! assert_eq!(noisy, chain.apply(&clean, 1, &NoRecordings)?, "the same seed, the same noise");
//! # Ok::<(), shared::Error>(())
//! ```

pub mod active_level;
pub mod additive;
pub mod babble;
pub mod band_limit;
pub mod catalogue;
pub mod chain;
pub mod clicks;
pub mod clipping;
pub mod colour;
pub mod drawn;
pub mod fir;
pub mod hum;
pub mod level;
pub mod packets;
mod parameters;
pub mod pick;
pub mod recipe;
pub mod recording;
pub mod resampling;
pub mod room;
pub mod small_coefficients;
pub mod step;
pub mod stft;
pub mod value;

pub use active_level::{active_level_db, active_power};
pub use additive::mix;
pub use catalogue::{NoiseKind, NoiseNumber, catalogue};
pub use chain::Chain;
pub use colour::{brown, pink, white};
pub use drawn::{AGREEMENT, DrawnChain, DrawnStep, STFT_AGREEMENT};
pub use parameters::{NoRecordings, Recordings};
pub use recipe::NoiseRecipe;
pub use recording::loop_to;
pub use step::{ChainStep, Noise, NoiseGroup};
pub use stft::{Corruption, RaisedPhase, Threshold};
pub use value::Value;
