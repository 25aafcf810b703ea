//! Where tensors live.

use std::fmt;
use std::str::FromStr;

use anyhow::Result;
use burn::backend::Flex;
use burn::tensor::backend::Backend;
use shared::nn::Phrasing;

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
pub trait DeviceJob {
    /// What it gives back.
    type Output;

    /// Does the work on `device`.
    fn run<B: Backend>(self, device: B::Device) -> Result<Self::Output>;
}

impl Device {
    /// How networks are phrased for this device's backend; `docs/benchmarks.md` has the times.
    pub fn phrasing(self) -> Phrasing {
        match self {
            Self::Cpu => Phrasing::Products,
            Self::Wgpu | Self::Cuda(_) => Phrasing::Convolutions,
        }
    }

    /// Does `job` on this device.
    ///
    /// # Errors
    /// When the program was built without the device's backend, there is no such device, or the job fails.
    pub fn run<J: DeviceJob>(self, job: J) -> Result<J::Output> {
        match self {
            Self::Cpu => job.run::<Flex>(Default::default()),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => self.guard(|| job.run::<burn::backend::Wgpu>(Default::default())),
            #[cfg(feature = "cuda")]
            Self::Cuda(index) => {
                self.guard(|| job.run::<burn::backend::Cuda>(burn::backend::cuda::CudaDevice::new(index)))
            }
            #[cfg(not(all(feature = "wgpu", feature = "cuda")))]
            missing => Err(missing.not_built_in()),
        }
    }

    /// What to do about a backend that this program lacks.
    pub fn not_built_in(self) -> anyhow::Error {
        let feature = if self == Self::Wgpu { "wgpu" } else { "cuda" };
        anyhow::anyhow!(
            "this build has no {feature} backend; build it with `--features {feature}`, or use --device cpu"
        )
    }

    /// Does `work` on this device, which is no CPU.
    ///
    /// GPU backends panic when there is no such device, or when it is lost. That is no bug of ours, so it becomes an error of
    /// one line: the reason of the first panic, which is often on a thread of the backend's own.
    ///
    /// # Errors
    /// When the work fails or panics.
    pub fn guard<T>(self, work: impl FnOnce() -> Result<T>) -> Result<T> {
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
        result.unwrap_or_else(|_| {
            let reason = first.lock().ok().and_then(|first| first.clone()).unwrap_or_default();
            // Some are pages long, and begin with what matters.
            let reason: String = reason.lines().next().unwrap_or_default().chars().take(100).collect();
            anyhow::bail!("device {self} cannot be used; is there one, with its driver? {reason}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named_as_documented() {
        for (text, device) in
            [("cpu", Device::Cpu), ("wgpu", Device::Wgpu), ("cuda", Device::Cuda(0)), ("cuda:3", Device::Cuda(3))]
        {
            assert_eq!(text.parse(), Ok(device));
            assert_eq!(device.to_string().parse(), Ok(device));
        }
        for text in ["gpu", "", "cpu:1", "cuda:", "cuda:x"] {
            assert!(text.parse::<Device>().expect_err(text).contains("expected cpu"), "{text}");
        }
    }

    #[test]
    fn a_panic_of_a_backend_is_an_error_of_one_line() {
        let failed = Device::Cuda(7).guard(|| -> Result<()> { panic!("no driver\nand a page more") });
        let message = failed.expect_err("a panic").to_string();
        assert!(message.contains("cuda:7") && message.ends_with("no driver"), "{message}");
    }
}
