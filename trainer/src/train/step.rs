//! One step of training: from a batch to gradients, on one device or on several.

use std::sync::Arc;

use burn::data::dataloader::{DataLoaderIterator, Progress};
use burn::module::{Module, ModuleMapper, Param};
use burn::optim::{GradientsAccumulator, GradientsParams, Optimizer};
use burn::prelude::*;
use burn::tensor::FloatDType;
use burn::tensor::backend::AutodiffBackend;
use burn_train::train::MultiDevicesTrainStep;
use burn_train::{InferenceStep, ItemLazy, LearningComponentsMarker, TrainOutput, TrainStep};
use shared::loss::Objective;
use shared::nn::Network;

use super::gradients;
use super::pieces::{BatchPiece, Cut};
use crate::data::Item;
use crate::recipe::ComputePrecision;

/// The loss is multiplied by this before a backward pass in f16, whose smallest numbers gradients would fall below.
const F16_LOSS_SCALE: f32 = 1024.0;

/// A network to be trained. It wraps [`Network`] because Burn's traits and that type are both from elsewhere.
#[derive(Module, Debug)]
pub struct Trainee<B: Backend> {
    /// The network.
    pub network: Network<B>,
}

/// How the batches of a run become losses.
#[derive(Clone, Debug)]
pub struct How {
    /// What is minimised.
    pub objective: Objective,
    /// How batches are cut.
    pub cut: Cut,
    /// What is computed with.
    pub precision: ComputePrecision,
}

/// A device's share of a batch.
#[derive(Debug)]
pub struct BatchShare {
    /// Its number.
    number: usize,
    /// The items.
    items: Vec<Item>,
    /// Items in the whole batch.
    batch_size: usize,
    how: Arc<How>,
}

/// A share's part of the loss.
#[derive(Clone, Copy, Debug)]
pub struct ShareLoss {
    number: usize,
    loss: f64,
}

impl ItemLazy for ShareLoss {
    type ItemSync = Self;

    fn sync(self) -> Self {
        self
    }
}

impl<B: Backend> Trainee<B> {
    /// The loss of one piece, each item weighted by its share of the batch and of itself.
    fn loss(&self, share: &BatchShare, piece: &BatchPiece) -> Tensor<B, 1> {
        let device = self.devices().into_iter().next().unwrap_or_default();
        let side = |side: fn(&Item) -> &[f32]| stack(share, piece, side, &device);
        let (noisy, clean) = (side(|item| &item.noisy), side(|item| &item.clean));
        let estimate = self.network.forward(noisy.clone());
        // Nothing is padded and nothing is context where all of every row counts.
        let partly = piece.counted.iter().any(|range| *range != (0..piece.window.len()));
        let losses = share.how.objective.per_item(noisy, clean, estimate, partly.then_some(&piece.counted));
        let weights = piece
            .rows
            .iter()
            .zip(&piece.counted)
            .map(|(&row, counted)| counted.len() as f32 / (share.items[row].clean.len() * share.batch_size) as f32);
        let weights: Vec<f32> = weights.collect();
        (losses * Tensor::from_floats(weights.as_slice(), &device)).sum()
    }
}

/// One side of a piece, `[rows, 1, samples]`, zeros where an item has ended.
fn stack<B: Backend>(
    share: &BatchShare,
    piece: &BatchPiece,
    side: fn(&Item) -> &[f32],
    device: &B::Device,
) -> Tensor<B, 3> {
    let samples = piece.window.len();
    let mut values = vec![0.0; piece.rows.len() * samples];
    for (row, values) in piece.rows.iter().zip(values.chunks_exact_mut(samples)) {
        let signal = side(&share.items[*row]);
        let end = signal.len().min(piece.window.end);
        values[..end - piece.window.start].copy_from_slice(&signal[piece.window.start..end]);
    }
    Tensor::from_data(TensorData::new(values, [piece.rows.len(), 1, samples]), device)
}

impl<B: AutodiffBackend> TrainStep for Trainee<B> {
    type Input = BatchShare;
    type Output = ShareLoss;

    fn step(&self, share: BatchShare) -> TrainOutput<ShareLoss> {
        let lengths: Vec<usize> = share.items.iter().map(|item| item.clean.len()).collect();
        let mut sum = GradientsAccumulator::<Self>::new();
        let mut loss = 0.0;
        let (dtype, loss_scale) = match share.how.precision {
            ComputePrecision::F32 => (None, 1.0),
            ComputePrecision::Bf16 => (Some(FloatDType::BF16), 1.0),
            ComputePrecision::F16 => (Some(FloatDType::F16), F16_LOSS_SCALE),
        };
        // The same parameters by their ids, so its gradients are those of this network.
        let cast = dtype.map(|dtype| self.clone().map(&mut Cast(dtype)));
        let network = cast.as_ref().unwrap_or(self);
        for piece in share.how.cut.pieces(&lengths) {
            let part = network.loss(&share, &piece);
            let backward = (part.clone() * loss_scale).backward();
            // Read once the backward pass is on its way: the device need not wait for us in between.
            loss += part.into_scalar().elem::<f64>();
            sum.accumulate(self, GradientsParams::from_grads(backward, network));
        }
        let mut grads = sum.grads();
        if dtype.is_some() {
            grads = gradients::to_f32(self, grads, loss_scale);
        }
        TrainOutput { grads, item: ShareLoss { number: share.number, loss } }
    }
}

impl<B: Backend> InferenceStep for Trainee<B> {
    type Input = BatchShare;
    type Output = ShareLoss;

    /// The loss, in 32 bits and without gradients.
    fn step(&self, share: BatchShare) -> ShareLoss {
        let lengths: Vec<usize> = share.items.iter().map(|item| item.clean.len()).collect();
        let losses = share.how.cut.pieces(&lengths).into_iter();
        let loss = losses.map(|piece| self.loss(&share, &piece).into_scalar().elem::<f64>()).sum();
        ShareLoss { number: share.number, loss }
    }
}

/// Weights in another precision, as leaves of a graph of their own. Running statistics stay as they are.
struct Cast(FloatDType);

impl<B: AutodiffBackend> ModuleMapper<B> for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        if !param.is_require_grad() {
            return param;
        }
        param.map(|weights| Tensor::from_inner(weights.inner().cast(self.0)).require_grad())
    }
}

/// What Burn's data-parallel step wants to know of a run; the learning rate is no business of it.
type StepComponents<B, O> = LearningComponentsMarker<B, f64, Trainee<B>, O>;

/// Steps on all devices of a run.
pub struct Stepper<B: AutodiffBackend, O: Optimizer<Trainee<B>, B> + 'static> {
    how: Arc<How>,
    devices: Vec<B::Device>,
    /// Burn's own data-parallel step, where there are several devices.
    several: Option<MultiDevicesTrainStep<StepComponents<B, O>>>,
}

impl<B: AutodiffBackend, O: Optimizer<Trainee<B>, B> + 'static> Stepper<B, O> {
    /// Steps on these devices, of which there is at least one.
    pub fn new(how: How, devices: Vec<B::Device>) -> Self {
        let several = (devices.len() > 1).then(|| MultiDevicesTrainStep::new(&devices));
        Self { how: Arc::new(how), devices, several }
    }

    /// The loss of a batch, the mean over its items, and its gradients, on the first device.
    pub fn step(&self, trainee: &Trainee<B>, batch: Vec<Item>) -> (f64, GradientsParams) {
        let batch_size = batch.len();
        let share =
            |(number, items): (usize, Vec<Item>)| BatchShare { number, items, batch_size, how: self.how.clone() };
        let Some(several) = &self.several else {
            let output = TrainStep::step(trainee, share((0, batch)));
            return (output.item.loss, output.grads);
        };
        let size = batch_size.div_ceil(self.devices.len());
        let mut items = batch.into_iter();
        let shares = (0..self.devices.len()).map(|number| share((number, items.by_ref().take(size).collect())));
        let mut loaders: Vec<Box<dyn DataLoaderIterator<BatchShare>>> =
            shares.filter(|share| !share.items.is_empty()).map(|share| Box::new(OneShare(Some(share))) as _).collect();
        // It asks as many loaders as there are devices.
        loaders.resize_with(self.devices.len(), || Box::new(OneShare(None)));
        let (mut outputs, _) = several.step(&mut loaders, trainee);
        // They come as they are ready; sums of floats depend on their order.
        outputs.sort_by_key(|output| output.output.item.number);
        let mut sum = GradientsAccumulator::<Trainee<B>>::new();
        let mut loss = 0.0;
        for TrainOutput { grads, item } in outputs.into_iter().map(|output| output.output) {
            sum.accumulate(trainee, grads.to_device(&self.devices[0], trainee));
            loss += item.loss;
        }
        (loss, sum.grads())
    }
}

/// A loader of one share, as Burn's step asks for.
struct OneShare(Option<BatchShare>);

impl Iterator for OneShare {
    type Item = BatchShare;

    fn next(&mut self) -> Option<BatchShare> {
        self.0.take()
    }
}

impl DataLoaderIterator<BatchShare> for OneShare {
    fn progress(&self) -> Progress {
        Progress { items_processed: 1, items_total: 1 }
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::{Autodiff, Flex};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use shared::loss::Loss;
    use shared::nn::{NetworkConfig, WavenetConfig};

    use super::*;
    use crate::train::Adam;

    type B = Autodiff<Flex>;

    fn item(len: usize, seed: u64) -> Item {
        let sound = |seed| shared::synth::speech(len, 16_000, &mut ChaCha8Rng::seed_from_u64(seed));
        Item { clean: sound(seed), noisy: sound(!seed) }
    }

    fn networks() -> [NetworkConfig; 2] {
        let small = WavenetConfig { stacks: 1, blocks_per_stack: 5, ..WavenetConfig::small() };
        [NetworkConfig::preset("autoencoder").expect("a preset"), NetworkConfig::Wavenet(small)]
    }

    fn how(config: &NetworkConfig, loss: Loss, piece_length: Option<usize>) -> How {
        let cut = Cut { piece_length, context: config.context(), alignment: config.alignment() };
        How { objective: Objective::single(loss), cut, precision: ComputePrecision::F32 }
    }

    fn trainee(config: &NetworkConfig) -> Trainee<B> {
        Trainee { network: config.init(&Default::default()) }
    }

    fn step(trainee: &Trainee<B>, how: How, devices: usize, items: &[Item]) -> (f64, Vec<f32>) {
        let stepper = Stepper::<B, Adam<B>>::new(how, vec![Default::default(); devices]);
        let (loss, gradients) = stepper.step(trainee, items.to_vec());
        struct Collect<'a>(&'a GradientsParams, Vec<f32>);
        impl burn::module::ModuleVisitor<B> for Collect<'_> {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
                if let Some(gradient) = self.0.get::<Flex, D>(param.id) {
                    self.1.extend(gradient.into_data().iter::<f32>());
                }
            }
        }
        let mut collect = Collect(&gradients, Vec::new());
        trainee.visit(&mut collect);
        (loss, collect.1)
    }

    /// The largest difference, relative to the largest value.
    fn difference(a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len());
        let largest = b.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest
    }

    #[test]
    fn pieces_add_up_to_the_whole() {
        let items = [item(9_000, 1), item(3_500, 2), item(6_001, 3)];
        for config in networks() {
            let trainee = trainee(&config);
            let (loss, gradients) = step(&trainee, how(&config, Loss::L1, None), 1, &items);
            for length in [1_000, 4_096] {
                let (pieces_loss, pieces) = step(&trainee, how(&config, Loss::L1, Some(length)), 1, &items);
                assert!((loss - pieces_loss).abs() < 1e-5 * loss.abs(), "{pieces_loss} in pieces, {loss} at once");
                let difference = difference(&pieces, &gradients);
                assert!(difference < 1e-4, "pieces of {length}: {difference}");
            }
        }
    }

    #[test]
    fn an_items_part_does_not_depend_on_what_it_is_batched_with() {
        // The padding after the short one is longer than any network looks.
        let [short, long, longer] = [item(2_500, 1), item(9_000, 2), item(11_001, 3)];
        for config in networks() {
            for loss in [Loss::L1, Loss::Wsdr, Loss::CompressedSpectrum] {
                let trainee = trainee(&config);
                let part = |other: &Item| {
                    let step = |items: &[Item]| step(&trainee, how(&config, loss, None), 1, items);
                    let (both, alone) = (step(&[short.clone(), other.clone()]), step(std::slice::from_ref(other)));
                    let gradient: Vec<f32> =
                        both.1.iter().zip(&alone.1).map(|(both, alone)| 2.0 * both - alone).collect();
                    (2.0 * both.0 - alone.0, gradient)
                };
                let (a, b) = (part(&long), part(&longer));
                assert!((a.0 - b.0).abs() < 1e-4 * a.0.abs(), "{loss}: {} and {}", a.0, b.0);
                let difference = difference(&a.1, &b.1);
                assert!(difference < 1e-3, "{loss}: {difference}");
            }
        }
    }

    #[test]
    fn several_devices_share_a_batch() {
        let items: Vec<Item> = (0..5).map(|seed| item(3_000, seed)).collect();
        for config in networks() {
            let trainee = trainee(&config);
            let one = step(&trainee, how(&config, Loss::Wsdr, None), 1, &items);
            // The last of four devices has nothing to do.
            for devices in [2, 4] {
                let several = step(&trainee, how(&config, Loss::Wsdr, None), devices, &items);
                assert!((one.0 - several.0).abs() < 1e-5);
                let difference = difference(&several.1, &one.1);
                assert!(difference < 1e-4, "{devices} devices: {difference}");
            }
        }
    }

    #[test]
    fn half_precision_is_near_and_leaves_weights_and_statistics_alone() {
        let items: Vec<Item> = (0..3).map(|seed| item(4_000, seed)).collect();
        for preset in ["autoencoder", "wavenet-small", "dcunet-small"] {
            let config = NetworkConfig::preset(preset).expect("a preset");
            let trainee = trainee(&config);
            let full = step(&trainee, how(&config, Loss::Wsdr, None), 1, &items);
            for precision in [ComputePrecision::Bf16, ComputePrecision::F16] {
                let how = How { precision, ..how(&config, Loss::Wsdr, None) };
                let half = step(&trainee, how, 1, &items);
                assert!((full.0 - half.0).abs() < 0.02, "{preset}, {precision:?}: {} in 32 bits, {}", full.0, half.0);
                let dot =
                    |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
                let cosine = dot(&full.1, &half.1) / (dot(&full.1, &full.1) * dot(&half.1, &half.1)).sqrt();
                assert!(cosine > 0.98, "{preset}, {precision:?}: the gradients' cosine is {cosine}");
            }
            struct Floats(Vec<burn::tensor::DType>);
            impl burn::module::ModuleVisitor<B> for Floats {
                fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
                    self.0.push(param.val().dtype());
                }
            }
            let mut floats = Floats(Vec::new());
            trainee.visit(&mut floats);
            assert!(floats.0.iter().all(|dtype| *dtype == burn::tensor::DType::F32), "{:?}", floats.0);
        }
    }
}
