//! The command: recordings without their noise.

use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};
use burn::prelude::Backend;
use clap::Args;
use media::{Block, Encoding, Format, Spec};
use shared::stream::{MAX_ATTENUATION_DB, ParallelStream, Stream, StreamOptions};
use shared::{Bundle, Denoiser};

use crate::batch::{ItemProgress, cores};
use crate::device::{Device, DeviceJob};
use crate::model::{self, ModelChoice};
use crate::output::{self, Destination};
use crate::plan::{self, FilePlan, FileTask};
use crate::progress::Progress;
use crate::recording::OpenRecording;
use crate::{exit, stdout};

/// Most channels of a recording. Every one takes some megabytes while it is denoised.
const MAX_CHANNELS: usize = 64;
/// Bytes of a second of sound in files that do not say how long they are: a guess, for progress only.
const BYTES_PER_SECOND: f64 = 16_000.0;
/// Most kinds of metadata that are named when they are lost.
const MOST_LOST: usize = 5;
/// A recording with so many pieces for every thread is worked on by all threads.
const LONG_PIECES: f64 = 4.0;

/// Remove noise from recordings of speech.
///
/// Results are WAV files with the rate, channels, length and precision of the inputs. Without --out they are NAME.denoised.wav beside a
/// file, and FOLDER.denoised beside a folder. A file that cannot be read is named, and the others are done.
#[derive(Args)]
#[command(after_help = exit::HELP)]
pub struct DenoiseArguments {
    /// Recordings, folders of them, patterns such as '*.mp3', or - for standard input.
    #[arg(required_unless_present = "list_models", value_name = "IN")]
    inputs: Vec<PathBuf>,
    /// Folder of the results. For one input: also a name that ends in .wav, or - for standard output.
    #[arg(short, long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    choice: ModelChoice,
    /// Attenuate noise by at most so many dB: 0 leaves everything, 100 removes all that the network takes for noise.
    #[arg(long, value_name = "DB", default_value_t = MAX_ATTENUATION_DB, value_parser = attenuation)]
    attenuation_limit_db: f32,
    /// Bits of a sample in the results: 16, 24, or f32 for floats [default: those of the input; 16 for lossy formats].
    #[arg(long)]
    bits: Option<Bits>,
    /// Threads on the CPU; fewer take less memory [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Replace results that exist already.
    #[arg(long)]
    overwrite: bool,
    /// Print errors and warnings only.
    #[arg(short, long)]
    quiet: bool,
    /// List the built-in models and exit.
    #[arg(long, exclusive = true)]
    list_models: bool,
}

/// Precision of results, as people name it.
#[derive(Clone, Copy, Debug)]
struct Bits(Encoding);

impl FromStr for Bits {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "16" => Ok(Self(Encoding::Pcm16)),
            "24" => Ok(Self(Encoding::Pcm24)),
            "f32" => Ok(Self(Encoding::Float32)),
            _ => Err(format!("expected 16, 24 or f32, got {text:?}")),
        }
    }
}

fn attenuation(text: &str) -> Result<f32, String> {
    let value = text.parse().ok().filter(|value| (0.0..=MAX_ATTENUATION_DB).contains(value));
    value.ok_or_else(|| format!("expected a number of dB from 0 to {MAX_ATTENUATION_DB}, got {text:?}"))
}

impl DenoiseArguments {
    /// Checks what was asked and does it.
    ///
    /// # Errors
    /// When something failed, or, of the type [`exit::Damaged`], some recordings are damaged.
    pub fn run(self) -> Result<()> {
        if self.list_models {
            return stdout::print(model::table()?);
        }
        let bundle = self.choice.load()?;
        let plan = plan::plan(&self.inputs, self.out.as_deref(), "denoised", self.overwrite)?;
        let options = StreamOptions::default().with_attenuation_limit_db(self.attenuation_limit_db);
        let threads = self.jobs.map_or_else(cores, usize::from);
        let device = self.choice.device;
        device.run(DenoiseJob { bundle, plan, options, threads, arguments: self })
    }
}

struct DenoiseJob {
    bundle: Bundle,
    plan: FilePlan,
    options: StreamOptions,
    threads: usize,
    arguments: DenoiseArguments,
}

impl DeviceJob for DenoiseJob {
    type Output = ();

    fn run<B: Backend>(self, device: B::Device) -> Result<()> {
        let Self { bundle, plan, options, threads, arguments } = self;
        let on_cpu = arguments.choice.device == Device::Cpu;
        let denoiser = Denoiser::<B>::new(&bundle, arguments.choice.device.phrasing(), device)?.with_options(options);

        let progress = if arguments.quiet { Progress::quiet() } else { Progress::new("denoising", 0) };
        let (tasks, batch) = plan.begin(progress);
        let checked = batch.each(&tasks, threads, |_| 0, check)?;
        batch.progress().inc_length(checked.iter().map(Checked::units).sum());

        let work = |checked: &Checked, share: &ItemProgress| {
            let Format { sample_rate_hz, channels, .. } = checked.format;
            let engine = match on_cpu {
                true => DenoisingStream::Cpu(denoiser.parallel_stream(sample_rate_hz, channels)?),
                false => DenoisingStream::Gpu(denoiser.stream(sample_rate_hz, channels)?),
            };
            denoise(engine, checked, &arguments, share)
        };
        if !on_cpu {
            batch.in_turn(&checked, Checked::units, work);
            return batch.outcome();
        }
        // Short recordings are done side by side with a thread each, long ones one after the other with all threads: so all
        // cores have work to the end, and never more than a piece each, which is what takes memory.
        let long = LONG_PIECES * (options.piece_length * threads) as f64 / f64::from(denoiser.sample_rate_hz());
        let (long, short): (Vec<_>, Vec<_>) =
            checked.into_iter().partition(|checked| checked.seconds * checked.format.channels as f64 >= long);
        batch.each(&short, threads, Checked::units, work)?;
        for one in long {
            batch.each(&[one], threads, Checked::units, work)?;
        }
        batch.outcome()
    }
}

/// A recording that can be denoised, as far as is known beforehand.
struct Checked<'a> {
    task: &'a FileTask,
    format: Format,
    /// Its length: a guess where the file does not say.
    seconds: f64,
}

impl Checked<'_> {
    /// Units of progress.
    fn units(&self) -> u64 {
        (self.seconds * 100.0) as u64 + 1
    }
}

/// Finds what is wrong with a recording before anything is computed, and says what will be lost of it.
fn check<'a>(task: &'a FileTask, share: &ItemProgress) -> Result<Checked<'a>> {
    let mut recording = task.input.open()?;
    let format = recording.format().clone();
    let name = recording.name().to_owned();
    let channels = format.channels;
    ensure!(
        channels <= MAX_CHANNELS,
        "cannot use {name}: expected at most {MAX_CHANNELS} channels, got {channels}; split it into files with fewer"
    );
    if format.encoding == Encoding::Float32 {
        check_numbers(&mut recording)?;
    }
    let others = format.other_tracks;
    if others > 0 {
        share.progress().note(&format!("{name}: only the first of {} sound tracks is used", others + 1));
    }
    let lost = &format.metadata.left_out;
    if !lost.is_empty() {
        let more = lost.len().saturating_sub(MOST_LOST);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let lost = lost[..lost.len().min(MOST_LOST)].join(", ");
        share.progress().note(&format!("{name}: the result will lack {lost}{more}"));
    }
    let bytes = task.input.bytes() as f64;
    let seconds = format.seconds().unwrap_or(bytes / BYTES_PER_SECOND);
    Ok(Checked { task, format, seconds })
}

/// Refuses samples that are no numbers, which only float formats can hold.
fn check_numbers(recording: &mut OpenRecording) -> Result<()> {
    let mut start = 0;
    while let Some(block) = recording.read()? {
        let broken = block.iter().filter_map(|samples| samples.iter().position(|sample| !sample.is_finite())).min();
        if let Some(position) = broken {
            let seconds = (start + position) as f64 / f64::from(recording.format().sample_rate_hz);
            bail!("cannot use {}: expected finite samples, got others at {seconds:.3} s", recording.name());
        }
        start += block[0].len();
    }
    Ok(())
}

/// What computes: the CPU all at once, other devices piece by piece.
enum DenoisingStream<B: Backend> {
    Cpu(ParallelStream<B>),
    Gpu(Stream<B>),
}

impl<B: Backend> DenoisingStream<B> {
    /// Samples per channel that it takes best at a time.
    fn block_length(&self) -> usize {
        match self {
            Self::Cpu(stream) => stream.block_length(),
            Self::Gpu(_) => 1,
        }
    }

    /// Takes a block and gives another, and does `meanwhile` at the same time where there are threads for it.
    fn push_and<T: Send>(&mut self, block: Block, meanwhile: impl FnOnce() -> T + Send) -> (shared::Result<Block>, T) {
        match self {
            Self::Cpu(stream) => rayon::join(|| stream.push(block), meanwhile),
            Self::Gpu(stream) => (stream.push_blocking(&block), meanwhile()),
        }
    }

    fn flush(self) -> shared::Result<Block> {
        match self {
            Self::Cpu(stream) => stream.flush(),
            Self::Gpu(mut stream) => stream.flush_blocking(),
        }
    }
}

/// Denoises one file as it is read, so that its length does not matter.
fn denoise<B: Backend>(
    mut engine: DenoisingStream<B>,
    checked: &Checked,
    arguments: &DenoiseArguments,
    share: &ItemProgress,
) -> Result<()> {
    let Checked { task, format, .. } = checked;
    let mut recording = task.input.open()?;
    let name = recording.name().to_owned();
    let out = task.output.as_deref().unwrap_or(Path::new(output::STANDARD));
    let destination = Destination::create(task.output.as_deref(), arguments.overwrite)?;
    let encoding = arguments.bits.map_or(format.encoding, |Bits(encoding)| encoding);
    let spec = Spec { encoding, ..Spec::like(format) };
    // Some files say that they are shorter than they are.
    let most = format.length.map(|length| length.saturating_mul(8));
    let mut writer = media::Writer::new(BufWriter::new(destination.file()), &spec, most)
        .map_err(|error| output::failure(out, error))?;
    let mut done = 0;
    let mut write = |block: shared::Result<Block>| {
        let block = block.with_context(|| format!("cannot denoise {name}"))?;
        done += block[0].len();
        share.set(done as f64 / f64::from(format.sample_rate_hz) / checked.seconds.max(0.01));
        writer.write(&block).map_err(|error| output::failure(out, error))
    };
    let length = engine.block_length();
    let mut waiting = None;
    let mut next = recording.read_at_least(length)?;
    while let Some(block) = next {
        let (denoised, read) = engine.push_and(block, || {
            waiting.take().map_or(Ok(()), &mut write)?;
            recording.read_at_least(length)
        });
        (waiting, next) = (Some(denoised), read?);
    }
    waiting.map_or(Ok(()), &mut write)?;
    write(engine.flush())?;
    ensure!(done > 0, "cannot use {name}: there are no samples in it");
    let written = writer.finish().map_err(|error| output::failure(out, error))?;
    written.into_inner().map_err(|error| output::failure(out, error.into_error()))?;
    destination.commit()?;
    share.damaged(&name, format.sample_rate_hz, recording.damage());
    share.progress().log(&format!("{name} -> {}", out.display()));
    Ok(())
}
