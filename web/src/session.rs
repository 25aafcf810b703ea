//! The backend in use, and the loaded network.

use burn::backend::wgpu::{WgpuDevice, graphics, init_setup_async};
use burn::backend::{Flex, WebGpu};
use shared::{Bundle, Denoiser, stream};

use crate::gpu;
use crate::protocol::{Backend, Failure};

/// The backend in use, and the loaded network.
#[allow(clippy::large_enum_variant, reason = "there is one, for as long as the worker lives")]
pub enum Session {
    /// On the graphics processor.
    Gpu(WgpuDevice, Option<Denoiser<WebGpu>>),
    /// On the processor.
    Cpu(Option<Denoiser<Flex>>),
}

impl Session {
    /// Chooses a backend, and says why: WebGPU where there is a real graphics processor, else the CPU. With `only`, that one or
    /// none.
    ///
    /// # Errors
    /// When WebGPU is asked for and cannot be used.
    pub async fn start(only: Option<Backend>) -> Result<(Self, String), Failure> {
        if only == Some(Backend::Cpu) {
            return Ok((Self::Cpu(None), "asked for in the address".into()));
        }
        match gpu::probe().await {
            Ok(adapter) if !adapter.software || only == Some(Backend::Webgpu) => {
                let device = WgpuDevice::default();
                init_setup_async::<graphics::WebGpu>(&device, Default::default()).await;
                Ok((Self::Gpu(device, None), adapter.name))
            }
            Ok(adapter) => Ok((Self::Cpu(None), format!("WebGPU is only emulated here, by {}", adapter.name))),
            Err(reason) if only == Some(Backend::Webgpu) => Err(Failure::NoBackend(reason)),
            Err(reason) => Ok((Self::Cpu(None), format!("no WebGPU: {reason}"))),
        }
    }

    /// Which backend it is.
    pub fn backend(&self) -> Backend {
        match self {
            Self::Gpu(..) => Backend::Webgpu,
            Self::Cpu(..) => Backend::Cpu,
        }
    }

    /// Takes a network, in place of the one there is.
    ///
    /// # Errors
    /// When the bundle is broken.
    pub fn load(&mut self, bundle: &Bundle) -> shared::Result<()> {
        match self {
            Self::Gpu(device, denoiser) => *denoiser = Some(Denoiser::new(bundle, device.clone())?),
            Self::Cpu(denoiser) => *denoiser = Some(Denoiser::new(bundle, Default::default())?),
        }
        Ok(())
    }

    /// A recording that comes bit by bit. None if no network is loaded.
    pub fn stream(&self, sample_rate_hz: u32, channels: usize) -> Option<shared::Result<Stream>> {
        Some(match self {
            Self::Gpu(_, denoiser) => denoiser.as_ref()?.stream(sample_rate_hz, channels).map(Stream::Gpu),
            Self::Cpu(denoiser) => denoiser.as_ref()?.stream(sample_rate_hz, channels).map(Stream::Cpu),
        })
    }
}

/// A recording being denoised on either backend.
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub enum Stream {
    /// On the graphics processor.
    Gpu(stream::Stream<WebGpu>),
    /// On the processor.
    Cpu(stream::Stream<Flex>),
}

impl Stream {
    /// As [`stream::Stream::push`].
    pub async fn push(&mut self, block: &[Vec<f32>]) -> shared::Result<Vec<Vec<f32>>> {
        match self {
            Self::Gpu(stream) => stream.push(block).await,
            Self::Cpu(stream) => stream.push(block).await,
        }
    }

    /// As [`stream::Stream::flush`].
    pub async fn flush(&mut self) -> shared::Result<Vec<Vec<f32>>> {
        match self {
            Self::Gpu(stream) => stream.flush().await,
            Self::Cpu(stream) => stream.flush().await,
        }
    }
}
