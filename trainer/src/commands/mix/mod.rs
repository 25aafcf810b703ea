//! `trainer mix`: clean speech and the same with noise of several kinds as files, to compare denoisers on.

mod item;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use cli::output;
use cli::progress::{Progress, say};
use media::Encoding;
use serde_json::json;
use shared::Audio;
use shared::noise::{Noise, NoiseGroup};
use tempfile::TempDir;

use self::item::{MixItem, Mixer};
use super::corrupt::decibels;
use crate::SAMPLE_RATE_HZ;

/// Write pairs of clean and noisy speech, to compare denoisers on.
///
/// OUT/clean/NAME.wav is a crop of a recording, OUT/noisy/KIND/NAME.wav the same with noise of each kind; OUT/mix.json tells for
/// every noisy file what it was made of. They are 16 kHz, mono, 32-bit float, so that nothing is clipped or rounded, and depend
/// on seed and number alone. `evaluate --clean OUT/clean --noisy OUT/noisy` scores a model on them.
///
/// Crops that are silent are left out; what is shorter than a crop is repeated. Recorded noise is from anywhere in
/// one of --noise; babble is of six other recordings of --speech; zero-small and raise-small draw their quantile from the range
/// that training has by default.
///
/// A recording that cannot be read stops the program once it is drawn. With --skip-unusable all are looked through first, and those that
/// cannot be read are named and left out; the result is then the same as if they were not there.
#[derive(Args)]
pub struct MixArguments {
    /// Folder of clean speech.
    #[arg(long, value_name = "DIR")]
    speech: PathBuf,
    /// Folder of recorded noise, for the kind recording.
    #[arg(long, value_name = "DIR")]
    noise: Option<PathBuf>,
    /// Folder of the results; it must be new, or empty.
    #[arg(short, long)]
    out: PathBuf,
    /// Clean files; there are as many noisy ones of each kind.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    count: u32,
    /// Length of each in seconds, 0.5 to 600.
    #[arg(long, default_value_t = 4.0, value_parser = seconds)]
    seconds: f64,
    /// Signal-to-noise ratios of added noise in dB, taken in turn: of speech while it is active to noise over its length.
    #[arg(long, value_name = "DB,...", default_value = "-5,0,5,10,15", value_delimiter = ',', value_parser = decibels)]
    #[arg(allow_hyphen_values = true)]
    snr_db: Vec<f32>,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Kinds of noise: any that `corrupt --help` lists as stft or additive.
    #[arg(long, value_name = "KIND,...", default_value = "recording,zero-small,raise-small,white,babble")]
    #[arg(value_delimiter = ',', value_parser = kind)]
    kinds: Vec<Noise>,
    /// Name and leave out recordings that cannot be read.
    #[arg(long)]
    skip_unusable: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|value| (0.5..=600.0).contains(value));
    value.ok_or_else(|| format!("expected a number of seconds from 0.5 to 600, got {text:?}"))
}

/// Kinds that leave the clean speech what is to be restored: a room or a gain would change that, too.
fn is_mixed(noise: &Noise) -> bool {
    noise.group() != NoiseGroup::Channel
}

fn kind(text: &str) -> Result<Noise, String> {
    Noise::of_kind(text).filter(is_mixed).ok_or_else(|| {
        let kinds: Vec<&str> = Noise::kinds().iter().filter(|noise| is_mixed(noise)).map(Noise::kind).collect();
        format!("expected {}, got {text:?}", kinds.join(", "))
    })
}

impl MixArguments {
    /// Checks what was asked and does it.
    pub fn run(self) -> Result<()> {
        let mixer = Mixer::new(&self)?;
        mixer.left_out.iter().for_each(|reason| say(format_args!("left out: {reason}")));
        let unfinished = NewFolder::create(&self.out)?;
        let folder = unfinished.folder.path();
        let progress = Progress::new("mixing", self.count.into());
        let mut mixtures = Vec::new();
        for index in 0..self.count {
            let MixItem { name, clean, noisy } = mixer.item(index)?;
            let write = |name: &str, samples| {
                output::write_audio(&folder.join(name), &Audio::mono(SAMPLE_RATE_HZ, samples)?, Encoding::Float32)
            };
            write(&name, clean)?;
            for (mixture, samples) in noisy {
                write(&mixture.file, samples)?;
                mixtures.push(mixture);
            }
            progress.inc(1);
        }
        drop(progress);
        let report = json!({
            "sample_rate_hz": SAMPLE_RATE_HZ, "seconds": self.seconds, "seed": self.seed, "files": mixtures,
            "left_out": mixer.left_out
        });
        output::write_whole(&folder.join("mix.json"), serde_json::to_string_pretty(&report)?.as_bytes())?;
        unfinished.finish()
    }
}

/// A folder that gets its name once everything is in it. Dropped before, it leaves nothing behind.
struct NewFolder {
    folder: TempDir,
    out: PathBuf,
}

impl NewFolder {
    /// A folder under a temporary name in the nearest folder above `out` that there is.
    fn create(out: &Path) -> Result<Self> {
        let context = || format!("cannot write {}", out.display());
        let out = std::path::absolute(out).with_context(context)?;
        let is_free = !out.exists() || fs::read_dir(&out).is_ok_and(|mut entries| entries.next().is_none());
        ensure!(is_free, "--out: expected a new or an empty folder, got {}", out.display());
        let above = out.ancestors().skip(1).find(|folder| folder.is_dir());
        let above = above.with_context(context)?;
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            // Readable for whoever the user lets read new folders, not for the user alone.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o777));
        }
        let folder = builder.prefix(".mix-").tempdir_in(above).with_context(context)?;
        output::discard_on_signal(folder.path());
        Ok(Self { folder, out })
    }

    /// Gives it its name.
    fn finish(self) -> Result<()> {
        let name = || -> std::io::Result<()> {
            if let Some(parent) = self.out.parent() {
                fs::create_dir_all(parent)?;
            }
            if self.out.exists() {
                fs::remove_dir(&self.out)?;
            }
            fs::rename(self.folder.path(), &self.out)
        };
        name().with_context(|| format!("cannot write {}", self.out.display()))
    }
}
