//! The number format of stored weights.

use serde::{Deserialize, Serialize};

/// How weights are stored. Inference uses `f32` either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Four bytes each.
    #[default]
    F32,
    /// Two bytes each, except the weights and statistics of normalisation layers, which could underflow.
    F16,
}
