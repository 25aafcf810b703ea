//! Several losses at once.

use core::fmt;
use core::ops::Range;
use std::collections::BTreeMap;

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::kinds::Loss;
use crate::error::{Error, Result};

/// A weighted sum of losses, of which there is at least one.
///
/// In files it is a map from [names](Loss::name) to weights, such as `{"wsdr": 1.0, "compressed-spectrum": 2.0}`; as
/// text it is `wsdr + 2 compressed-spectrum`. The losses differ in scale, so that weights
/// say little about what matters most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<Loss, f64>")]
pub struct Objective(BTreeMap<Loss, f64>);

impl Objective {
    /// The sum of these losses, each times its weight. One with a weight of 0 is left out.
    ///
    /// # Errors
    /// When no loss is left, or a weight is not a finite number from 0 on.
    pub fn new(mut weights: BTreeMap<Loss, f64>) -> Result<Self> {
        if let Some((loss, weight)) = weights.iter().find(|&(_, weight)| !(weight.is_finite() && *weight >= 0.0)) {
            return Err(Error::config(loss.name(), "a finite weight, 0 or above", weight));
        }
        weights.retain(|_, weight| *weight > 0.0);
        if weights.is_empty() {
            return Err(Error::config("objective", "at least one loss with a weight above 0", "none"));
        }
        Ok(Self(weights))
    }

    /// One loss, with a weight of 1.
    pub fn single(loss: Loss) -> Self {
        Self(BTreeMap::from([(loss, 1.0)]))
    }

    /// The losses and their weights, in the order of [`Loss::ALL`].
    pub fn weights(&self) -> impl ExactSizeIterator<Item = (Loss, f64)> {
        self.0.iter().map(|(&loss, &weight)| (loss, weight))
    }

    /// The sum for every item, of its samples in `counted` only; of all samples without. See [`Loss::per_item`].
    ///
    /// # Shapes
    /// `[batch, 1, samples]` each, and as many ranges as items → `[batch]`
    ///
    /// # Panics
    /// As [`Loss::per_item`].
    pub fn per_item<B: Backend>(
        &self,
        noisy: Tensor<B, 3>,
        clean: Tensor<B, 3>,
        estimate: Tensor<B, 3>,
        counted: Option<&[Range<usize>]>,
    ) -> Tensor<B, 1> {
        let [batch, ..] = clean.dims();
        let terms = self
            .weights()
            .map(|(loss, weight)| loss.per_item(noisy.clone(), clean.clone(), estimate.clone(), counted) * weight);
        terms.reduce(|sum, term| sum + term).unwrap_or_else(|| Tensor::zeros([batch], &clean.device()))
    }

    /// The mean of [`Self::per_item`] over the batch, `[1]`.
    ///
    /// # Panics
    /// As [`Loss::per_item`].
    pub fn forward<B: Backend>(
        &self,
        noisy: Tensor<B, 3>,
        clean: Tensor<B, 3>,
        estimate: Tensor<B, 3>,
        counted: Option<&[Range<usize>]>,
    ) -> Tensor<B, 1> {
        self.per_item(noisy, clean, estimate, counted).mean()
    }
}

impl Default for Objective {
    fn default() -> Self {
        Self::single(Loss::default())
    }
}

impl TryFrom<BTreeMap<Loss, f64>> for Objective {
    type Error = Error;

    fn try_from(weights: BTreeMap<Loss, f64>) -> Result<Self> {
        Self::new(weights)
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (loss, weight)) in self.weights().enumerate() {
            let plus = if index == 0 { "" } else { " + " };
            if weight == 1.0 {
                write!(f, "{plus}{loss}")?;
            } else {
                write!(f, "{plus}{weight} {loss}")?;
            }
        }
        Ok(())
    }
}
