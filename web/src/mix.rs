//! What is heard: a take's tracks in some proportion.
//!
//! Before, after and what was removed, at any strength, are all sums of two tracks, so the strength is heard at once
//! and all of them share one clock.

/// Most that a voice is amplified or attenuated to be as loud as the first, as a factor.
const MOST_GAIN: f64 = 8.0;

/// Something that can be heard and seen: a weighted sum of tracks.
#[derive(Clone, Debug, PartialEq)]
pub struct Voice {
    /// Its name for people.
    pub title: String,
    /// The weight of every track.
    pub weights: Vec<f32>,
}

impl Voice {
    fn new(title: impl Into<String>, weights: Vec<f32>) -> Self {
        Self { title: title.into(), weights }
    }

    /// The voices of a denoised recording with tracks `[before, after]`, of which a share `kept` of the noise stays.
    pub fn of_denoised(kept: f32) -> Vec<Self> {
        let removed = 1.0 - kept;
        vec![
            Self::new("Before", vec![1.0, 0.0]),
            Self::new("After", vec![kept, removed]),
            Self::new("Removed", vec![removed, -removed]),
        ]
    }

    /// One voice a track.
    pub fn of_tracks<'a>(titles: impl ExactSizeIterator<Item = &'a str>) -> Vec<Self> {
        let count = titles.len();
        let unit = |index| (0..count).map(|track| f32::from(u8::from(track == index))).collect();
        titles.enumerate().map(|(index, title)| Self::new(title, unit(index))).collect()
    }
}

/// How loud tracks are, and what they have in common, as far as they are there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Levels {
    /// Sums of products of every two tracks.
    products: Vec<Vec<f64>>,
    /// Largest sample of each track.
    peaks: Vec<f32>,
    /// Largest sample of what two tracks differ by, where that was asked for.
    difference: Option<([usize; 2], f32)>,
}

fn product(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

impl Levels {
    /// Adds a stretch of a track.
    pub fn add(&mut self, track: usize, samples: &[f32]) {
        self.grow(track + 1);
        self.products[track][track] += product(samples, samples);
        self.peaks[track] = samples.iter().fold(self.peaks[track], |peak, sample| peak.max(sample.abs()));
    }

    /// Adds what the same stretch of two tracks has in common.
    pub fn add_pair(&mut self, [(first, a), (second, b)]: [(usize, &[f32]); 2]) {
        self.grow(first.max(second) + 1);
        let product = product(a, b);
        self.products[first][second] += product;
        self.products[second][first] += product;
        let before = self.difference.filter(|(tracks, _)| *tracks == [first, second]).map_or(0.0, |(_, peak)| peak);
        let peak = a.iter().zip(b).fold(before, |peak, (a, b)| peak.max((a - b).abs()));
        self.difference = Some(([first, second], peak));
    }

    fn grow(&mut self, tracks: usize) {
        let tracks = tracks.max(self.peaks.len());
        self.peaks.resize(tracks, 0.0);
        self.products.resize(tracks, Vec::new());
        self.products.iter_mut().for_each(|row| row.resize(tracks, 0.0));
    }

    /// Energy of a voice.
    fn energy(&self, voice: &Voice) -> f64 {
        let weights = || voice.weights.iter().map(|weight| f64::from(*weight));
        let row = |row: &Vec<f64>| weights().zip(row).map(|(weight, product)| weight * product).sum::<f64>();
        weights().zip(&self.products).map(|(weight, products)| weight * row(products)).sum()
    }

    /// The largest sample that a voice may have: exactly, where it is what two tracks differ by.
    fn highest(&self, voice: &Voice) -> f32 {
        let used: Vec<usize> = (0..voice.weights.len()).filter(|track| voice.weights[*track] != 0.0).collect();
        if let ([a, b], Some((tracks, peak))) = (used.as_slice(), self.difference)
            && tracks == [*a, *b]
            && voice.weights[*a] == -voice.weights[*b]
        {
            return voice.weights[*a].abs() * peak;
        }
        voice.weights.iter().zip(&self.peaks).map(|(weight, peak)| weight.abs() * peak).sum()
    }

    /// The factor that makes a voice as loud (of the same root mean square) as `reference`, within reason, and without
    /// going over full scale where it did not before. 1 for silence.
    pub fn gain(&self, voice: &Voice, reference: &Voice) -> f32 {
        let (energy, wanted) = (self.energy(voice), self.energy(reference));
        // What is left of two equal tracks is rounding.
        if energy <= 1e-10 * wanted || wanted <= 0.0 {
            return 1.0;
        }
        let gain = (wanted / energy).sqrt().clamp(1.0 / MOST_GAIN, MOST_GAIN) as f32;
        let highest = self.highest(voice);
        if gain * highest > 1.0 { (1.0 / highest).max(1.0).min(gain) } else { gain }
    }
}

/// The mean of channels that lie one after the other.
pub fn mean(planar: &[f32], channels: usize) -> Vec<f32> {
    if channels <= 1 {
        return planar.to_vec();
    }
    let length = planar.len() / channels;
    let share = 1.0 / channels as f32;
    let sum = |index: usize| (0..channels).map(|channel| planar[channel * length + index]).sum::<f32>();
    (0..length).map(|index| share * sum(index)).collect()
}

/// The weighted sum of tracks.
///
/// # Panics
/// When the tracks differ in length.
pub fn mix(weights: &[f32], tracks: &[&[f32]]) -> Vec<f32> {
    let mut sum = vec![0.0; tracks.first().map_or(0, |track| track.len())];
    for (weight, track) in weights.iter().zip(tracks).filter(|(weight, _)| **weight != 0.0) {
        assert_eq!(track.len(), sum.len(), "tracks are equally long");
        sum.iter_mut().zip(*track).for_each(|(sum, sample)| *sum += weight * sample);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(amplitude: f32, period: usize) -> Vec<f32> {
        (0..8_000).map(|i| amplitude * (i as f32 * core::f32::consts::TAU / period as f32).sin()).collect()
    }

    fn rms(samples: &[f32]) -> f32 {
        shared::audio::rms(samples)
    }

    #[test]
    fn what_is_kept_and_what_is_removed_add_up_to_what_was() {
        let (before, after) = (tone(0.5, 40), tone(0.2, 40));
        for kept in [0.0, 0.1, 1.0] {
            let voices = Voice::of_denoised(kept);
            let heard: Vec<Vec<f32>> = voices.iter().map(|voice| mix(&voice.weights, &[&before, &after])).collect();
            assert_eq!(heard[0], before);
            for index in 0..before.len() {
                assert!((heard[1][index] + heard[2][index] - before[index]).abs() < 1e-6);
                assert!((heard[1][index] - after[index] - kept * (before[index] - after[index])).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn the_mean_of_channels_is_theirs_sample_by_sample() {
        assert_eq!(mean(&[1.0, 2.0, 3.0, 5.0], 2), [2.0, 3.5]);
        assert_eq!(mean(&[1.0, 2.0], 1), [1.0, 2.0]);
        assert!(mean(&[], 3).is_empty());
    }

    #[test]
    fn voices_are_matched_in_level() {
        let (before, after) = (tone(0.4, 40), tone(0.1, 80));
        let mut levels = Levels::default();
        for part in 0..4 {
            let range = part * 2_000..(part + 1) * 2_000;
            levels.add(0, &before[range.clone()]);
            levels.add(1, &after[range.clone()]);
            levels.add_pair([(0, &before[range.clone()]), (1, &after[range])]);
        }
        let voices = Voice::of_denoised(0.3);
        for voice in &voices {
            let gain = levels.gain(voice, &voices[0]);
            let heard = rms(&mix(&voice.weights, &[&before, &after])) * gain;
            assert!((heard / rms(&before) - 1.0).abs() < 1e-3, "{}: {heard}", voice.title);
        }
    }

    #[test]
    fn matching_amplifies_neither_silence_nor_beyond_full_scale() {
        let mut spiky = vec![0.01; 8_000];
        spiky[17] = 0.5;
        let loud = tone(0.9, 40);
        let mut levels = Levels::default();
        [&loud, &spiky, &vec![0.0; 8_000]]
            .into_iter()
            .enumerate()
            .for_each(|(track, samples)| levels.add(track, samples));
        let voices = Voice::of_tracks(["loud", "spiky", "silent"].into_iter());
        assert_eq!(levels.gain(&voices[1], &voices[0]), 2.0);
        assert_eq!(levels.gain(&voices[2], &voices[0]), 1.0);
        // What was removed is heard as loud, though both tracks are near full scale.
        let quieter: Vec<f32> = loud.iter().map(|sample| 0.9 * sample).collect();
        let mut removed = Levels::default();
        removed.add(0, &loud);
        removed.add(1, &quieter);
        removed.add_pair([(0, &loud), (1, &quieter)]);
        let voices = Voice::of_denoised(0.0);
        assert_eq!(removed.gain(&voices[2], &voices[0]), MOST_GAIN as f32);
        let mut same = Levels::default();
        same.add(0, &loud);
        same.add(1, &loud);
        same.add_pair([(0, &loud), (1, &loud)]);
        assert_eq!(same.gain(&Voice::of_denoised(0.0)[2], &Voice::of_denoised(0.0)[0]), 1.0);
    }
}
