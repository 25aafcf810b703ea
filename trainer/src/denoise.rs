//! `trainer denoise`: recordings without their noise.

use std::path::PathBuf;

use anyhow::{Context, Result};
use burn::tensor::backend::AutodiffBackend;
use clap::Args;
use shared::{Bundle, Denoiser};

use crate::audio_file;
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
    #[command(flatten)]
    choice: Choice,
}

impl DenoiseArguments {
    /// Checks what was asked and does it.
    pub fn run(self) -> Result<()> {
        let tasks = batch::plan(&self.inputs, self.out.as_deref(), "denoised")?;
        let bundle = self.choice.load()?;
        self.choice.device.run(DenoiseJob { bundle, tasks })
    }
}

struct DenoiseJob {
    bundle: Bundle,
    tasks: Vec<Task>,
}

impl Job for DenoiseJob {
    type Output = ();

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<()> {
        let denoiser = Denoiser::<B::InnerBackend>::new(&self.bundle, device)?;
        let work = |task: &Task, share: &Share| {
            let (audio, encoding) = audio_file::read(&task.input)?;
            let denoised = pollster::block_on(denoiser.denoise(&audio, |done| share.set(done)))
                .with_context(|| format!("cannot denoise {}", task.input.display()))?;
            audio_file::write(&task.output, &denoised, encoding)
        };
        batch::each(&self.tasks, "denoising", work).1
    }
}
