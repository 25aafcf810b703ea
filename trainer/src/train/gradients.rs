//! What is done to gradients between the backward pass and the optimiser.

use burn::module::{ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::DType;
use burn::tensor::backend::AutodiffBackend;

/// Scales all gradients so that their norm over all weights together is at most `max_norm`; Burn's own clipping looks at each
/// tensor alone. Gives them and the norm that they had. None where that is not finite.
pub fn clip_global_norm<B: AutodiffBackend, M: Module<B>>(
    module: &M,
    mut gradients: GradientsParams,
    max_norm: f32,
) -> Option<(GradientsParams, f32)> {
    let mut energy = Energy { gradients: &gradients, sum: None::<Tensor<B::InnerBackend, 1>> };
    module.visit(&mut energy);
    let norm = energy.sum?.sqrt().into_scalar().elem::<f32>();
    if !norm.is_finite() {
        return None;
    }
    if norm > max_norm {
        module.visit(&mut Scale { gradients: &mut gradients, factor: max_norm / norm });
    }
    Some((gradients, norm))
}

/// Gradients of weights in another precision, brought to 32 bits and divided by `loss_scale`.
pub fn to_f32<B: AutodiffBackend, M: Module<B>>(
    module: &M,
    mut gradients: GradientsParams,
    loss_scale: f32,
) -> GradientsParams {
    module.visit(&mut Scale { gradients: &mut gradients, factor: 1.0 / loss_scale });
    gradients
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
            let gradient = gradient.cast(DType::F32) * self.factor;
            self.gradients.register::<B::InnerBackend, D>(param.id, gradient);
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::{Autodiff, Flex};
    use shared::nn::NetworkConfig;

    use super::*;

    type B = Autodiff<Flex>;

    /// Fills every gradient with a value.
    struct Fill<'a>(&'a mut GradientsParams, f32);

    impl ModuleVisitor<B> for Fill<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            self.0.register::<Flex, D>(param.id, param.val().inner().zeros_like() + self.1);
        }
    }

    #[test]
    fn norms_are_clipped_over_all_weights_and_must_be_finite() {
        let config = NetworkConfig::preset("autoencoder").expect("a preset");
        let network = config.init::<B>(&Default::default());
        let clip = |value: f32| {
            let mut gradients = GradientsParams::new();
            network.visit(&mut Fill(&mut gradients, value));
            clip_global_norm(&network, gradients, 3.0)
        };
        let count = (config.parameters() as f32).sqrt();
        for (value, expected) in [(1.0, 3.0), (1.0 / count, 1.0)] {
            let (gradients, norm) = clip(value).expect("finite");
            assert!((norm - value * count).abs() < 1e-2 * norm, "{norm}");
            let (_, clipped) = clip_global_norm(&network, gradients, 1e9).expect("finite");
            assert!((clipped - expected).abs() < 1e-2, "{clipped}");
        }
        assert!(clip(f32::NAN).is_none() && clip(f32::INFINITY).is_none());
    }
}
