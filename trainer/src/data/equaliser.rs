//! Random equalisation: microphones and rooms colour what they record, each in its own way.

use rand::{Rng, RngExt};

/// A random second-order filter, `H(z) = (1 + r₁ z⁻¹ + r₂ z⁻²) / (1 + r₃ z⁻¹ + r₄ z⁻²)` with every `r` uniform in ±3/8: Valin 2018,
/// "A hybrid DSP/deep learning approach to real-time full-band speech enhancement", equation 10. It is stable for all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Equaliser {
    zeros: [f32; 2],
    poles: [f32; 2],
}

impl Equaliser {
    /// One of them.
    pub fn draw(rng: &mut impl Rng) -> Self {
        let mut pair = || [(); 2].map(|()| rng.random_range(-0.375..=0.375));
        Self { zeros: pair(), poles: pair() }
    }

    /// Filters a signal that was silent before it.
    pub fn apply(&self, samples: &mut [f32]) {
        let (mut x, mut y) = ([0.0; 2], [0.0; 2]);
        for sample in samples {
            let ahead = *sample + self.zeros[0] * x[0] + self.zeros[1] * x[1];
            let out = ahead - self.poles[0] * y[0] - self.poles[1] * y[1];
            (x, y) = ([*sample, x[0]], [out, y[0]]);
            *sample = out;
        }
    }
}

#[cfg(test)]
mod tests {
    use core::f64::consts::PI;

    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// `|H|` at `hz` of 16 kHz, from the formula.
    fn gain(Equaliser { zeros, poles }: Equaliser, hz: f64) -> f64 {
        let polynomial = |[a, b]: [f32; 2]| {
            let w = 2.0 * PI * hz / 16_000.0;
            let (a, b) = (f64::from(a), f64::from(b));
            (1.0 + a * w.cos() + b * (2.0 * w).cos()).hypot(a * w.sin() + b * (2.0 * w).sin())
        };
        polynomial(zeros) / polynomial(poles)
    }

    #[test]
    fn tones_are_as_loud_as_the_formula_says() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for hz in [50.0, 1_000.0, 3_300.0, 7_500.0] {
            let equaliser = Equaliser::draw(&mut rng);
            let tone = |i: i32| (2.0 * PI * hz * f64::from(i) / 16_000.0).sin() as f32;
            let mut samples: Vec<f32> = (0..16_000).map(tone).collect();
            equaliser.apply(&mut samples);
            // Without what settles first, and over whole periods.
            let rms = shared::audio::rms(&samples[8_000..]);
            let got = f64::from(rms) * 2f64.sqrt();
            assert!((got - gain(equaliser, hz)).abs() < 1e-3, "{got} at {hz} Hz, {}", gain(equaliser, hz));
        }
    }

    #[test]
    fn the_most_extreme_ones_are_stable() {
        for signs in 0..16 {
            let r = |bit: i32| if signs >> bit & 1 == 0 { 0.375 } else { -0.375 };
            let equaliser = Equaliser { zeros: [r(0), r(1)], poles: [r(2), r(3)] };
            let mut impulse = vec![0.0; 1_000];
            impulse[0] = 1.0;
            equaliser.apply(&mut impulse);
            assert!(impulse[500..].iter().all(|sample| sample.abs() < 1e-6), "{equaliser:?}");
        }
    }
}
