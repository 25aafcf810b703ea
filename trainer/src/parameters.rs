//! Counting what a network has learnt. Burn's own count includes the running statistics of normalisation layers.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use shared::nn::Network;

/// Numbers in the network that training fits.
pub fn count<B: AutodiffBackend>(network: &Network<B>) -> usize {
    let mut trained = Trained(0);
    network.visit(&mut trained);
    trained.0
}

struct Trained(usize);

impl<B: AutodiffBackend> ModuleVisitor<B> for Trained {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let tensor = param.val();
        if tensor.is_require_grad() {
            self.0 += tensor.shape().num_elements();
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::{Autodiff, Flex};
    use shared::nn::NetworkConfig;

    use super::*;

    fn count_preset(name: &str) -> [usize; 2] {
        let network = NetworkConfig::preset(name).expect("a preset").init::<Autodiff<Flex>>(&Default::default());
        [count(&network), network.num_params()]
    }

    #[test]
    fn counts_the_reports_autoencoder() {
        assert_eq!(count_preset("autoencoder"), [131_105; 2]);
    }

    #[test]
    fn leaves_running_statistics_out() {
        // Complex channels that a normalisation follows, in the encoder and in the decoder.
        let channels = (16 + 32 + 32 + 32 + 32) + (32 + 32 + 32 + 16);
        let [trained, all] = count_preset("dcunet-small");
        // A mean of 2 numbers and a covariance of 3 for each.
        assert_eq!(all - trained, 5 * channels);
    }
}
