//! The backend in use, and the loaded networks.

use std::collections::BTreeMap;

use burn::backend::wgpu::WgpuDevice;
use burn::backend::{Flex, WebGpu};
use shared::nn::INPUT_RMS;
use shared::stream::Options;
use shared::{Bundle, Denoiser, stream};
use web::protocol::Failure;
use web::protocol::engine::{Backend, BackendChoice, Facts};

use crate::browser::now;
use crate::gpu;

/// The backend in use, and the loaded networks by name.
pub struct Session {
    backend: Backend,
    /// Whether the first network decides between the backends.
    undecided: bool,
    /// Whether this backend was asked for and no other.
    strict: bool,
    networks: BTreeMap<String, Loaded>,
}

/// A network that is ready.
pub struct Loaded {
    /// What it was made from, to make it again on another backend.
    bundle: Bundle,
    network: BackendDenoiser,
    /// Playing time over computing time.
    pub speed: f64,
}

/// What there is to say about a network that was just loaded.
pub struct News {
    /// What there is to know about it.
    pub facts: Facts,
    /// Which backend is in use, and why, in a few words.
    pub note: String,
    /// Why WebGPU was given up, if it was.
    pub fell_back: Option<String>,
}

impl Session {
    /// Chooses a backend as far as that can be done without a network, and says why.
    ///
    /// # Errors
    /// When WebGPU and nothing else is asked for, and cannot be used.
    pub async fn start(choice: BackendChoice) -> Result<(Self, String), Failure> {
        let strict = matches!(choice, BackendChoice::Only(_));
        let on = |backend, undecided| Self { backend, undecided, strict, networks: BTreeMap::new() };
        match choice {
            BackendChoice::Only(Backend::Cpu) => return Ok((on(Backend::Cpu, false), "asked for".into())),
            BackendChoice::Prefer(Backend::Cpu) => return Ok((on(Backend::Cpu, false), "faster here before".into())),
            _ => {}
        }
        match gpu::probe().await {
            Ok(adapter) if adapter.software && choice == BackendChoice::Probe => {
                Ok((on(Backend::Cpu, false), format!("WebGPU is only emulated here, by {}", adapter.name)))
            }
            Ok(adapter) => {
                gpu::start().await;
                let undecided = matches!(choice, BackendChoice::Probe | BackendChoice::ProbeAll);
                Ok((on(Backend::Webgpu, undecided), adapter.name))
            }
            Err(reason) if strict => Err(Failure::NoBackend(reason)),
            Err(reason) => Ok((on(Backend::Cpu, false), format!("no WebGPU: {reason}"))),
        }
    }

    /// Which backend is in use.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The network of that name.
    ///
    /// # Errors
    /// When there is none.
    pub fn network(&self, model: &str) -> Result<&Loaded, Failure> {
        self.networks.get(model).ok_or_else(|| Failure::NoModel(format!("“{model}” was not loaded")))
    }

    /// Takes a network, in place of the one of that name, and tries it. The first decides which backend is used, if
    /// none was chosen.
    ///
    /// # Errors
    /// When the bundle is broken, or what it computes is of no use: then all is as it was, but that WebGPU may have
    /// been given up.
    pub async fn load(&mut self, model: &str, bytes: &[u8]) -> Result<News, Failure> {
        let bundle = Bundle::from_bytes(bytes).map_err(refused)?;
        let facts = |speed| Facts { card: bundle.card.clone(), bytes: bytes.len(), speed };
        let (backend, loaded, note, failed) = if self.undecided {
            let cpu = Loaded::new(bundle.clone(), Backend::Cpu).await.map_err(refused)?;
            match Loaded::new(bundle.clone(), Backend::Webgpu).await {
                Ok(gpu) => {
                    let note = format!("CPU {}, WebGPU {} as fast as sound plays", times(cpu.speed), times(gpu.speed));
                    let (backend, faster) =
                        if gpu.speed > cpu.speed { (Backend::Webgpu, gpu) } else { (Backend::Cpu, cpu) };
                    (backend, faster, note, None)
                }
                Err(error) => (Backend::Cpu, cpu, format!("WebGPU failed: {error}"), None),
            }
        } else {
            match Loaded::new(bundle.clone(), self.backend).await {
                Ok(loaded) => {
                    let note = format!("{} {} as fast as sound plays", self.backend.name(), times(loaded.speed));
                    (self.backend, loaded, note, None)
                }
                Err(error) if self.backend == Backend::Webgpu && !self.strict => {
                    // A bundle that the CPU refuses too is to blame, not WebGPU.
                    let loaded = Loaded::new(bundle.clone(), Backend::Cpu).await.map_err(refused)?;
                    (Backend::Cpu, loaded, format!("WebGPU failed: {error}"), Some(error.to_string()))
                }
                Err(error) => return Err(refused(error)),
            }
        };
        if backend != self.backend && !self.networks.is_empty() {
            self.fall_back().await?;
        }
        (self.backend, self.undecided) = (backend, false);
        let news = News { facts: facts(loaded.speed), note, fell_back: failed };
        self.networks.insert(model.into(), loaded);
        Ok(news)
    }

    /// Forgets the network of that name, if there is one.
    pub fn unload(&mut self, model: &str) {
        self.networks.remove(model);
    }

    /// Goes on on the CPU, with all networks that there are.
    ///
    /// # Errors
    /// When one cannot be used there. It and those after it are lost.
    pub async fn fall_back(&mut self) -> Result<(), Failure> {
        (self.backend, self.undecided) = (Backend::Cpu, false);
        for (model, loaded) in std::mem::take(&mut self.networks) {
            let loaded = Loaded::new(loaded.bundle, Backend::Cpu).await.map_err(refused)?;
            self.networks.insert(model, loaded);
        }
        Ok(())
    }
}

impl Loaded {
    /// A network on a backend, timed with a second of sound.
    async fn new(bundle: Bundle, backend: Backend) -> shared::Result<Self> {
        let network = match backend {
            Backend::Webgpu => BackendDenoiser::Gpu(Denoiser::new(&bundle, WgpuDevice::default())?),
            Backend::Cpu => BackendDenoiser::Cpu(Denoiser::new(&bundle, Default::default())?),
        };
        let (seconds, output) = network.timed(&sound(bundle.config.sample_rate_hz as usize)).await?;
        if output.iter().any(|sample| !sample.is_finite()) {
            return Err(not_finite());
        }
        Ok(Self { bundle, network, speed: 1.0 / seconds })
    }

    /// How long the network takes for so many samples at its own rate, in seconds.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn time(&self, length: usize) -> shared::Result<f64> {
        Ok(self.network.timed(&sound(length)).await?.0)
    }

    /// Samples per second that the network works at.
    pub fn sample_rate_hz(&self) -> u32 {
        self.bundle.config.sample_rate_hz
    }

    /// Samples at that rate between two positions at which the network behaves the same.
    pub fn alignment(&self) -> usize {
        self.bundle.config.network.alignment()
    }

    /// Samples at that rate on either side of a stretch that its output depends on.
    pub fn context(&self) -> usize {
        self.bundle.config.network.context()
    }

    /// A stream of one channel.
    ///
    /// # Errors
    /// When the rate cannot be worked with.
    pub fn stream(&self, sample_rate_hz: u32, options: Options) -> shared::Result<BackendStream> {
        Ok(match &self.network {
            BackendDenoiser::Gpu(denoiser) => {
                BackendStream::Gpu(denoiser.clone().with_options(options).stream(sample_rate_hz, 1)?)
            }
            BackendDenoiser::Cpu(denoiser) => {
                BackendStream::Cpu(denoiser.clone().with_options(options).stream(sample_rate_hz, 1)?)
            }
        })
    }
}

/// A network on either backend.
#[expect(clippy::large_enum_variant, reason = "there are few")]
enum BackendDenoiser {
    Gpu(Denoiser<WebGpu>),
    Cpu(Denoiser<Flex>),
}

impl BackendDenoiser {
    /// How long it takes for a short signal at its own rate and level, in seconds, and what it makes of it.
    async fn timed(&self, signal: &[f32]) -> shared::Result<(f64, Vec<f32>)> {
        if let Self::Gpu(_) = self {
            self.run(signal).await?; // programs for this length are made now
        }
        let started = now();
        let output = self.run(signal).await?;
        Ok(((now() - started).max(1e-4), output))
    }

    /// What it makes of it.
    async fn run(&self, signal: &[f32]) -> shared::Result<Vec<f32>> {
        match self {
            Self::Gpu(denoiser) => denoiser.pieces(signal, |_| {}).await,
            Self::Cpu(denoiser) => denoiser.pieces(signal, |_| {}).await,
        }
    }
}

/// One channel being denoised on either backend.
#[expect(clippy::large_enum_variant, reason = "there are few")]
pub enum BackendStream {
    /// On the graphics processor.
    Gpu(stream::Stream<WebGpu>),
    /// On the processor.
    Cpu(stream::Stream<Flex>),
}

impl BackendStream {
    /// What is denoised after these samples have come.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn push(&mut self, samples: &[f32]) -> shared::Result<Vec<f32>> {
        let output = match self {
            Self::Gpu(stream) => stream.push(&[samples]).await,
            Self::Cpu(stream) => stream.push(&[samples]).await,
        };
        finite(output?)
    }

    /// The rest, as the signal ends here; then the stream is as new.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn flush(&mut self) -> shared::Result<Vec<f32>> {
        let output = match self {
            Self::Gpu(stream) => stream.flush().await,
            Self::Cpu(stream) => stream.flush().await,
        };
        finite(output?)
    }

    /// Forgets all that went in.
    pub fn reset(&mut self) {
        match self {
            Self::Gpu(stream) => stream.reset(),
            Self::Cpu(stream) => stream.reset(),
        }
    }

    /// Samples that are held back, at most.
    pub fn latency(&self) -> usize {
        match self {
            Self::Gpu(stream) => stream.latency(),
            Self::Cpu(stream) => stream.latency(),
        }
    }
}

/// The one channel, if it can be played.
fn finite(mut channels: Vec<Vec<f32>>) -> shared::Result<Vec<f32>> {
    let channel = channels.pop().unwrap_or_default();
    match channel.iter().all(|sample| sample.is_finite()) {
        true => Ok(channel),
        false => Err(not_finite()),
    }
}

fn not_finite() -> shared::Error {
    shared::Error::Device("what it computes is not finite".into())
}

/// Noise that falls towards high frequencies as most sound does, at the level that networks expect.
fn sound(length: usize) -> Vec<f32> {
    let (mut random, mut smooth) = (1u32, 0.0);
    let step = |_| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        smooth += 0.2 * ((random >> 8) as f32 / (1 << 23) as f32 - 1.0 - smooth);
        smooth * (INPUT_RMS / 0.19) // about its RMS
    };
    (0..length).map(step).collect()
}

/// A speed in a few words.
fn times(speed: f64) -> String {
    if speed < 1.0 { format!("{speed:.2}×") } else { format!("{speed:.1}×") }
}

fn refused(error: shared::Error) -> Failure {
    Failure::NoModel(error.to_string())
}
