//! Recordings as one channel at the networks' rate, decoded when they are needed and kept while there is room.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use cli::recording;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::SAMPLE_RATE_HZ;

/// Samples of a recording.
pub type SharedSamples = Arc<Vec<f32>>;

/// Where a recording comes from.
#[derive(Clone, Debug)]
pub enum SampleSource {
    /// A file.
    File(PathBuf),
    /// It was made by code.
    Made(SharedSamples),
}

/// Decoded recordings.
pub struct RecordingStore(Cache<PathBuf, SharedSamples, Bytes>);

#[derive(Clone)]
struct Bytes;

impl Weighter<PathBuf, SharedSamples> for Bytes {
    fn weight(&self, _: &PathBuf, samples: &SharedSamples) -> u64 {
        (samples.len() * size_of::<f32>()).max(1) as u64
    }
}

impl RecordingStore {
    /// A store of so much memory.
    pub fn new(gib: f64) -> Self {
        let bytes = (gib * f64::from(1u32 << 30)) as u64;
        // A guess of the number of recordings, for its tables to begin with.
        Self(Cache::with_weighter(1024, bytes, Bytes))
    }

    /// The samples of a recording. Threads that want the same one at once wait for one of them to decode it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self, source: &SampleSource) -> Result<SharedSamples> {
        match source {
            SampleSource::Made(samples) => Ok(samples.clone()),
            SampleSource::File(path) => {
                self.0.get_or_insert_with(path, || recording::read_mono(path, SAMPLE_RATE_HZ).map(Arc::new))
            }
        }
    }
}
