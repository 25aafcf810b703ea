//! Scoring a network while it is being trained, through the same pipeline that people will use.

use anyhow::Result;
use burn::prelude::*;
use shared::metric::si_sdr;
use shared::nn::{Network, NetworkConfig};
use shared::pipeline::Denoiser;

use crate::SAMPLE_RATE_HZ;
use crate::data::Item;
use crate::data::corpus::Split;

/// Mixtures in the set.
const ITEMS: u64 = 40;
/// Length of each in seconds.
const SECONDS: u32 = 4;

/// A fixed set of mixtures, the same in every run on one corpus.
pub struct ValidationSet {
    items: Vec<Item>,
}

/// Mean scores over the set.
pub struct Scores {
    /// What was scored.
    pub set: String,
    /// SI-SDR of the noisy input, in dB.
    pub before: f64,
    /// SI-SDR of the output, in dB.
    pub after: f64,
}

impl ValidationSet {
    /// Mixes the set.
    pub fn new(split: &Split) -> Self {
        let len = (SECONDS * SAMPLE_RATE_HZ) as usize;
        Self { items: (0..ITEMS).map(|index| Item::valid(split, len, index)).collect() }
    }

    /// Scores a network that is not being trained.
    pub fn score<B: Backend>(&self, network: Network<B>, config: &NetworkConfig, device: &B::Device) -> Result<Scores> {
        let denoiser = Denoiser::from_network(network, config.clone(), SAMPLE_RATE_HZ, device.clone());
        let (mut before, mut after) = (0.0, 0.0);
        for Item { clean, noisy } in &self.items {
            let estimate = pollster::block_on(denoiser.pieces(noisy, |_| ()))?;
            before += si_sdr(clean, noisy);
            after += si_sdr(clean, &estimate);
        }
        let count = self.items.len() as f64;
        let set = format!("{ITEMS} mixtures of {SECONDS} s of the validation split, 0 to 10 dB");
        Ok(Scores { set, before: before / count, after: after / count })
    }
}
