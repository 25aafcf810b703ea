//! Where tensors live.

use std::fmt;
use std::str::FromStr;

use anyhow::Result;
#[cfg(any(feature = "wgpu", feature = "cuda"))]
use anyhow::bail;
use burn::backend::autodiff::checkpoint::strategy::BalancedCheckpointing;
use burn::backend::{Autodiff, Flex};
use burn::tensor::backend::AutodiffBackend;

/// Most shares of a batch on the CPU.
const MAX_CPU_SHARES: usize = 256;

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

/// Work that is the same on every backend.
pub trait Job {
    /// What it gives back.
    type Output;

    /// Does the work on `device`. `B::InnerBackend` is the plain backend, for work that needs no gradients.
    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<Self::Output>;
}

/// Training, which is the same on every backend.
pub trait Training {
    /// What it gives back.
    type Output;

    /// Trains on `devices`, of which there is at least one.
    fn run<B: AutodiffBackend>(self, devices: Vec<B::Device>) -> Result<Self::Output>;
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
            Self::Cuda(index) => guard(self, || job.run::<Autodiff<burn::backend::Cuda>>(cuda(index))),
            #[cfg(not(all(feature = "wgpu", feature = "cuda")))]
            missing => Err(missing.not_built_in()),
        }
    }

    /// What to do about a backend that this program lacks.
    #[cfg(not(all(feature = "wgpu", feature = "cuda")))]
    fn not_built_in(self) -> anyhow::Error {
        let feature = if self == Self::Wgpu { "wgpu" } else { "cuda" };
        anyhow::anyhow!(
            "this build has no {feature} backend; build it with `--features {feature}`, or use --device cpu"
        )
    }
}

impl Devices {
    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Trains on these devices. With `checkpointing`, cheap activations are computed again in the backward pass.
    ///
    /// # Errors
    /// As [`Device::run`].
    pub fn train<J: Training>(&self, job: J, checkpointing: bool) -> Result<J::Output> {
        type Checkpointed<B> = Autodiff<B, BalancedCheckpointing>;
        match (self.0[0], checkpointing) {
            (Device::Cpu, false) => job.run::<Autodiff<Flex>>(vec![Default::default(); self.count()]),
            (Device::Cpu, true) => job.run::<Checkpointed<Flex>>(vec![Default::default(); self.count()]),
            #[cfg(feature = "wgpu")]
            (device @ Device::Wgpu, false) => {
                guard(device, || job.run::<Autodiff<burn::backend::Wgpu>>(vec![Default::default()]))
            }
            #[cfg(feature = "wgpu")]
            (device @ Device::Wgpu, true) => {
                guard(device, || job.run::<Checkpointed<burn::backend::Wgpu>>(vec![Default::default()]))
            }
            #[cfg(feature = "cuda")]
            (device @ Device::Cuda(_), false) => {
                guard(device, || job.run::<Autodiff<burn::backend::Cuda>>(self.cuda()))
            }
            #[cfg(feature = "cuda")]
            (device @ Device::Cuda(_), true) => {
                guard(device, || job.run::<Checkpointed<burn::backend::Cuda>>(self.cuda()))
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

/// GPU backends panic when there is no such device, or when it is lost. That is no bug of ours, so it becomes an error of one line: the
/// reason of the first panic, which is often on a thread of the backend's own.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn guard<T>(device: Device, work: impl FnOnce() -> Result<T>) -> Result<T> {
    use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
    use std::sync::{Arc, Mutex};

    let first = Arc::new(Mutex::new(None::<String>));
    let hook = take_hook();
    set_hook(Box::new({
        let first = first.clone();
        move |panic| {
            if let Ok(mut first) = first.lock() {
                first.get_or_insert_with(|| panic.payload_as_str().unwrap_or("unknown").to_owned());
            }
        }
    }));
    let result = catch_unwind(AssertUnwindSafe(work));
    set_hook(hook);
    match result {
        Ok(result) => result,
        Err(_) => {
            let reason = first.lock().ok().and_then(|first| first.clone()).unwrap_or_default();
            // Some are pages long, and begin with what matters.
            let reason: String = reason.lines().next().unwrap_or_default().chars().take(100).collect();
            bail!("device {device} cannot be used; is there one, with its driver? {reason}")
        }
    }
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
