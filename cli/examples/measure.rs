//! Times a network's forward pass, or a transform, for `scripts/bench.py`, which compares it with PyTorch's.
//!
//! `measure CASE --input FILE [--output FILE] [--export FILE] [--form plain|products|convolutions|frames] [--repeats N]`
//!
//! A case is a preset, `stft` (the transform on slices and its inverse), `raise-small` (that corruption, quantile 0.6), or a
//! safetensors file of `--export` or `trainer export`. The input is raw `f32` samples, and so is the output. `--export` writes the
//! weights as safetensors instead of measuring. With `--form frames` a recurrent network is given one hop at a time, as in live sound.
//! Threads are those of `RAYON_NUM_THREADS`. Prints JSON: seconds of every repetition, the median milliseconds of a hop where hops
//! are given one by one, and the process's peak memory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::rc::Rc;
use std::time::Instant;

use burn::backend::Flex;
use burn::prelude::*;
use cli::memory::peak_bytes;
use shared::Weights;
use shared::bundle::{Bundle, BundleConfig, Card};
use shared::dsp::spectrum::SpectrumPlan;
use shared::nn::Precision;
use shared::nn::{Network, NetworkConfig, Phrasing};
use shared::noise::stft::{Corruption, RaisedPhase, STFT, Threshold};

/// What is measured: samples in, samples out.
type Work = Box<dyn Fn(&[f32]) -> Vec<f32>>;
/// Seconds of every hop.
type Hops = Rc<RefCell<Vec<f64>>>;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let case = arguments.first().ok_or("expected a preset, a file of weights, stft or raise-small")?;
    let option = |name: &str| {
        let position = arguments.iter().position(|argument| argument == name)?;
        arguments.get(position + 1).map(String::as_str)
    };
    let plan = || SpectrumPlan::new(STFT);
    let hops = Hops::default();
    let work: Work = match case.as_str() {
        "stft" => {
            let plan = plan();
            Box::new(move |samples| plan.inverse(&plan.forward(samples), samples.len()))
        }
        "raise-small" => {
            let plan = plan();
            let corruption = Corruption::RaiseSmall(Threshold::Quantile(0.6), RaisedPhase::Kept);
            Box::new(move |samples| corruption.apply(&plan, samples).expect("a quantile within 0 to 1"))
        }
        preset => match network(preset, option("--form").unwrap_or("products"), option("--export"), &hops)? {
            Some(work) => work,
            None => return Ok(()),
        },
    };
    let bytes = fs::read(option("--input").ok_or("expected --input FILE")?)?;
    let samples: Vec<f32> = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let repeats = option("--repeats").map_or(Ok(1), str::parse::<usize>)?;
    let mut seconds = Vec::new();
    for _ in 0..repeats {
        let start = Instant::now();
        let output = work(&samples);
        seconds.push(start.elapsed().as_secs_f64());
        if let Some(path) = option("--output") {
            fs::write(path, output.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<_>>())?;
        }
    }
    let mut hops = hops.take();
    hops.sort_by(f64::total_cmp);
    let frame_ms = hops.get(hops.len() / 2).map(|seconds| 1e3 * seconds);
    println!("{}", serde_json::json!({"seconds": seconds, "frame_ms": frame_ms, "peak_bytes": peak_bytes()}));
    Ok(())
}

/// The network of a preset, with the same weights in every process, or of a file.
fn load(case: &str) -> Result<(NetworkConfig, Network<Flex>), Box<dyn Error>> {
    let device = Default::default();
    if case.ends_with(".safetensors") {
        let (weights, notes) = Weights::from_safetensors(&fs::read(case)?)?;
        let config = notes.get("config").ok_or("expected a configuration beside the weights")?;
        let config = serde_json::from_str::<BundleConfig>(config)?.network;
        return Ok((config.clone(), weights.network(&config, &device)?));
    }
    <Flex as Backend>::seed(&device, 1);
    let config = NetworkConfig::preset(case)?;
    Ok((config.clone(), config.init(&device)))
}

/// A network's forward pass in one of its forms; none if the weights were to be exported.
fn network(case: &str, form: &str, export: Option<&str>, hops: &Hops) -> Result<Option<Work>, Box<dyn Error>> {
    let device = Default::default();
    let (config, network) = load(case)?;
    // Burn draws weights where they are first read: here, in the same order in every process.
    let weights = Weights::of(&network)?;
    if let Some(path) = export {
        let bundle = Bundle::pack(&network, config, 16_000, Precision::F32, Card::default())?;
        let notes = BTreeMap::from([("config".into(), serde_json::to_string(&bundle.config)?)]);
        fs::write(path, weights.to_safetensors(&notes)?)?;
        return Ok(None);
    }
    let forward: Box<dyn Fn(Tensor<Flex, 3>) -> Tensor<Flex, 3>> = match form {
        "plain" => Box::new(move |input| network.forward(input)),
        "frames" => {
            let (hop_length, hops) = (config.alignment(), hops.clone());
            let network = network.for_inference(Phrasing::Products);
            network.recurrent().ok_or("expected a recurrent network")?;
            Box::new(move |input| {
                let network = network.recurrent().expect("as before");
                let mut memory = network.start();
                let count = input.dims()[2] / hop_length;
                let hop = |index: usize| {
                    let hop = input.clone().narrow(2, index * hop_length, hop_length);
                    let start = Instant::now();
                    let output = network.advance(&mut memory, hop);
                    hops.borrow_mut().push(start.elapsed().as_secs_f64());
                    output
                };
                Tensor::cat((0..count).map(hop).collect(), 2)
            })
        }
        form => {
            let phrasing = if form == "convolutions" { Phrasing::Convolutions } else { Phrasing::Products };
            let network = network.for_inference(phrasing);
            Box::new(move |input| network.forward(input))
        }
    };
    Ok(Some(Box::new(move |samples| {
        let input = Tensor::from_data(TensorData::new(samples.to_vec(), [1, 1, samples.len()]), &device);
        forward(input).into_data().to_vec().expect("32-bit floats")
    })))
}
