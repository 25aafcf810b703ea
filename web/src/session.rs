//! The backend in use, and the loaded network.

use burn::backend::wgpu::{WgpuDevice, graphics, init_setup_async};
use burn::backend::{Flex, WebGpu};
use shared::{Audio, Bundle, Denoiser};

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

    /// Denoises a recording. None if no network is loaded.
    pub async fn denoise(&self, audio: &Audio, progress: impl FnMut(f64)) -> Option<shared::Result<Audio>> {
        match self {
            Self::Gpu(_, denoiser) => Some(denoiser.as_ref()?.denoise(audio, progress).await),
            Self::Cpu(denoiser) => Some(denoiser.as_ref()?.denoise(audio, progress).await),
        }
    }
}
