//! Where tensors live.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, bail};
use burn::backend::{Autodiff, Flex};
use burn::tensor::backend::AutodiffBackend;

/// A device as people name it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// The CPU, all cores.
    #[default]
    Cpu,
    /// The default GPU through Vulkan, Metal or DirectX.
    Wgpu,
    /// An NVIDIA GPU by number.
    Cuda(usize),
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected cpu, wgpu, cuda or cuda:N, got {text:?}");
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "wgpu" => Ok(Self::Wgpu),
            None if text == "cuda" => Ok(Self::Cuda(0)),
            Some(("cuda", index)) => index.parse().map(Self::Cuda).map_err(|_| expected()),
            _ => Err(expected()),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Wgpu => f.write_str("wgpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

/// Work that is the same on every backend.
pub trait Job {
    /// What it gives back.
    type Output;

    /// Does the work on `device`. `B::InnerBackend` is the plain backend, for work that needs no gradients.
    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<Self::Output>;
}

impl Device {
    /// Does `job` on this device.
    ///
    /// # Errors
    /// When the program was built without the device's backend, or there is no such device, or the job fails.
    pub fn run<J: Job>(self, job: J) -> Result<J::Output> {
        match self {
            Self::Cpu => job.run::<Autodiff<Flex>>(Default::default()),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => guard(self, || job.run::<Autodiff<burn::backend::Wgpu>>(Default::default())),
            #[cfg(feature = "cuda")]
            Self::Cuda(index) => {
                guard(self, || job.run::<Autodiff<burn::backend::Cuda>>(burn::backend::cuda::CudaDevice::new(index)))
            }
            #[cfg(not(all(feature = "wgpu", feature = "cuda")))]
            missing => {
                let feature = if missing == Self::Wgpu { "wgpu" } else { "cuda" };
                bail!("this build has no {feature} backend; build it with `--features {feature}`, or use --device cpu")
            }
        }
    }
}

/// GPU backends panic when there is no such device. That is no bug of ours, so it becomes an error.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn guard<T>(device: Device, work: impl FnOnce() -> Result<T>) -> Result<T> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(panic) => {
            let reason = panic.downcast_ref::<String>().map(String::as_str);
            let reason = reason.or(panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
            bail!("device {device} failed: {reason}")
        }
    }
}
