//! Clipping gradients by their norm over all weights together. Burn's own clipping looks at each tensor alone.

use burn::module::{ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use shared::nn::Network;

/// Scales all gradients so that their common norm is at most `max_norm`. None where the norm is not finite.
pub fn clip_global_norm<B: AutodiffBackend>(
    network: &Network<B>,
    mut gradients: GradientsParams,
    max_norm: f32,
) -> Option<GradientsParams> {
    let mut energy = Energy { gradients: &gradients, sum: None::<Tensor<B::InnerBackend, 1>> };
    network.visit(&mut energy);
    let norm = energy.sum?.sqrt().into_scalar().elem::<f32>();
    if !norm.is_finite() {
        return None;
    }
    if norm > max_norm {
        network.visit(&mut Scale { gradients: &mut gradients, factor: max_norm / norm });
    }
    Some(gradients)
}

struct Energy<'a, B: Backend> {
    gradients: &'a GradientsParams,
    sum: Option<Tensor<B, 1>>,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Energy<'_, B::InnerBackend> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let Some(gradient) = self.gradients.get::<B::InnerBackend, D>(param.id) else { return };
        let energy = gradient.powi_scalar(2).sum();
        self.sum = Some(match self.sum.take() {
            Some(sum) => sum + energy,
            None => energy,
        });
    }
}

struct Scale<'a> {
    gradients: &'a mut GradientsParams,
    factor: f32,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        if let Some(gradient) = self.gradients.remove::<B::InnerBackend, D>(param.id) {
            self.gradients.register::<B::InnerBackend, D>(param.id, gradient * self.factor);
        }
    }
}
