//! Where networks are trained.

use std::str::FromStr;

use anyhow::Result;
use burn::backend::autodiff::checkpoint::strategy::BalancedCheckpointing;
use burn::backend::{Autodiff, Flex};
use burn::tensor::backend::AutodiffBackend;
use cli::device::Device;
use shared::nn::Phrasing;

/// Most shares of a batch on the CPU.
const MAX_CPU_SHARES: usize = 256;

/// One or several devices of a kind, which share the work of training: `cuda:0,cuda:1` for two GPUs, `cpu:2` for the CPU computing two
/// shares of every batch side by side. Much of what the CPU backend does uses one thread, so shares are how all cores get busy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Devices(Vec<Device>);

impl FromStr for Devices {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(shares) = text.strip_prefix("cpu:") {
            return match shares.parse() {
                Ok(shares @ 1..=MAX_CPU_SHARES) => Ok(Self(vec![Device::Cpu; shares])),
                _ => Err(format!("expected cpu:N with N from 1 to {MAX_CPU_SHARES}, got {text:?}")),
            };
        }
        let devices = text.split(',').map(|one| one.trim().parse()).collect::<Result<Vec<Device>, _>>()?;
        let several = devices.len() > 1;
        if several && devices.iter().any(|device| !matches!(device, Device::Cuda(_))) {
            return Err(format!("expected one device, several of the kind cuda:N, or cpu:N, got {text:?}"));
        }
        if (1..devices.len()).any(|index| devices[..index].contains(&devices[index])) {
            return Err(format!("expected every device once, got {text:?}"));
        }
        Ok(Self(devices))
    }
}

/// Training, which is the same on every backend.
pub trait TrainingJob {
    /// What it gives back.
    type Output;

    /// Trains on `devices`, of which there is at least one.
    fn run<B: AutodiffBackend>(self, devices: Vec<B::Device>) -> Result<Self::Output>;
}

impl From<Device> for Devices {
    fn from(device: Device) -> Self {
        Self(vec![device])
    }
}

impl Devices {
    /// How networks are phrased for these devices when they are only run.
    pub fn phrasing(&self) -> Phrasing {
        self.0[0].phrasing()
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Trains on these devices. With `checkpointing`, cheap activations are computed again in the backward pass.
    ///
    /// # Errors
    /// When the program was built without the devices' backend, there is no such device, or the training fails.
    pub fn train<J: TrainingJob>(&self, job: J, checkpointing: bool) -> Result<J::Output> {
        type Checkpointed<B> = Autodiff<B, BalancedCheckpointing>;
        match (self.0[0], checkpointing) {
            (Device::Cpu, false) => job.run::<Autodiff<Flex>>(vec![Default::default(); self.count()]),
            (Device::Cpu, true) => job.run::<Checkpointed<Flex>>(vec![Default::default(); self.count()]),
            #[cfg(feature = "wgpu")]
            (device @ Device::Wgpu, false) => {
                device.guard(|| job.run::<Autodiff<burn::backend::Wgpu>>(vec![Default::default()]))
            }
            #[cfg(feature = "wgpu")]
            (device @ Device::Wgpu, true) => {
                device.guard(|| job.run::<Checkpointed<burn::backend::Wgpu>>(vec![Default::default()]))
            }
            #[cfg(feature = "cuda")]
            (device @ Device::Cuda(_), false) => device.guard(|| job.run::<Autodiff<burn::backend::Cuda>>(self.cuda())),
            #[cfg(feature = "cuda")]
            (device @ Device::Cuda(_), true) => {
                device.guard(|| job.run::<Checkpointed<burn::backend::Cuda>>(self.cuda()))
            }
            #[cfg(not(all(feature = "wgpu", feature = "cuda")))]
            (missing, _) => Err(missing.not_built_in()),
        }
    }

    #[cfg(feature = "cuda")]
    fn cuda(&self) -> Vec<burn::backend::cuda::CudaDevice> {
        let index = |device: &Device| match device {
            Device::Cuda(index) => Some(cuda(*index)),
            _ => None,
        };
        self.0.iter().filter_map(index).collect()
    }
}

#[cfg(feature = "cuda")]
fn cuda(index: usize) -> burn::backend::cuda::CudaDevice {
    burn::backend::cuda::CudaDevice::new(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named_as_documented() {
        for (text, count) in [("cpu", 1), ("cpu:4", 4), ("wgpu", 1), ("cuda", 1), ("cuda:3", 1), ("cuda:0, cuda:2", 2)]
        {
            assert_eq!(text.parse::<Devices>().map(|devices| devices.count()), Ok(count), "{text}");
        }
        for (text, reason) in [
            ("gpu", "expected cpu"),
            ("", "expected cpu"),
            ("cpu,cuda:0", "of the kind"),
            ("cuda:0,cuda", "once"),
            ("cpu:0", "from 1"),
        ] {
            assert!(text.parse::<Devices>().expect_err(text).contains(reason), "{text}");
        }
    }
}
