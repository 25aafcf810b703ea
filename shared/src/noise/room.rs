//! Reverberation of simulated rooms, by the image source method.
//!
//! Allen and Berkley 1979, "Image method for efficiently simulating small-room acoustics": the walls of a box are mirrors, and
//! every mirror image of the source, at distance `d` behind `n` walls, contributes `(−β)ⁿ / (4πd)` after `d / c`, at any
//! fraction of a sample (a windowed sinc). All walls have one reflection coefficient. Images go on until the direct sound has
//! decayed by 60 dB.
//!
//! `β` is chosen for the RT60. Sabine's and Eyring's formulas assume that sound from all directions decays alike; in a box it
//! does not, and decays last up to a third longer than they say. Here directions are told apart (Lehmann and Johansson 2008,
//! "Prediction of energy decay in room impulse responses simulated with an image-source model"): sound from direction `u`
//! meets `g(u) = Σ |u_i| / L_i` walls per metre, so that after `x = −2 ln β · c t` the mean over all directions of
//! `e^(−g x) / g` is what is yet to come. `β` is that with which this falls from −5 to −35 dB in half the RT60, which is how
//! RT60 are measured (ISO 3382, T30).
//!
//! Deviations: Allen and Berkley's coefficients are positive, and they take what builds up towards 0 Hz away with a high-pass
//! filter; here they are negative, which leaves nothing to take away (as Lehmann and Johansson do). After about 400 000 images the field is diffuse, and what
//! is left of the decay is Gaussian noise of the same power (as in Lehmann and Johansson 2010), which bounds the cost of large
//! RT60 in small rooms.

use core::f64::consts::{FRAC_PI_2, LN_10, PI};

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use super::drawn::DrawnStep;
use super::fir::Fir;
use super::parameters::{Context, InvalidField, Parameters};
use super::value::{Number, Value};
use crate::error::Result;

/// Speed of sound in air at 20 °C, in m/s.
pub const SPEED_OF_SOUND: f64 = 343.0;
/// Images that are computed, about; what comes later is noise.
const MAX_IMAGES: f64 = 400_000.0;
/// Directions of an eighth of the sphere along either angle, when decays are averaged.
const DIRECTIONS: usize = 16;
/// Smallest distance that counts as such, in m.
const MIN_DISTANCE_M: f64 = 0.01;

/// A box with a source and a microphone in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimulatedRoom {
    /// Length, width and height in m, each above 0.
    pub size_m: [f64; 3],
    /// Position of the source in m, from a lower corner.
    pub source_m: [f64; 3],
    /// Position of the microphone in m, from the same corner.
    pub microphone_m: [f64; 3],
    /// Time in which sound decays by 60 dB, in seconds, above 0.
    pub rt60_s: f64,
}

impl SimulatedRoom {
    /// Distance between source and microphone in m, at least 1 cm.
    pub fn distance_m(&self) -> f64 {
        let square = |axis: usize| (self.source_m[axis] - self.microphone_m[axis]).powi(2);
        (0..3).map(square).sum::<f64>().sqrt().max(MIN_DISTANCE_M)
    }

    /// The magnitude `β` of the walls' reflection coefficient; between 0 and 1 for any RT60. See the [module](self).
    pub fn reflection(&self) -> f64 {
        let middle = |i: usize| (i as f64 + 0.5) / DIRECTIONS as f64;
        let [x, y, z] = self.size_m;
        // Equal steps of height and of longitude are equal areas of the sphere.
        let walls_per_metre = |up: f64, longitude: f64| {
            let (sin, cos) = (longitude * FRAC_PI_2).sin_cos();
            let flat = (1.0 - up * up).sqrt();
            flat * cos / x + flat * sin / y + up / z
        };
        let rates: Vec<f64> = (0..DIRECTIONS * DIRECTIONS)
            .map(|i| walls_per_metre(middle(i / DIRECTIONS), middle(i % DIRECTIONS)))
            .collect();
        let left = |x: f64| rates.iter().map(|g| (-g * x).exp() / g).sum::<f64>();
        let whole = left(0.0);
        let fallen_by = |db: f64| {
            let target = whole * 10f64.powf(-db / 10.0);
            // The slowest direction alone bounds it.
            let slowest = rates.iter().fold(f64::INFINITY, |least, &g| g.min(least));
            let (mut low, mut high) = (0.0, db / slowest);
            for _ in 0..40 {
                let middle = (low + high) / 2.0;
                if left(middle) > target { low = middle } else { high = middle }
            }
            low
        };
        let x_per_metre = 2.0 * (fallen_by(35.0) - fallen_by(5.0)) / (self.rt60_s * SPEED_OF_SOUND);
        (-x_per_metre / 2.0).exp()
    }

    fn volume(&self) -> f64 {
        self.size_m.iter().product()
    }

    /// What the microphone gets of an impulse: the direct sound is `1 / (4πd)` at `d / c`.
    ///
    /// `rng` makes what is left of the decay after the images.
    pub fn impulse_response(&self, sample_rate_hz: u32, rng: &mut impl Rng) -> Vec<f32> {
        self.response(sample_rate_hz, 0.0, 1.0 / (4.0 * PI), rng)
    }

    /// The same without the delay and the attenuation of the direct sound, so that what goes through it stays where it was,
    /// as loud as it was, with the room added.
    pub fn filter(&self, sample_rate_hz: u32, rng: &mut impl Rng) -> Fir {
        let origin = FractionalDelay::HALF;
        let travel = self.distance_m() / SPEED_OF_SOUND * f64::from(sample_rate_hz);
        Fir { taps: self.response(sample_rate_hz, origin as f64 - travel, self.distance_m(), rng), origin }
    }

    /// The response, moved by `shift` samples, of a source that is as loud as `gain` at 1 m.
    fn response(&self, sample_rate_hz: u32, shift: f64, gain: f64, rng: &mut impl Rng) -> Vec<f32> {
        let rate = f64::from(sample_rate_hz);
        let (direct, reflection) = (self.distance_m(), self.reflection());
        let end_m = direct + SPEED_OF_SOUND * self.rt60_s;
        let dense_m = (3.0 * self.volume() * MAX_IMAGES / (4.0 * PI)).cbrt().max(direct);
        let radius = end_m.min(dense_m);
        let sample = |distance_m: f64| distance_m / SPEED_OF_SOUND * rate + shift;
        let mut response = vec![0.0; sample(end_m).ceil() as usize + 2 * FractionalDelay::HALF];

        let delay = FractionalDelay::new();
        let [xs, ys, zs] = [0, 1, 2].map(|axis| self.images(axis, radius));
        let most = [&xs, &ys, &zs].iter().map(|images| images.iter().map(|image| image.1).max().unwrap_or(0)).sum();
        let powers: Vec<f64> =
            (0..=most).scan(gain, |power, _| Some(core::mem::replace(power, *power * -reflection))).collect();
        for &(x, x_walls) in &xs {
            for &(y, y_walls) in &ys {
                let flat = x * x + y * y;
                for &(z, z_walls) in &zs {
                    let square = flat + z * z;
                    if square <= radius * radius {
                        let distance = square.sqrt().max(MIN_DISTANCE_M);
                        delay.add(&mut response, sample(distance), powers[x_walls + y_walls + z_walls] / distance);
                    }
                }
            }
        }
        if radius < end_m {
            self.add_tail(&mut response, sample(radius), rate, rng);
        }
        response.into_iter().map(|tap| tap as f32).collect()
    }

    /// Images of the source along one axis, seen from the microphone: how far, and behind how many walls.
    fn images(&self, axis: usize, radius: f64) -> Vec<(f64, usize)> {
        let (size, source, microphone) = (self.size_m[axis], self.source_m[axis], self.microphone_m[axis]);
        let most = (radius / (2.0 * size)).ceil() as i64 + 1;
        (-most..=most)
            .flat_map(|m| {
                [
                    (2.0 * m as f64 * size + source, 2 * m.unsigned_abs()),
                    (2.0 * m as f64 * size - source, (2 * m - 1).unsigned_abs()),
                ]
            })
            .map(|(position, walls)| (position - microphone, walls as usize))
            .filter(|(offset, _)| offset.abs() <= radius)
            .collect()
    }

    /// Gaussian noise from a sample on, as strong as the images are in the 20 ms before, decaying at the room's rate: images
    /// become more with the square of time and weaker with it, so that the walls alone are what makes them decay.
    fn add_tail(&self, response: &mut [f64], start: f64, rate: f64, rng: &mut impl Rng) {
        let first = start.ceil().max(0.0) as usize;
        let decay = |i: usize| (-6.0 * LN_10 * (i as f64 - start) / (self.rt60_s * rate)).exp();
        let before = first.saturating_sub((0.02 * rate) as usize)..first;
        let energy: f64 = before.clone().map(|i| response[i].powi(2)).sum();
        let scale = energy / before.map(decay).sum::<f64>().max(f64::MIN_POSITIVE);
        for (i, tap) in response.iter_mut().enumerate().skip(first) {
            *tap += (scale * decay(i)).sqrt() * rng.sample::<f64, _>(StandardNormal);
        }
    }
}

/// Impulses between samples: sinc under a Hann window 32 samples long (after Peterson 1986, "Simulating the response of multiple
/// microphones to a single acoustic source in a reverberant room"), from a table of 64 fractions with straight lines between.
struct FractionalDelay {
    /// `[fraction][tap]`, for fractions from 0 to 1.
    table: Vec<[f64; 2 * Self::HALF]>,
}

impl FractionalDelay {
    /// Taps on either side.
    const HALF: usize = 16;
    /// Steps between 0 and 1.
    const STEPS: usize = 64;

    fn new() -> Self {
        let tap = |x: f64| {
            let window = 0.5 + 0.5 * (PI * x / Self::HALF as f64).cos();
            let sinc = if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
            if x.abs() < Self::HALF as f64 { window * sinc } else { 0.0 }
        };
        let row = |step: usize| {
            let fraction = step as f64 / Self::STEPS as f64;
            core::array::from_fn(|k| tap(k as f64 - (Self::HALF - 1) as f64 - fraction))
        };
        Self { table: (0..=Self::STEPS).map(row).collect() }
    }

    /// Adds an impulse of this amplitude at any position; what falls outside is left out.
    fn add(&self, response: &mut [f64], position: f64, amplitude: f64) {
        let whole = position.floor();
        let step = (position - whole) * Self::STEPS as f64;
        let (row, weight) = (step as usize, step.fract());
        let (a, b) = (&self.table[row], &self.table[(row + 1).min(Self::STEPS)]);
        let start = whole as i64 - (Self::HALF as i64 - 1);
        let skipped = (-start).clamp(0, 2 * Self::HALF as i64) as usize;
        let taps = response.iter_mut().skip((start + skipped as i64) as usize).zip(skipped..2 * Self::HALF);
        for (tap, k) in taps {
            *tap += amplitude * (a[k] + weight * (b[k] - a[k]));
        }
    }
}

/// A point in a room, in m from a lower corner.
pub type Position = [Value; 3];

/// Reverberation; the direct sound stays where and as loud as it was ([`SimulatedRoom::filter`]), so that the result is louder than
/// the signal, and the more so the further away the source is. One microphone hears all channels, from one place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Room {
    /// Length, 1 to 50 m.
    pub length_m: Value,
    /// Width, 1 to 50 m.
    pub width_m: Value,
    /// Height, 1 to 50 m.
    pub height_m: Value,
    /// Time in which sound decays by 60 dB, 0.05 to 4 s.
    pub rt60_s: Value,
    /// Where the source is, `[length, width, height]`; anywhere if not given, but not within 0.5 m, or a quarter of the room,
    /// of a wall.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_m: Option<Position>,
    /// Where the microphone is, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub microphone_m: Option<Position>,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            length_m: 6.0.into(),
            width_m: 4.0.into(),
            height_m: 2.7.into(),
            rt60_s: 0.5.into(),
            source_m: None,
            microphone_m: None,
        }
    }
}

impl Room {
    fn size_m(&self) -> Position {
        [self.length_m, self.width_m, self.height_m]
    }

    /// The room with everything about it drawn.
    pub(crate) fn simulated(&self, context: &mut Context) -> SimulatedRoom {
        let size_m = self.size_m().map(|size| context.number(size));
        let mut position = |given: Option<Position>| match given {
            Some(position) => position.map(|along| context.number(along)),
            None => size_m.map(|size| {
                let margin = (size / 4.0).min(0.5);
                context.number(Value::Range([margin, size - margin]))
            }),
        };
        let (source_m, microphone_m) = (position(self.source_m), position(self.microphone_m));
        SimulatedRoom { size_m, source_m, microphone_m, rt60_s: context.number(self.rt60_s) }
    }
}

impl Parameters for Room {
    fn numbers(&self) -> Vec<Number> {
        let mut numbers = vec![
            Number::new("length_m", self.length_m, 1.0..=50.0),
            Number::new("width_m", self.width_m, 1.0..=50.0),
            Number::new("height_m", self.height_m, 1.0..=50.0),
            Number::new("rt60_s", self.rt60_s, 0.05..=4.0),
        ];
        for (name, position) in [("source_m", self.source_m), ("microphone_m", self.microphone_m)] {
            match position {
                Some(position) => numbers.extend(position.map(|along| Number::new(name, along, 0.0..=50.0))),
                None => numbers.push(Number::new(name, None, 0.0..=50.0)),
            }
        }
        numbers
    }

    fn check(&self) -> Result<(), InvalidField> {
        for (name, position) in [("source_m", self.source_m), ("microphone_m", self.microphone_m)] {
            for (along, size) in position.iter().flatten().zip(self.size_m()) {
                if along.high() > size.low() {
                    return Err(InvalidField::new(
                        name,
                        format!("a place in the room, at most {} m", size.low()),
                        along,
                    ));
                }
            }
        }
        Ok(())
    }

    fn draw(&self, context: &mut Context) -> Result<DrawnStep, InvalidField> {
        let room = self.simulated(context);
        Ok(DrawnStep::Filtered(room.filter(context.sample_rate_hz, &mut context.common)))
    }
}
