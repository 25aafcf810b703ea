//! Comparisons with what `scripts/generate_fixtures.py` wrote, on any backend.

use burn::module::{AutodiffModule, Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::Weights;
use shared::dsp::StftConfig;
use shared::loss::Loss;
use shared::nn::dcunet::complex::{ComplexBatchNorm, ComplexConv2d, ComplexConvTranspose2d};
use shared::nn::{Network, NetworkConfig, Phrasing};

/// Every fixture that holds a whole network.
const NETWORKS: [&str; 9] = [
    "autoencoder",
    "wavenet",
    "gated-residual-block",
    "framed-wavenet",
    "dcunet-10",
    "dcunet-20",
    "compressed-dcunet",
    "bounded-mask",
    "rnnformer",
];

/// How far results may be from PyTorch's, relative to the largest of them.
#[derive(Clone, Copy)]
pub struct Tolerance {
    pub forward: f32,
    pub gradient: f32,
}

/// One file of named tensors.
pub struct Fixture {
    name: String,
    tensors: Weights,
    config: Value,
}

impl Fixture {
    pub fn load(name: &str) -> Self {
        let path = format!("{}/tests/fixtures/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
        let (tensors, notes) = Weights::from_safetensors(&std::fs::read(path).expect("a file")).expect("tensors");
        let config = notes.get("config").map(|config| serde_json::from_str(config).expect("JSON")).unwrap_or_default();
        Self { name: name.into(), tensors, config }
    }

    pub fn config<T: DeserializeOwned>(&self) -> T {
        serde_json::from_value(self.config.clone()).expect("a configuration")
    }

    pub fn values(&self, name: &str) -> &[f32] {
        &self.tensors.get(name).unwrap_or_else(|| panic!("{}: no tensor {name}", self.name)).values
    }

    pub fn tensor<B: Backend, const D: usize>(&self, name: &str) -> Tensor<B, D> {
        let shape = self.tensors.get(name).unwrap_or_else(|| panic!("{}: no tensor {name}", self.name)).shape.clone();
        Tensor::from_data(TensorData::new(self.values(name).to_vec(), shape), &B::Device::default())
    }

    /// The tensors whose names start like this, under the rest of their names.
    pub fn below(&self, prefix: &str) -> Weights {
        let mut found = Weights::default();
        for (name, weight) in self.tensors.iter() {
            if let Some(rest) = name.strip_prefix(prefix) {
                found.insert(rest, weight.shape.clone(), weight.values.clone()).expect("valid already");
            }
        }
        found
    }

    fn network<B: Backend>(&self) -> Network<B> {
        let config: NetworkConfig = serde_json::from_value(self.config["network"].clone()).expect("a configuration");
        self.below("weights.").network(&config, &B::Device::default()).expect("the weights of that network")
    }

    /// Fails unless `got` is what PyTorch gave as `name`.
    #[track_caller]
    pub fn compare<B: Backend, const D: usize>(&self, name: &str, got: Tensor<B, D>, tolerance: f32) {
        self.compare_values(name, &got.into_data().iter::<f32>().collect::<Vec<_>>(), self.values(name), tolerance);
    }

    #[track_caller]
    pub fn compare_values(&self, name: &str, got: &[f32], expected: &[f32], tolerance: f32) {
        let scale = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        let error = crate::common::largest_difference(got, expected) / scale;
        println!("{:32} {name:45} {error:.1e}", self.name);
        assert!(error <= tolerance, "{}: {name} is off by {error:e} of its largest value {scale:e}", self.name);
    }

    /// Compares every tensor below `prefix` with the one of the same name, and fails if either side has others.
    #[track_caller]
    fn compare_all(&self, prefix: &str, got: &Weights, tolerance: f32) {
        let expected = self.below(prefix);
        assert!(expected.iter().len() > 0, "{}: nothing below {prefix}", self.name);
        let names = |weights: &Weights| weights.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(names(got), names(&expected), "{}: {prefix}", self.name);
        let largest = |values: &[f32]| values.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        let overall = expected.iter().map(|(_, weight)| largest(&weight.values)).fold(0.0, f32::max);
        for ((name, got), (_, expected)) in got.iter().zip(expected.iter()) {
            assert_eq!(got.shape, expected.shape, "{}: {prefix}{name}", self.name);
            // What follows takes any constant away again: there is nothing to be relative to but the others.
            if largest(&expected.values) < 1e-9 * overall {
                assert!(largest(&got.values) < 1e-6 * overall, "{}: {prefix}{name} is not 0", self.name);
                continue;
            }
            self.compare_values(&format!("{prefix}{name}"), &got.values, &expected.values, tolerance);
        }
    }
}

/// The gradients of a module's parameters under the names of [`Weights`].
struct Gradients<'a> {
    gradients: &'a GradientsParams,
    path: Vec<String>,
    found: Weights,
}

impl<'a> Gradients<'a> {
    fn of<B: AutodiffBackend>(module: &impl Module<B>, gradients: &'a GradientsParams) -> Weights {
        let mut visitor = Self { gradients, path: Vec::new(), found: Weights::default() };
        module.visit(&mut visitor);
        visitor.found
    }
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Gradients<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        if !container_type.starts_with("Enum:") {
            self.path.push(name.into());
        }
    }

    fn exit_module(&mut self, _: &str, container_type: &str) {
        if !container_type.starts_with("Enum:") {
            self.path.pop();
        }
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        // Running statistics have none.
        if let Some(gradient) = self.gradients.get::<B::InnerBackend, D>(param.id) {
            let data = gradient.into_data();
            self.found.insert(&self.path.join("."), data.shape.to_vec(), data.iter::<f32>().collect()).expect("finite");
        }
    }
}

/// Statistics that a batch changes.
fn statistics(weights: &Weights) -> Weights {
    let mut found = Weights::default();
    for (name, weight) in weights.iter().filter(|(name, _)| name.contains("running_")) {
        found.insert(name, weight.shape.clone(), weight.values.clone()).expect("finite");
    }
    found
}

/// Whole networks as they are used: as modules, and in the given forms for inference.
pub fn networks_infer<B: Backend>(phrasings: &[Phrasing], tolerance: Tolerance) {
    for name in NETWORKS {
        let fixture = Fixture::load(name);
        let network = fixture.network::<B>();
        fixture.compare("output", network.forward(fixture.tensor("noisy")), tolerance.forward);
        for &phrasing in phrasings {
            let network = network.clone().for_inference(phrasing);
            fixture.compare("output", network.forward(fixture.tensor("noisy")), tolerance.forward);
        }
    }
}

/// Whole networks in one step of training: output, loss, gradients of all parameters, running statistics.
pub fn networks_train<B: AutodiffBackend>(tolerance: Tolerance) {
    for name in NETWORKS {
        let fixture = Fixture::load(name);
        let loss: Loss = serde_json::from_value(fixture.config["loss"].clone()).expect("a loss");
        let network = fixture.network::<B>();
        let noisy = fixture.tensor::<B, 3>("noisy");
        let output = network.forward(noisy.clone());
        fixture.compare("training_output", output.clone(), tolerance.forward);
        let loss = loss.forward(noisy, fixture.tensor("clean"), output);
        fixture.compare("loss", loss.clone(), tolerance.forward);
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        fixture.compare_all("gradients.", &Gradients::of(&network, &gradients), tolerance.gradient);
        let updated = statistics(&Weights::of(&network.valid()).expect("readable"));
        if updated.iter().len() > 0 {
            fixture.compare_all("updated.", &updated, tolerance.forward);
        }
    }
}

/// A recurrent network, frame by frame: the state after each frame, its estimate, and the signal in the end.
pub fn recurrent_states<B: Backend>(phrasings: &[Phrasing], tolerance: Tolerance) {
    let fixture = Fixture::load("rnnformer-stream");
    let config: NetworkConfig = serde_json::from_value(fixture.config["network"].clone()).expect("a configuration");
    let (hop_length, delay) = (config.alignment(), config.latency() - config.alignment());
    let (noisy, frames) = (fixture.values("noisy"), fixture.tensors.get("states").expect("states").shape[0]);
    for &phrasing in phrasings {
        let network = fixture.network::<B>().for_inference(phrasing);
        let network = network.recurrent().expect("a recurrent network");
        let mut memory = network.start();
        let (mut states, mut estimates, mut output) = (Vec::new(), Vec::new(), Vec::new());
        for frame in 0..frames {
            let mut hop: Vec<f32> = noisy.iter().skip(frame * hop_length).take(hop_length).copied().collect();
            hop.resize(hop_length, 0.0);
            let hop = Tensor::from_data(TensorData::new(hop, [1, 1, hop_length]), &B::Device::default());
            output.extend(network.advance(&mut memory, hop).into_data().iter::<f32>());
            let [_, estimate, of_blocks @ ..] = memory.tensors() else { panic!("no memory") };
            for part in estimate.clone().into_data().iter::<f32>().collect::<Vec<_>>().chunks(hop_length) {
                estimates.extend_from_slice(part);
                estimates.push(0.0); // the last bin
            }
            states
                .extend(of_blocks.iter().flat_map(|state| state.clone().into_data().iter::<f32>().collect::<Vec<_>>()));
        }
        fixture.compare_values("states", &states, fixture.values("states"), tolerance.forward);
        fixture.compare_values("estimate", &estimates, fixture.values("estimate"), tolerance.forward);
        let output = &output[delay..delay + noisy.len()];
        fixture.compare_values("output", output, fixture.values("output"), tolerance.forward);
    }
}

/// One layer: its output, and the gradients of a weighted sum of it.
fn layer<B: AutodiffBackend, M: AutodiffModule<B>>(
    fixture: &Fixture,
    prefix: &str,
    module: M,
    forward: impl Fn(&M, Tensor<B, 4>) -> Tensor<B, 4>,
    tolerance: Tolerance,
) -> M {
    let module = fixture.below(&format!("{prefix}weights.")).load_into(module).expect("the weights of that layer");
    let input = fixture.tensor::<B, 4>(&format!("{prefix}input")).require_grad();
    let output = forward(&module, input.clone());
    fixture.compare(&format!("{prefix}output"), output.clone(), tolerance.forward);
    let mut gradients = (output * fixture.tensor(&format!("{prefix}direction"))).sum().backward();
    let slope = input.grad_remove(&mut gradients).expect("depends on the input");
    fixture.compare(&format!("{prefix}input_gradient"), slope, tolerance.gradient);
    let gradients = GradientsParams::from_grads(gradients, &module);
    fixture.compare_all(&format!("{prefix}gradients."), &Gradients::of(&module, &gradients), tolerance.gradient);
    module
}

#[derive(serde::Deserialize)]
struct Convolution {
    channels: [usize; 2],
    kernel_size: [usize; 2],
    stride: [usize; 2],
}

pub fn complex_convolutions<B: AutodiffBackend>(tolerance: Tolerance) {
    let device = B::Device::default();
    let fixture = Fixture::load("complex-convolution");
    for (case, Convolution { channels, kernel_size, stride }) in fixture.config::<Vec<_>>().into_iter().enumerate() {
        let module = ComplexConv2d::<B>::new(channels, kernel_size, stride, &device);
        layer(&fixture, &format!("{case}."), module, ComplexConv2d::forward, tolerance);
    }
    let fixture = Fixture::load("complex-transposed-convolution");
    for (case, Convolution { channels, kernel_size, stride }) in fixture.config::<Vec<_>>().into_iter().enumerate() {
        let module = ComplexConvTranspose2d::<B>::new(channels, kernel_size, stride, &device);
        layer(&fixture, &format!("{case}."), module, ComplexConvTranspose2d::forward, tolerance);
    }
}

/// In training, then in evaluation with the statistics that this left.
pub fn complex_batch_norm<B: AutodiffBackend>(tolerance: Tolerance) {
    let fixture = Fixture::load("complex-batch-norm");
    let module = ComplexBatchNorm::<B>::new(3, &B::Device::default());
    let trained = layer(&fixture, "", module, ComplexBatchNorm::forward, tolerance).valid();
    fixture.compare_all("updated.", &statistics(&Weights::of(&trained).expect("readable")), tolerance.forward);
    let output = trained.forward(fixture.tensor("input"));
    fixture.compare("evaluated", output, tolerance.forward);
}

/// Transforms of signals, and inverses of spectra that no signal has.
pub fn transforms<B: Backend>(tolerance: Tolerance) {
    let fixture = Fixture::load("stft");
    for (case, config) in fixture.config::<Vec<StftConfig>>().into_iter().enumerate() {
        let name = |part: &str| format!("{case}.{part}");
        let stft = config.init::<B>(&B::Device::default());
        let signal = fixture.tensor::<B, 2>(&name("signal"));
        let samples = signal.dims()[1];
        fixture.compare(&name("spectrum"), stft.forward(signal), tolerance.forward);
        let inverse = stft.inverse(fixture.tensor(&name("changed")), samples);
        fixture.compare(&name("inverse"), inverse, tolerance.forward);
    }
}

/// Every loss and its gradient.
pub fn losses<B: AutodiffBackend>(tolerance: Tolerance) {
    let fixture = Fixture::load("loss");
    for loss in Loss::ALL {
        let name = loss.name();
        let estimate = fixture.tensor::<B, 3>("estimate").require_grad();
        let value = loss.forward(fixture.tensor("noisy"), fixture.tensor("clean"), estimate.clone());
        fixture.compare(name, value.clone(), tolerance.forward);
        let gradient = estimate.grad(&value.backward()).expect("depends on the estimate");
        fixture.compare(&format!("gradients.{name}"), gradient, tolerance.gradient);
    }
}
