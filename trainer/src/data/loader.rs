//! Batches, made ahead on threads of their own.
//!
//! Not Burn's loader: with several workers the order of its batches varies, and a resumed run could not go on with the data where it
//! stopped.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use anyhow::{Context, Result};

use super::item::{Item, Maker};

/// Batches that each worker has ready, at most.
const AHEAD: usize = 2;

/// The batches of a run from a step on, in order, whatever the number of workers.
pub struct Loader {
    /// Worker `w` of `n` makes the batches of steps `w`, `w + n`, ….
    workers: Vec<Receiver<Result<Vec<Item>>>>,
    step: usize,
}

impl Loader {
    /// Starts the workers. Batch `n` is items `n · batch_size` to `(n + 1) · batch_size` of the endless sequence that `maker` makes.
    pub fn start(maker: &Arc<Maker>, batch_size: usize, first_step: usize, workers: usize) -> Self {
        let workers = match workers {
            0 => thread::available_parallelism().map_or(1, usize::from),
            workers => workers,
        };
        let start = |worker: usize| {
            let (sender, receiver) = sync_channel(AHEAD);
            let maker = maker.clone();
            thread::spawn(move || {
                // The first of this worker's steps that is not done already.
                let first = first_step + (workers + worker - first_step % workers) % workers;
                for step in (first..).step_by(workers) {
                    let items = (step * batch_size..(step + 1) * batch_size).map(|number| maker.item(number as u64));
                    if sender.send(items.collect()).is_err() {
                        return; // nobody is training any more
                    }
                }
            });
            receiver
        };
        Self { workers: (0..workers).map(start).collect(), step: first_step }
    }

    /// The next batch, once it is there.
    ///
    /// # Errors
    /// When a recording can no longer be read.
    pub fn next(&mut self) -> Result<Vec<Item>> {
        let worker = self.step % self.workers.len();
        self.step += 1;
        self.workers[worker].recv().context("a thread that makes batches has died")?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::corpus::in_memory;
    use crate::recipe::Recipe;

    #[test]
    fn batches_are_the_same_whatever_the_number_of_workers_and_wherever_they_begin() -> Result<()> {
        let sound = |seed: usize| (0..6_000).map(|i| ((i * seed) as f32 * 0.37).sin()).collect();
        let recipe = Recipe::from_toml("version = 1\ndata.crop_seconds = 0.1", &[])?;
        let maker =
            || Arc::new(Maker::new(in_memory((1..6).map(sound).collect(), (7..9).map(sound).collect()), &recipe));
        let batches = |first: usize, workers| {
            (first..20)
                .map({
                    let mut loader = Loader::start(&maker(), 3, first, workers);
                    move |_| loader.next()
                })
                .collect::<Result<Vec<_>>>()
        };
        let expected = batches(0, 1)?;
        for workers in [2, 3, 7] {
            assert_eq!(batches(0, workers)?, expected);
            for first in [1, 6, 13] {
                assert_eq!(batches(first, workers)?, expected[first..], "{workers} workers from step {first}");
            }
        }
        Ok(())
    }
}
