//! Many items side by side, where one that fails does not stop the others.

use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, bail};
use media::Damage;
use rayon::ThreadPoolBuilder;

use crate::damage;
use crate::exit::Damaged;
use crate::progress::Progress;

/// Work on many items: how far it is, and what became of them.
pub struct Batch {
    progress: Progress,
    total: usize,
    failed: AtomicUsize,
    damaged: AtomicUsize,
}

/// Threads that the machine runs at the same time.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

impl Batch {
    /// Units of progress of an item, where items count alike.
    pub const UNITS: u64 = 1000;

    /// A batch of `total` items, nothing of it done yet.
    pub fn new(progress: Progress, total: usize) -> Self {
        Self { progress, total, failed: AtomicUsize::new(0), damaged: AtomicUsize::new(0) }
    }

    /// How far it is.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// An item of the batch cannot be done.
    pub fn fail(&self, message: &str) {
        self.progress.warn(message);
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Does `work` on every item, with `threads` in all. Every item has a rayon pool of its own: as many items as threads are
    /// worked on at the same time with a thread each; fewer items have several.
    ///
    /// `units` is the share of the progress that belongs to an item. Gives the results in the order of the items, without those
    /// that failed, which cost a line each.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn each<'a, T: Sync, R: Send>(
        &self,
        items: &'a [T],
        threads: usize,
        units: impl Fn(&T) -> u64 + Sync,
        work: impl Fn(&'a T, &ItemProgress) -> Result<R> + Sync,
    ) -> Result<Vec<R>> {
        let lanes = threads.min(items.len()).max(1);
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::with_capacity(items.len()));
        let lane = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(index) else { return };
                if let Some(result) = self.one(item, units(item), &work) {
                    results.lock().expect("no panics").push((index, result));
                }
            }
        };
        let pool = |number: usize| {
            let threads = threads / lanes + usize::from(number < threads % lanes);
            ThreadPoolBuilder::new().num_threads(threads.max(1)).build().context("cannot start threads")
        };
        let pools = (0..lanes).map(pool).collect::<Result<Vec<_>>>()?;
        thread::scope(|scope| pools.iter().for_each(|pool| drop(scope.spawn(|| pool.install(lane)))));
        let mut results = results.into_inner().expect("no panics");
        results.sort_unstable_by_key(|(index, _)| *index);
        Ok(results.into_iter().map(|(_, result)| result).collect())
    }

    /// Does `work` on one item after the other, on this thread; else as [`Batch::each`].
    pub fn in_turn<T, R>(
        &self,
        items: &[T],
        units: impl Fn(&T) -> u64,
        mut work: impl FnMut(&T, &ItemProgress) -> Result<R>,
    ) -> Vec<R> {
        items.iter().filter_map(|item| self.one(item, units(item), &mut work)).collect()
    }

    fn one<'a, T, R>(
        &self,
        item: &'a T,
        units: u64,
        work: impl FnOnce(&'a T, &ItemProgress) -> Result<R>,
    ) -> Option<R> {
        let share = ItemProgress { batch: self, units, done: AtomicU64::new(0) };
        let result = work(item, &share);
        share.set(1.0);
        result.map_err(|error| self.fail(&format!("{error:#}"))).ok()
    }

    /// What became of the batch.
    ///
    /// # Errors
    /// When something failed; else, of the type [`Damaged`], when a recording was damaged.
    pub fn outcome(self) -> Result<()> {
        let (failed, count) = (self.failed.into_inner(), self.damaged.into_inner());
        match (failed, count) {
            (0, 0) => Ok(()),
            (0, _) => Err(Damaged { count, of: self.total }.into()),
            _ => bail!("{failed} of {} files failed", self.total),
        }
    }
}

/// A batch of its own for `items`, one after the other.
///
/// Gives the results, and an error in the end if anything failed.
pub fn each<T, R>(items: &[T], what: &str, work: impl FnMut(&T, &ItemProgress) -> Result<R>) -> (Vec<R>, Result<()>) {
    let batch = Batch::new(Progress::new(what, items.len() as u64 * Batch::UNITS), items.len());
    let results = batch.in_turn(items, |_| Batch::UNITS, work);
    (results, batch.outcome())
}

/// The part of a batch that belongs to one item.
pub struct ItemProgress<'a> {
    batch: &'a Batch,
    units: u64,
    done: AtomicU64,
}

impl ItemProgress<'_> {
    /// How much of the item is done, 0 to 1; never less than before.
    pub fn set(&self, done: f64) {
        let now = (done.clamp(0.0, 1.0) * self.units as f64) as u64;
        let before = self.done.fetch_max(now, Ordering::Relaxed);
        self.batch.progress.inc(now.saturating_sub(before));
    }

    /// Prints what must be known.
    pub fn warn(&self, message: &str) {
        self.batch.progress.warn(message);
    }

    /// Where other messages go.
    pub fn progress(&self) -> &Progress {
        &self.batch.progress
    }

    /// Says what could not be decoded of the item's recording, which was used all the same.
    pub fn damaged(&self, name: &str, sample_rate_hz: u32, damage: &[Damage]) {
        if !damage.is_empty() {
            self.batch.damaged.fetch_add(1, Ordering::Relaxed);
            damage::lines(name, sample_rate_hz, damage).iter().for_each(|line| self.batch.progress.warn(line));
        }
    }
}
