//! The weights that a run begins with.

use anyhow::{Context, Result, ensure};
use burn::backend::Flex;
use burn::prelude::Backend;
use shared::bundle::{Bundle, BundleConfig, Card};
use shared::nn::{NetworkConfig, Precision};

use crate::SAMPLE_RATE_HZ;
use crate::recipe::Recipe;

/// In place of a model's name: weights with which the network gives back what it is given.
const IDENTITY: &str = "identity";

/// The model whose weights are the first ones, if the recipe names one.
///
/// # Errors
/// When there is no such model, or it is none of the recipe's shape at the trainer's rate.
pub fn first_weights(recipe: &Recipe) -> Result<Option<Bundle>> {
    let name = &recipe.network.weights;
    if name.is_empty() {
        return Ok(None);
    }
    let expected = recipe.network_config()?;
    if name == IDENTITY {
        return identity(expected).map(Some);
    }
    // For the weights of new channels.
    Flex::<f32>::seed(&Default::default(), recipe.run.seed);
    let bundle = adapted(cli::model::load("network.weights", name)?, &expected)?;
    let BundleConfig { sample_rate_hz, ref network, .. } = bundle.config;
    ensure!(*network == expected, "network.weights: expected a network of the shape {expected:?}, got {network:?}");
    ensure!(
        sample_rate_hz == SAMPLE_RATE_HZ,
        "network.weights: expected a network for {SAMPLE_RATE_HZ} Hz, got one for {sample_rate_hz} Hz"
    );
    Ok(Some(bundle))
}

/// A model as one of the expected shape that computes the same, if the network knows how (see [`NetworkConfig::adopt`]).
fn adapted(bundle: Bundle, expected: &NetworkConfig) -> Result<Bundle> {
    if bundle.config.network == *expected {
        return Ok(bundle);
    }
    let network = bundle.network::<Flex>(&Default::default())?;
    let Some(network) = expected.adopt(network, &bundle.config.network) else { return Ok(bundle) };
    Ok(Bundle::pack(&network, expected.clone(), bundle.config.sample_rate_hz, Precision::F32, bundle.card)?)
}

/// A network that returns its input.
fn identity(config: NetworkConfig) -> Result<Bundle> {
    let context = || format!("network.weights: cannot begin with {IDENTITY:?}");
    let network = config.identity::<Flex>(&Default::default()).with_context(context)?;
    let card = Card { name: IDENTITY.into(), ..Card::default() };
    Ok(Bundle::pack(&network, config, SAMPLE_RATE_HZ, Precision::F32, card)?)
}

/// What is said of a model that a run begins with.
pub fn description(card: &Card) -> String {
    match card.training.steps {
        0 => format!("the weights of {}", card.name),
        steps => format!("the weights of {}, {steps} steps of {}", card.name, card.training.loss),
    }
}
