//! Random variation of noise: played backwards and through filters it is noise that nobody has heard.

use biquad::{Biquad, Coefficients, DirectForm2Transposed, ToHertz, Type};
use rand::{Rng, RngExt};

use crate::SAMPLE_RATE_HZ;

/// Filters in a row.
const FILTERS: usize = 5;
/// Where their peaks and dips are, in Hz, uniform in octaves.
const CENTRES_HZ: [f32; 2] = [60.0, 7_200.0];
/// How high or deep, in dB.
const GAIN_DB: f32 = 12.0;
/// How narrow: two octaves and a half, or two thirds of one.
const QUALITY: [f32; 2] = [0.5, 2.0];

/// Plays noise backwards, one time in two, and puts it through five peaking filters, of ±12 dB at most each.
pub fn vary(noise: &mut [f32], rng: &mut impl Rng) {
    if rng.random_bool(0.5) {
        noise.reverse();
    }
    for _ in 0..FILTERS {
        let mut filter = DirectForm2Transposed::<f32>::new(peak(rng));
        noise.iter_mut().for_each(|sample| *sample = filter.run(*sample));
    }
}

fn peak(rng: &mut impl Rng) -> Coefficients<f32> {
    let mut between = |[low, high]: [f32; 2]| low * (high / low).powf(rng.random_range(0.0..=1.0));
    let (centre_hz, quality) = (between(CENTRES_HZ), between(QUALITY));
    let kind = Type::PeakingEQ(rng.random_range(-GAIN_DB..=GAIN_DB));
    let rate_hz = SAMPLE_RATE_HZ as f32;
    Coefficients::from_params(kind, rate_hz.hz(), centre_hz.hz(), quality).expect("below half the rate")
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use shared::audio::rms;
    use shared::noise::white;

    use super::*;

    #[test]
    fn noise_sounds_different_every_time_and_stays_about_as_loud() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let noise = white(32_000, &mut rng);
        let mut before: Vec<f32> = noise.clone();
        for seed in 0..50 {
            let mut varied = noise.clone();
            vary(&mut varied, &mut ChaCha8Rng::seed_from_u64(seed));
            let db = 20.0 * (rms(&varied) / rms(&noise)).log10();
            assert!(db.is_finite() && db.abs() < GAIN_DB * FILTERS as f32, "{db}");
            let distance: Vec<f32> = varied.iter().zip(&before).map(|(a, b)| a - b).collect();
            assert!(rms(&distance) > 0.1 * rms(&varied), "as the one before it");
            before = varied;
        }
    }

    #[test]
    fn every_filter_is_stable() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for _ in 0..200 {
            let mut filter = DirectForm2Transposed::<f32>::new(peak(&mut rng));
            let response: Vec<f32> = (0..16_000).map(|i| filter.run(if i == 0 { 1.0 } else { 0.0 })).collect();
            assert!(rms(&response[8_000..]) < 1e-6, "{}", rms(&response[8_000..]));
        }
    }
}
