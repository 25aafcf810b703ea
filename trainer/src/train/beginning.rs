//! The weights that a run begins with.

use anyhow::{Context, Result, bail, ensure};
use burn::backend::Flex;
use burn::prelude::Backend;
use shared::bundle::{Bundle, BundleConfig, Card, Precision};
use shared::nn::{Estimate, Network, NetworkConfig, WavenetConfig};

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

/// A model as one of the expected shape with the same weights and perhaps more, where there is a way: a WaveNet that estimates speech as
/// one that blends, a U-Net as one with more channels or another exponent of its mask.
fn adapted(bundle: Bundle, expected: &NetworkConfig) -> Result<Bundle> {
    if bundle.config.network == *expected {
        return Ok(bundle);
    }
    let network = bundle.network::<Flex>(&Default::default())?;
    let network = match (network, &bundle.config.network, expected) {
        (Network::Wavenet(network), NetworkConfig::Wavenet(from), NetworkConfig::Wavenet(to))
            if to.estimate == Estimate::Blend
                && *from == WavenetConfig { estimate: Estimate::Speech, ..to.clone() } =>
        {
            Network::Wavenet(network.into_blend())
        }
        (Network::Dcunet(network), NetworkConfig::Dcunet(from), NetworkConfig::Dcunet(to)) if from.grows_to(to) => {
            Network::Dcunet(network.grown(to))
        }
        _ => return Ok(bundle),
    };
    Ok(Bundle::pack(&network, expected.clone(), bundle.config.sample_rate_hz, Precision::F32, bundle.card)?)
}

/// An autoencoder that gives back what it is given.
fn identity(config: NetworkConfig) -> Result<Bundle> {
    let NetworkConfig::Autoencoder(shape) = &config else {
        bail!(
            "network.weights: expected the name or the path of a model, got {IDENTITY:?}, which only autoencoders have"
        );
    };
    let network = shape.identity::<Flex>(&Default::default()).context("network.weights")?;
    let card = Card { name: IDENTITY.into(), ..Card::default() };
    Ok(Bundle::pack(&Network::Autoencoder(network), config, SAMPLE_RATE_HZ, Precision::F32, card)?)
}

/// What is said of a model that a run begins with.
pub fn description(card: &Card) -> String {
    match card.training.steps {
        0 => format!("the weights of {}", card.name),
        steps => format!("the weights of {}, {steps} steps of {}", card.name, card.training.loss),
    }
}
