//! Batches, made ahead on another thread.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use anyhow::Result;
use shared::noise::Recipe;

use super::corpus::Split;
use super::item::Item;

/// Batches that wait to be used, at most.
const AHEAD: usize = 4;

/// The items of the training sequence from step `first_step` on, `batch_size` at a time.
///
/// The items depend on `recipe`, `seed` and the step alone, so a run that is resumed sees what it would have seen.
pub fn batches(
    split: Arc<Split>,
    recipe: Recipe,
    len: usize,
    batch_size: usize,
    seed: u64,
    first_step: usize,
) -> Receiver<Result<Vec<Item>>> {
    let (sender, receiver) = sync_channel(AHEAD);
    thread::spawn(move || {
        for step in first_step as u64.. {
            let first = step * batch_size as u64;
            let items = first..first + batch_size as u64;
            let batch = items.map(|index| Item::train(&split, &recipe, len, seed, index)).collect();
            if sender.send(batch).is_err() {
                return; // nobody is training any more
            }
        }
    });
    receiver
}
