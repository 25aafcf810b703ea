//! Denoises a WAV file of whole numbers.
//!
//! `cargo run --release -p shared --example denoise -- models/dcunet.zip noisy.wav denoised.wav`

use std::env;
use std::error::Error;
use std::fs;

use burn::backend::Flex;
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use shared::nn::Phrasing;
use shared::{Audio, Bundle, Denoiser};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [bundle, noisy, denoised] = &arguments[..] else {
        return Err("expected BUNDLE.zip NOISY.wav DENOISED.wav".into());
    };

    // The network, on Burn's CPU backend, whose convolutions are best phrased as matrix products.
    let bundle = Bundle::from_bytes(&fs::read(bundle)?)?;
    let denoiser = Denoiser::<Flex>::new(&bundle, Phrasing::Products, Default::default())?;

    let audio = read(noisy)?;
    // Rate, channels and length stay. The network's own rate does not matter.
    let result = denoiser.denoise_blocking(&audio, |share| eprint!("\r{:3.0} %", 100.0 * share))?;
    eprintln!();
    write(denoised, &result)
}

/// Samples as numbers from -1 to 1, a list for each channel.
fn read(path: &str) -> Result<Audio, Box<dyn Error>> {
    let mut reader = WavReader::open(path)?;
    let WavSpec { channels, sample_rate, bits_per_sample, sample_format } = reader.spec();
    if sample_format != SampleFormat::Int {
        return Err(format!("{path}: expected whole numbers, got floating-point samples").into());
    }
    let mut samples = vec![Vec::new(); usize::from(channels)];
    let full_scale = (1u64 << (bits_per_sample - 1)) as f32;
    for (index, sample) in reader.samples::<i32>().enumerate() {
        samples[index % usize::from(channels)].push(sample? as f32 / full_scale);
    }
    Ok(Audio::new(sample_rate, samples)?)
}

/// Writes 16 bits; what is too loud is clipped.
fn write(path: &str, audio: &Audio) -> Result<(), Box<dyn Error>> {
    let channels = audio.channels();
    let spec = WavSpec {
        channels: u16::try_from(channels.len())?,
        sample_rate: audio.sample_rate_hz(),
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut writer = WavWriter::create(path, spec)?;
    for index in 0..audio.len() {
        for channel in channels {
            writer.write_sample((channel[index] * 32_768.0).round() as i16)?;
        }
    }
    Ok(writer.finalize()?)
}
