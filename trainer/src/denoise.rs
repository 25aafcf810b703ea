//! `trainer denoise`: recordings without their noise.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use burn::prelude::Backend;
use burn::tensor::backend::AutodiffBackend;
use clap::Args;
use shared::stream::{MAX_ATTENUATION_DB, Options};
use shared::{Bundle, Denoiser, wav};

use crate::audio_file::{NewFile, Reader};
use crate::batch::{self, Share, Task};
use crate::device::Job;
use crate::model::Choice;

/// Remove noise from recordings.
///
/// The results are WAV files with the rate, channels and length of the inputs. Without --out they are NAME.denoised.wav beside
/// a file, and FOLDER.denoised beside a folder. A file that cannot be read is named, the others are done, and the exit code is
/// 2.
#[derive(Args)]
pub struct DenoiseArguments {
    /// Recordings, and folders of them.
    #[arg(required = true, value_name = "IN")]
    inputs: Vec<PathBuf>,
    /// Folder of the results; for one input file it may be a name that ends in .wav.
    #[arg(short, long)]
    out: Option<PathBuf>,
    /// Attenuate noise by at most so many dB: 0 leaves everything, 100 removes all that the network takes for noise.
    #[arg(long, value_name = "DB", default_value_t = MAX_ATTENUATION_DB, value_parser = attenuation)]
    attenuation_limit_db: f32,
    #[command(flatten)]
    choice: Choice,
}

fn attenuation(text: &str) -> Result<f32, String> {
    let value = text.parse().ok().filter(|value| (0.0..=MAX_ATTENUATION_DB).contains(value));
    value.ok_or_else(|| format!("expected a number of dB from 0 to {MAX_ATTENUATION_DB}, got {text:?}"))
}

impl DenoiseArguments {
    /// Checks what was asked and does it.
    pub fn run(self) -> Result<()> {
        let tasks = batch::plan(&self.inputs, self.out.as_deref(), "denoised")?;
        let bundle = self.choice.load()?;
        let options = Options { attenuation_limit_db: self.attenuation_limit_db, ..Options::default() };
        self.choice.device.run(DenoiseJob { bundle, tasks, options })
    }
}

struct DenoiseJob {
    bundle: Bundle,
    tasks: Vec<Task>,
    options: Options,
}

impl Job for DenoiseJob {
    type Output = ();

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<()> {
        let denoiser = Denoiser::<B::InnerBackend>::new(&self.bundle, device)?.with_options(self.options);
        let work = |task: &Task, share: &Share| {
            denoise(&denoiser, task, share).with_context(|| format!("cannot denoise {}", task.input.display()))
        };
        batch::each(&self.tasks, "denoising", work).1
    }
}

/// Denoises one file as it is read, so that its length does not matter.
fn denoise<B: Backend>(denoiser: &Denoiser<B>, task: &Task, share: &Share) -> Result<()> {
    let mut reader = Reader::open(&task.input)?;
    let (sample_rate_hz, channels) = (reader.sample_rate_hz(), reader.channels());
    let mut stream = denoiser.stream(sample_rate_hz, channels)?;
    NewFile::create(&task.output)?.finish(|file| {
        let mut writer = wav::Writer::new(file, sample_rate_hz, channels, reader.encoding())?;
        let mut done = 0;
        let mut write = |block: Vec<Vec<f32>>, total: Option<u64>| -> Result<()> {
            done += block[0].len() as u64;
            if let Some(total) = total.filter(|&total| total > 0) {
                share.set((done as f64 / total as f64).min(1.0));
            }
            Ok(writer.write(&block)?)
        };
        while let Some(block) = reader.read()? {
            write(pollster::block_on(stream.push(&block))?, reader.length())?;
        }
        write(pollster::block_on(stream.flush())?, reader.length())?;
        if done == 0 {
            bail!("expected at least 1 sample, got 0");
        }
        Ok(writer.finish()?)
    })
}
