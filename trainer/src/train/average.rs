//! A moving average of the weights: Polyak and Juditsky 1992, "Acceleration of Stochastic Approximation by Averaging", here an
//! exponential one as is common.

use burn::module::{AutodiffModule, Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use shared::nn::Network;

/// An exponential moving average of a network's weights, and of its running statistics: those are averages already, but of so few
/// batches that scores go up and down with them.
pub struct Average {
    decay: f64,
    /// Burn's container of tensors by parameter.
    weights: GradientsParams,
}

impl Average {
    /// An average that begins with the weights of `network`. `decay` is the share of the old in every update, 0 to 1.
    pub fn new<B: AutodiffBackend>(network: &Network<B>, decay: f64) -> Self {
        let mut average = Self { decay, weights: GradientsParams::new() };
        average.blend(network, 0.0);
        average
    }

    /// Share of the old in every update.
    pub fn decay(&self) -> f64 {
        self.decay
    }

    /// Takes the weights of `network` in. In the first steps the average is of what there was: the share of the old is at most
    /// `(step + 1) / (step + 10)`.
    pub fn update<B: AutodiffBackend>(&mut self, network: &Network<B>, step: usize) {
        self.blend(network, self.decay.min((step + 1) as f64 / (step + 10) as f64));
    }

    /// Takes the averaged weights of an earlier run in place of its own.
    pub fn restore<B: AutodiffBackend>(&mut self, averaged: &Network<B::InnerBackend>) {
        averaged.visit(&mut Restore { weights: &mut self.weights });
    }

    fn blend<B: AutodiffBackend>(&mut self, network: &Network<B>, decay: f64) {
        network.visit(&mut Blend { weights: &mut self.weights, decay });
    }

    /// The network with averaged weights, not to be trained.
    pub fn network<B: AutodiffBackend>(&self, network: &Network<B>) -> Network<B::InnerBackend> {
        network.valid().map(&mut Replace { weights: &self.weights })
    }
}

struct Blend<'a> {
    weights: &'a mut GradientsParams,
    decay: f64,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Blend<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let new = param.val().inner();
        let blended = match self.weights.remove::<B::InnerBackend, D>(param.id) {
            Some(old) => old * self.decay + new * (1.0 - self.decay),
            None => new,
        };
        self.weights.register::<B::InnerBackend, D>(param.id, blended);
    }
}

struct Restore<'a> {
    weights: &'a mut GradientsParams,
}

impl<B: Backend> ModuleVisitor<B> for Restore<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.weights.remove::<B, D>(param.id);
        self.weights.register::<B, D>(param.id, param.val());
    }
}

struct Replace<'a> {
    weights: &'a GradientsParams,
}

impl<B: Backend> ModuleMapper<B> for Replace<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        match self.weights.get::<B, D>(param.id) {
            Some(weights) => param.map(|_| weights),
            None => param,
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::{Autodiff, Flex};
    use shared::nn::NetworkConfig;
    use shared::weights::{Weight, Weights};

    use super::*;

    struct AddOne;

    impl<B: AutodiffBackend> ModuleMapper<B> for AddOne {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
            let trained = param.is_require_grad();
            param.map(|weights| Tensor::from_inner(weights.inner() + 1.0).set_require_grad(trained))
        }
    }

    #[test]
    fn the_average_of_weights_and_statistics_is_its_formula() {
        let config = NetworkConfig::preset("dcunet-small").expect("a preset");
        let network = config.init::<Autodiff<Flex>>(&Default::default());
        let values = |network: &Network<Flex>| Weights::of(network).expect("weights");
        let old = values(&network.valid());
        let mut average = Average::new(&network, 0.75);
        assert_eq!(values(&average.network(&network)), old);
        let network = network.map(&mut AddOne);
        average.update(&network, 1_000);
        let new = values(&average.network(&network));
        assert!(new.iter().any(|(name, _)| name.contains("running")));
        for (name, Weight { values, .. }) in new.iter() {
            let old = &old.get(name).expect("the same names").values;
            let error = values.iter().zip(old).map(|(new, old)| (new - old - 0.25).abs()).fold(0.0, f32::max);
            assert!(error < 1e-6, "{name}: {error}");
        }
    }
}
