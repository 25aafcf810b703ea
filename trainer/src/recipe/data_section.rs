//! `[data]`: what is trained on.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// `[data]`
///
/// Empty paths stand for none: with neither speech nor pairs, training is on synthetic sound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataSection {
    /// Folder of clean speech, to which noise is added.
    pub speech: PathBuf,
    /// Folder of noise.
    pub noise: PathBuf,
    /// Folder of clean recordings of which there are noisy ones as well.
    pub clean: PathBuf,
    /// Folder of those noisy ones, under the same names.
    pub noisy: PathBuf,
    /// A TOML file that names the sources of the data, their licences and whom to credit, for the model's card.
    pub sources: PathBuf,
    /// What an item is.
    pub items: ItemKind,
    /// Length of a crop.
    pub crop_seconds: f64,
    /// Whole recordings go through the network in pieces of this length; 0 for all at once.
    pub piece_seconds: f64,
    /// Probability with which clean speech is [equalised](crate::data::equaliser), and with which an item is once more.
    pub equaliser_probability: f64,
    /// Probability with which clean speech is played at another [speed](crate::data::speed), and with which recorded noise is.
    pub speed_probability: f64,
    /// Probability with which clean speech is in a [room](crate::data::room), whose echoes are part of what is to be kept.
    pub room_probability: f64,
    /// Probability with which recorded noise is [varied](crate::data::variation).
    pub noise_variation_probability: f64,
    /// A recording of noise is chosen as often as its length to this power: 0 for all alike, 1 for every second alike.
    pub noise_length_exponent: f64,
    /// Whether files that cannot be read or are silent, and pairs that do not match, are left out, with a line for each, and not refused.
    pub skip_unusable: bool,
    /// Decoded recordings kept in memory, at most.
    pub cache_gib: f64,
    /// Threads that make items; 0 for as many as there are cores.
    pub workers: usize,
}

/// What an item is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemKind {
    /// A stretch of a recording, all of one length.
    #[default]
    Crops,
    /// A whole recording; shorter ones are padded to the longest of a batch, and what is padded counts for nothing.
    Recordings,
}

impl Default for DataSection {
    fn default() -> Self {
        Self {
            speech: PathBuf::new(),
            noise: PathBuf::new(),
            clean: PathBuf::new(),
            noisy: PathBuf::new(),
            sources: PathBuf::new(),
            items: ItemKind::Crops,
            crop_seconds: 2.0,
            piece_seconds: 0.0,
            equaliser_probability: 0.5,
            speed_probability: 0.0,
            room_probability: 0.2,
            noise_variation_probability: 0.0,
            noise_length_exponent: 0.0,
            skip_unusable: false,
            cache_gib: 2.0,
            workers: 0,
        }
    }
}

impl DataSection {
    pub(super) fn validate(&self) -> Result<()> {
        let given = |path: &PathBuf| !path.as_os_str().is_empty();
        let both = |a, b| given(a) == given(b);
        ensure!(both(&self.speech, &self.noise), "data: expected both speech and noise, or neither, got one of them");
        ensure!(both(&self.clean, &self.noisy), "data: expected both clean and noisy, or neither, got one of them");
        let (crop, piece, cache) = (self.crop_seconds, self.piece_seconds, self.cache_gib);
        ensure!((0.1..=600.0).contains(&crop), "data.crop_seconds: expected 0.1 to 600, got {crop}");
        let pieces = piece == 0.0 || (0.1..=600.0).contains(&piece);
        ensure!(pieces, "data.piece_seconds: expected 0 (no pieces) or 0.1 to 600, got {piece}");
        let crops = piece == 0.0 || self.items == ItemKind::Recordings;
        ensure!(crops, "data.piece_seconds: expected 0 where items are crops, got {piece}");
        let probabilities = [
            ("equaliser", self.equaliser_probability),
            ("speed", self.speed_probability),
            ("room", self.room_probability),
            ("noise_variation", self.noise_variation_probability),
        ];
        for (field, probability) in probabilities {
            let right = (0.0..=1.0).contains(&probability);
            ensure!(right, "data.{field}_probability: expected 0 to 1, got {probability}");
        }
        let exponent = self.noise_length_exponent;
        ensure!((0.0..=1.0).contains(&exponent), "data.noise_length_exponent: expected 0 to 1, got {exponent}");
        ensure!((0.0..=4096.0).contains(&cache), "data.cache_gib: expected 0 to 4096, got {cache}");
        ensure!(self.workers <= 256, "data.workers: expected 0 to 256, got {}", self.workers);
        Ok(())
    }

    /// Whether training is on synthetic sound.
    pub fn is_synthetic(&self) -> bool {
        self.speech.as_os_str().is_empty() && self.clean.as_os_str().is_empty()
    }
}
