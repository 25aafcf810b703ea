//! How near estimates are to clean speech: one, the mean of many, and the means by kind of noise and by SNR.

use serde::{Deserialize, Serialize};
use shared::metric;
use thiserror::Error;

use crate::data::manifest::SILENCE_RMS;

/// Why a recording has no scores. It is left out of every mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoScores {
    /// There is no speech to compare with.
    #[error("the clean original is silent")]
    SilentOriginal,
    /// There is nothing to denoise.
    #[error("the noisy recording is silent")]
    Silent,
    /// A sample, and with it a score, is infinite or not a number.
    #[error("not every sample is a finite number")]
    NotFinite,
}

/// How near a signal is to the clean one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpeechScores {
    /// Scale-invariant signal-to-distortion ratio.
    pub si_sdr_db: f64,
    /// Signal-to-noise ratio.
    pub snr_db: f64,
    /// Weighted source-to-distortion ratio, 1 at best and -1 at worst.
    pub wsdr: f64,
    /// Short-time objective intelligibility, 0 to 1; none where there are less than 0.4 s of speech.
    pub stoi: Option<f64>,
    /// The extended form of it.
    pub estoi: Option<f64>,
}

impl SpeechScores {
    /// The scores of `estimate`, which was made of `noisy`; all of one length. A silent estimate of speech has the lowest scores.
    ///
    /// # Errors
    /// When `clean` or `noisy` is silent, or a sample is not finite: then there is no score to give.
    pub fn of(noisy: &[f32], clean: &[f32], estimate: &[f32], sample_rate_hz: u32) -> Result<Self, NoScores> {
        if ![noisy, clean, estimate].into_iter().flatten().all(|sample| sample.is_finite()) {
            return Err(NoScores::NotFinite);
        }
        if is_silent(clean) {
            return Err(NoScores::SilentOriginal);
        }
        if is_silent(noisy) {
            return Err(NoScores::Silent);
        }
        let [si_sdr_db, snr_db] = [metric::si_sdr, metric::snr].map(|score| score(clean, estimate));
        let wsdr = metric::wsdr(noisy, clean, estimate);
        // Samples near the largest number overflow.
        if ![si_sdr_db, snr_db, wsdr].iter().all(|score| score.is_finite()) {
            return Err(NoScores::NotFinite);
        }
        let stoi = metric::stoi(clean, estimate, sample_rate_hz).ok();
        let estoi = metric::estoi(clean, estimate, sample_rate_hz).ok();
        Ok(Self { si_sdr_db, snr_db, wsdr, stoi, estoi })
    }

    /// The mean, each as important as any other.
    fn mean<'a>(scores: impl Iterator<Item = &'a Self> + Clone) -> Self {
        let mean = |figures: &mut dyn Iterator<Item = f64>| {
            let (sum, count) = figures.fold((0.0, 0), |(sum, count), figure| (sum + figure, count + 1));
            (count > 0).then(|| sum / f64::from(count))
        };
        let all = |figure: fn(&Self) -> f64| mean(&mut scores.clone().map(figure)).unwrap_or_default();
        Self {
            si_sdr_db: all(|s| s.si_sdr_db),
            snr_db: all(|s| s.snr_db),
            wsdr: all(|s| s.wsdr),
            stoi: mean(&mut scores.clone().filter_map(|s| s.stoi)),
            estoi: mean(&mut scores.clone().filter_map(|s| s.estoi)),
        }
    }
}

/// Whether a signal without its mean is below -100 dBFS: SI-SDR ignores the mean.
fn is_silent(samples: &[f32]) -> bool {
    let count = samples.len().max(1) as f64;
    let mean = samples.iter().map(|&sample| f64::from(sample)).sum::<f64>() / count;
    let energy = samples.iter().map(|&sample| (f64::from(sample) - mean).powi(2)).sum::<f64>();
    energy <= f64::from(SILENCE_RMS).powi(2) * count
}

/// One noisy recording, scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// Its name.
    pub name: String,
    /// The kind of noise.
    pub kind: String,
    /// Of the input.
    pub before: SpeechScores,
    /// Of the output.
    pub after: SpeechScores,
}

/// The mean over some of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanScores {
    /// What they have in common.
    pub name: String,
    /// How many they are.
    pub items: usize,
    /// Mean of the inputs.
    pub before: SpeechScores,
    /// Mean of the outputs.
    pub after: SpeechScores,
}

impl MeanScores {
    /// The mean over all; none of nothing.
    pub fn of(name: &str, items: &[&Scored]) -> Option<Self> {
        let group = || Self {
            name: name.into(),
            items: items.len(),
            before: SpeechScores::mean(items.iter().map(|item| &item.before)),
            after: SpeechScores::mean(items.iter().map(|item| &item.after)),
        };
        (!items.is_empty()).then(group)
    }

    /// One group for each kind of noise, in the order in which they come.
    pub fn by_kind(items: &[Scored]) -> Vec<Self> {
        let mut kinds: Vec<&str> = Vec::new();
        for item in items {
            if !kinds.contains(&item.kind.as_str()) {
                kinds.push(&item.kind);
            }
        }
        let group = |kind| Self::of(kind, &items.iter().filter(|item| item.kind == kind).collect::<Vec<_>>());
        kinds.into_iter().filter_map(group).collect()
    }

    /// Groups by the input's SNR, in bands of 5 dB from the noisiest on.
    pub fn by_snr(items: &[Scored]) -> Vec<Self> {
        const BAND_DB: f64 = 5.0;
        let band = |item: &&Scored| (item.before.snr_db / BAND_DB).floor() as i64;
        let mut sorted: Vec<&Scored> = items.iter().collect();
        sorted.sort_by_key(band);
        let name = |band: i64| format!("{} to {} dB", BAND_DB * band as f64, BAND_DB * (band + 1) as f64);
        sorted.chunk_by(|a, b| band(a) == band(b)).filter_map(|items| Self::of(&name(band(&items[0])), items)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(kind: &str, snr_db: f64, stoi: Option<f64>) -> Scored {
        let before =
            SpeechScores { si_sdr_db: snr_db + 1.0, snr_db, wsdr: snr_db / 100.0, stoi, estoi: stoi.map(|s| s / 2.0) };
        let after = SpeechScores { si_sdr_db: before.si_sdr_db + 10.0, ..before };
        Scored { name: format!("{kind}{snr_db}"), kind: kind.into(), before, after }
    }

    fn summary(groups: &[MeanScores]) -> Vec<(&str, usize)> {
        groups.iter().map(|group| (group.name.as_str(), group.items)).collect()
    }

    #[test]
    fn means_by_hand() {
        let items = [scored("a", 2.0, Some(0.5)), scored("a", 4.0, None), scored("a", 9.0, Some(0.75))];
        let group = MeanScores::of("all", &items.iter().collect::<Vec<_>>()).expect("three items");
        // What has no STOI counts in all other means, and not in this one.
        let before = SpeechScores { si_sdr_db: 6.0, snr_db: 5.0, wsdr: 0.05, stoi: Some(0.625), estoi: Some(0.3125) };
        assert!((group.before.wsdr - before.wsdr).abs() < 1e-15, "{}", group.before.wsdr);
        assert_eq!(SpeechScores { wsdr: before.wsdr, ..group.before }, before);
        assert_eq!(group.after.si_sdr_db, 16.0);
        assert_eq!((group.name.as_str(), group.items), ("all", 3));

        let without = MeanScores::of("all", &[&items[1]]).expect("an item");
        assert_eq!((without.before.stoi, without.before.estoi), (None, None));
        assert_eq!(MeanScores::of("all", &[]), None);
    }

    #[test]
    fn kinds_come_in_their_order() {
        let items = ["white", "babble", "white", "any", "babble", "white"].map(|kind| scored(kind, 1.0, None));
        assert_eq!(summary(&MeanScores::by_kind(&items)), [("white", 3), ("babble", 2), ("any", 1)]);
        assert_eq!(MeanScores::by_kind(&[]), []);
    }

    #[test]
    fn bands_begin_at_multiples_of_five() {
        let ratios = [12.0, -2.0, 0.0, -5.0, 4.999, 5.0, -5.001, -100.0, 100.0];
        let items = ratios.map(|snr_db| scored("a", snr_db, None));
        let expected = [
            ("-100 to -95 dB", 1),
            ("-10 to -5 dB", 1),
            ("-5 to 0 dB", 2),
            ("0 to 5 dB", 2),
            ("5 to 10 dB", 1),
            ("10 to 15 dB", 1),
            ("100 to 105 dB", 1),
        ];
        let groups = MeanScores::by_snr(&items);
        assert_eq!(summary(&groups), expected);
        assert_eq!(groups[2].before.snr_db, -3.5);
    }

    #[test]
    fn scores_of_what_is_too_short_lack_intelligibility() {
        let noise = |seed| -> Vec<f32> { (0..3_200u32).map(|i| ((i * seed) % 97) as f32 / 97.0 - 0.5).collect() };
        let (clean, noisy) = (noise(31), noise(55));
        let scores = SpeechScores::of(&noisy, &clean, &clean, 16_000).expect("sound");
        assert_eq!((scores.snr_db, scores.stoi, scores.estoi), (metric::LIMIT_DB, None, None));
        assert!((scores.wsdr - 1.0).abs() < 1e-9);
    }
    #[test]
    fn silence_and_what_is_not_finite_have_no_scores() {
        let sound: Vec<f32> = (0..800u32).map(|i| ((i * 31) % 97) as f32 / 97.0 - 0.5).collect();
        let with = |value: f32| sound.iter().map(|sample| sample * 0.5 + value).collect::<Vec<f32>>();
        let scores = |noisy: &[f32], clean: &[f32], estimate: &[f32]| SpeechScores::of(noisy, clean, estimate, 16_000);
        // A constant offset and noise below -100 dBFS are silence as well.
        let faint: Vec<f32> = sound.iter().map(|sample| 0.25 + 1e-5 * sample).collect();
        for silence in [&[0.0; 800][..], &[0.25; 800], &faint] {
            assert_eq!(scores(&sound, silence, &sound), Err(NoScores::SilentOriginal));
            assert_eq!(scores(silence, silence, silence), Err(NoScores::SilentOriginal));
            assert_eq!(scores(silence, &sound, &sound), Err(NoScores::Silent));
        }
        assert_eq!(scores(&[], &[], &[]), Err(NoScores::SilentOriginal));
        for value in [f32::NAN, f32::INFINITY] {
            let mut broken = sound.clone();
            broken[400] = value;
            assert_eq!(scores(&sound, &sound, &broken), Err(NoScores::NotFinite));
            assert_eq!(scores(&broken, &sound, &sound), Err(NoScores::NotFinite));
            assert_eq!(scores(&sound, &broken, &sound), Err(NoScores::NotFinite));
        }
        // Silence in place of speech is a bad estimate, not a missing one.
        assert_eq!(scores(&with(0.1), &sound, &[0.0; 800]).expect("scored").si_sdr_db, -metric::LIMIT_DB);
    }
}
