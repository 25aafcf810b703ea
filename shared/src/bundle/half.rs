//! Storing weights in 16 bits.

use std::rc::Rc;

use burn::tensor::DType;
use burn_store::{ModuleAdapter, TensorSnapshot};

use crate::nn::NetworkConfig;

/// Converts those weights that the network allows to be halved: from 32 bits to 16 on the way into a bundle, and back on the way
/// out. Burn's own adapter chooses by names of structs, so a renamed struct would silently keep its 32 bits.
#[derive(Clone)]
pub(super) struct HalfPrecision(NetworkConfig);

impl HalfPrecision {
    pub(super) fn of(config: &NetworkConfig) -> Self {
        Self(config.clone())
    }
}

impl ModuleAdapter for HalfPrecision {
    fn adapt(&self, snapshot: &TensorSnapshot) -> TensorSnapshot {
        let converted = match snapshot.dtype {
            DType::F32 => DType::F16,
            DType::F16 => DType::F32,
            _ => return snapshot.clone(),
        };
        if !self.0.is_halvable(&snapshot.full_path()) {
            return snapshot.clone();
        }
        let data = snapshot.clone_data_fn();
        TensorSnapshot::from_closure(
            Rc::new(move || Ok(data()?.convert_dtype(converted))),
            converted,
            snapshot.shape.clone(),
            snapshot.path_stack.clone().unwrap_or_default(),
            snapshot.container_stack.clone().unwrap_or_default(),
            snapshot.tensor_id.unwrap_or_default(),
        )
    }

    fn clone_box(&self) -> Box<dyn ModuleAdapter> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn_store::ModuleSnapshot;

    use super::*;
    use crate::nn::Precision;

    /// Exact, so that a weight which should be halved and is not shows.
    #[test]
    fn weights_are_as_large_as_foretold() {
        for config in NetworkConfig::tiny() {
            let network = config.init::<Flex>(&Default::default());
            let half = HalfPrecision::of(&config).clone_box();
            for (precision, adapter) in [(Precision::F32, None), (Precision::F16, Some(half))] {
                let stored = network.collect(None, adapter, false);
                let bytes = stored.iter().map(|it| (it.shape.num_elements() * it.dtype.size()) as u64);
                assert_eq!(bytes.sum::<u64>(), config.weight_bytes(precision), "{config:?} {precision:?}");
            }
        }
    }
}
