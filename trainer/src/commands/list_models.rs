//! `trainer models`: what there is to choose from.

use std::fmt::{self, Write};

use anyhow::Result;
use clap::Args;
use cli::model::built_in;
use cli::stdout;
use serde::Serialize;
use serde_json::json;
use shared::Bundle;
use shared::bundle::Score;
use shared::nn::{NetworkConfig, Precision};

use crate::SAMPLE_RATE_HZ;

/// List the trained models that are built in, and the presets that can be trained.
#[derive(Args)]
pub struct ModelsArguments {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A trained model.
#[derive(Serialize)]
struct ListedModel {
    name: &'static str,
    /// The preset it was trained from, if that is still what it was.
    network: String,
    parameters: u64,
    bundle_bytes: usize,
    sample_rate_hz: u32,
    scores: Vec<Score>,
}

/// A network that can be trained.
#[derive(Serialize)]
struct ListedPreset {
    name: &'static str,
    parameters: u64,
    /// None for a recurrent network, which hears all that was before.
    receptive_field_samples: Option<usize>,
    receptive_field_ms: Option<f64>,
    /// Real multiply-accumulate operations for a second of audio, as [`NetworkConfig::macs_per_second`] counts them.
    macs_per_second: f64,
    /// How far a streamed output lags behind, as [`NetworkConfig::latency`] defines it.
    latency_samples: usize,
    latency_ms: f64,
    /// Bytes of the weights, stored in full and in half precision.
    weight_bytes: [u64; 2],
}

impl ModelsArguments {
    /// Does what was asked.
    pub fn run(self) -> Result<()> {
        let models = models::ALL.iter().map(model).collect::<Result<Vec<_>>>()?;
        let presets: Vec<ListedPreset> = NetworkConfig::presets().into_iter().map(preset).collect();
        if self.json {
            let json = serde_json::to_string_pretty(&json!({"models": models, "presets": presets}))?;
            return stdout::print(format_args!("{json}\n"));
        }
        stdout::print(format_args!("Trained models, for --model:\n\n{}\n{}", cli::model::table()?, table(&presets)))
    }
}

fn model(model: &models::Model) -> Result<ListedModel> {
    let Bundle { config, card, .. } = built_in(model)?;
    let preset = NetworkConfig::presets().into_iter().find(|(_, preset)| *preset == config.network);
    let kind = config.network.kind();
    Ok(ListedModel {
        name: model.name,
        network: preset.map_or_else(|| format!("{kind} of another shape"), |(name, _)| name.into()),
        parameters: config.network.parameters(),
        bundle_bytes: model.bundle.len(),
        sample_rate_hz: config.sample_rate_hz,
        scores: card.scores,
    })
}

fn preset((name, config): (&'static str, NetworkConfig)) -> ListedPreset {
    let milliseconds = |samples: usize| samples as f64 * 1000.0 / f64::from(SAMPLE_RATE_HZ);
    let (field, latency) = (config.receptive_field(), config.latency());
    ListedPreset {
        name,
        parameters: config.parameters(),
        receptive_field_samples: field,
        receptive_field_ms: field.map(milliseconds),
        macs_per_second: config.macs_per_second(SAMPLE_RATE_HZ),
        latency_samples: latency,
        latency_ms: milliseconds(latency),
        weight_bytes: [Precision::F32, Precision::F16].map(|precision| config.weight_bytes(precision)),
    }
}

/// The presets, a line each.
fn table(presets: &[ListedPreset]) -> String {
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let mut table = format!("Presets, for `trainer train --network`, at {SAMPLE_RATE_HZ} Hz:\n\n");
    // Writing to a String cannot fail.
    let mut line = |arguments: fmt::Arguments| writeln!(table, "{arguments}").unwrap_or_default();
    line(format_args!(
        "{:15} {:>10} {:>14} {:>7} {:>13} {:>12}",
        "", "", "receptive", "million", "latency", "weights, MB"
    ));
    line(format_args!(
        "{:15} {:>10} {:>7} {:>6} {:>7} {:>6} {:>6} {:>6} {:>5}",
        "name", "parameters", "samples", "ms", "MAC/s", "samples", "ms", "f32", "f16"
    ));
    for preset in presets {
        let ListedPreset { name, parameters, latency_samples: latency, .. } = preset;
        // A recurrent network hears all that was before.
        let field = preset.receptive_field_samples.map_or("all".into(), |samples| samples.to_string());
        let field_ms = preset.receptive_field_ms.map_or("all".into(), |ms| format!("{ms:.0}"));
        let [full, half] = preset.weight_bytes.map(megabytes);
        line(format_args!(
            "{name:15} {parameters:>10} {field:>7} {field_ms:>6} {:>7.0} {latency:>7} {:>6.0} {full:>6.2} {half:>5.2}",
            preset.macs_per_second / 1e6,
            preset.latency_ms,
        ));
    }
    table +=
        "\nLatency: samples that must have come in after one before its output is final, without time for computing.\n";
    table
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::module::Module;

    use super::*;

    /// Learned numbers by the configuration, and all numbers in the network: Burn's count includes running statistics.
    fn count_preset(name: &str) -> [u64; 2] {
        let config = NetworkConfig::preset(name).expect("a preset");
        [config.parameters(), config.init::<Flex>(&Default::default()).num_params() as u64]
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
