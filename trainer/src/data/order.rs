//! The order in which an epoch goes through the speech.

use std::convert::Infallible;
use std::sync::Arc;

use quick_cache::sync::Cache;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::corpus::Split;
use crate::recipe::ItemKind;

/// Epochs whose order is kept: workers are at most in two at once.
const KEPT: usize = 2;

/// Which recording each item of an epoch is made of: every one as often as crops fit into it, at least once.
pub struct EpochOrder {
    slots: Vec<u32>,
    seed: u64,
    shuffled: Cache<u64, Arc<Vec<u32>>>,
}

impl EpochOrder {
    /// The order of a run with this seed through a split.
    pub fn new(split: &Split, items: ItemKind, crop_seconds: f64, seed: u64) -> Self {
        let slots = split.clean().enumerate().flat_map(|(number, recording)| {
            let count = match items {
                ItemKind::Crops => (recording.seconds / crop_seconds).round().max(1.0) as usize,
                ItemKind::Recordings => 1,
            };
            std::iter::repeat_n(number as u32, count)
        });
        Self { slots: slots.collect(), seed, shuffled: Cache::new(KEPT) }
    }

    /// Items in an epoch.
    pub fn epoch_length(&self) -> usize {
        self.slots.len()
    }

    /// The recording of item `index` of an epoch, by its number in [`Split::clean`].
    pub fn recording(&self, epoch: u64, index: usize) -> usize {
        let shuffle = || -> Result<_, Infallible> {
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            // Streams from the far end, which those of items do not reach.
            rng.set_stream(!epoch);
            let mut order = self.slots.clone();
            order.shuffle(&mut rng);
            Ok(Arc::new(order))
        };
        let Ok(order) = self.shuffled.get_or_insert_with(&epoch, shuffle);
        order[index] as usize
    }
}
