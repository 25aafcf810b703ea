//! One recording on the page, and how far it is.

use exhibit::axis::time_text;
use media::{Damage, Spec};

use crate::mix::Voice;
use crate::protocol::{AddedNoise, Failure, MAX_SAMPLES, PIECE_SECONDS, TrackScores};
use crate::settings::PageTask;

/// How far a take is.
#[derive(Clone, Debug, PartialEq)]
pub enum TakePhase {
    /// For the engine to be ready, or done with another.
    Waiting,
    /// The engine is at it.
    Working,
    /// All is there.
    Done,
    /// It will not be.
    Failed(Failure),
}

/// What is known of a recording's samples.
#[derive(Clone, Debug, PartialEq)]
pub struct TakeFormat {
    /// Rate, channels, and what else a download takes over from the recording.
    pub spec: Spec,
    /// Samples per channel, if known.
    pub length: Option<u64>,
}

/// What is there of a track.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TakeTrack {
    /// Its name for people.
    pub title: String,
    /// Samples per channel that are there.
    pub frames: u64,
    /// How it compares with the clean recording.
    pub scores: Option<TrackScores>,
}

/// Damages that are listed one by one.
const MOST_LISTED_DAMAGES: usize = 5;

/// One recording on the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Take {
    /// Its number on the page.
    pub id: u32,
    /// Its number in messages: another one each time it is worked on, so that late answers are not taken for new ones.
    pub run: u32,
    /// Its name: that of the file.
    pub name: String,
    /// What it is there for.
    pub task: PageTask,
    /// How far it is.
    pub phase: TakePhase,
    /// What is known of its samples.
    pub format: Option<TakeFormat>,
    /// What is done to it before networks get it.
    pub noise: Option<AddedNoise>,
    /// The networks that work on it, by name.
    pub networks: Vec<String>,
    /// What can be heard of it: see [`crate::protocol`].
    pub tracks: Vec<TakeTrack>,
    /// Why the engine cannot read it, so that the browser decodes it.
    pub unreadable: Option<String>,
    /// What of it could not be decoded, in order.
    pub damage: Vec<Damage>,
    /// When the engine began with it, in seconds, and how many samples per channel were there then.
    pub began: Option<(f64, u64)>,
    /// Samples per channel that were there when the engine was lost the last time.
    pub resumed_from: Option<u64>,
    /// How long the networks took, in seconds.
    pub elapsed_seconds: Option<f64>,
}

impl Take {
    /// A take that waits.
    pub fn new(id: u32, name: String, task: PageTask, noise: Option<AddedNoise>) -> Self {
        Self {
            id,
            run: 0,
            name,
            task,
            phase: TakePhase::Waiting,
            format: None,
            noise,
            networks: Vec::new(),
            tracks: Vec::new(),
            unreadable: None,
            damage: Vec::new(),
            began: None,
            resumed_from: None,
            elapsed_seconds: None,
        }
    }

    /// Whether the engine has, or will have, something to do with it.
    pub fn is_active(&self) -> bool {
        matches!(self.phase, TakePhase::Waiting | TakePhase::Working)
    }

    /// Samples per channel of the result that are there.
    pub fn finished_frames(&self) -> u64 {
        self.tracks.last().map_or(0, |track| track.frames)
    }

    /// Samples per channel that can be heard: as far as the recording itself is there.
    pub fn heard_frames(&self) -> u64 {
        self.tracks.first().map_or(0, |track| track.frames)
    }

    /// Samples per channel that are there of all tracks that have a weight.
    pub fn frames_of(&self, weights: &[f32]) -> u64 {
        let used = weights.iter().zip(&self.tracks).filter(|(weight, _)| **weight != 0.0);
        used.map(|(_, track)| track.frames).min().unwrap_or(0)
    }

    /// Its length in seconds: as the file says, else as far as it has been read.
    pub fn seconds(&self) -> f64 {
        let Some(format) = &self.format else { return 0.0 };
        let length = match self.phase {
            TakePhase::Done | TakePhase::Failed(_) => None,
            _ => format.length,
        };
        // Headers lie: nothing is drawn for what cannot be.
        let length = length.filter(|length| *length <= MAX_SAMPLES as u64).unwrap_or(0).max(self.heard_frames());
        length as f64 / f64::from(format.spec.sample_rate_hz)
    }

    /// Samples per channel of a piece.
    pub fn piece_length(&self) -> u64 {
        self.format.as_ref().map_or(1, |format| u64::from(format.spec.sample_rate_hz) * u64::from(PIECE_SECONDS))
    }

    /// The share that is done, 0 to 1, if the length is known.
    pub fn share(&self) -> Option<f64> {
        let length = self.format.as_ref()?.length.filter(|length| *length > 0)?;
        let finished: u64 = match self.task {
            // Recording and noisy recording come at once; each network takes its time.
            PageTask::Experiment => self.tracks.iter().skip(2).map(|track| track.frames).sum(),
            _ => self.finished_tracks().map(|track| track.frames).sum(),
        };
        Some((finished as f64 / (length * self.networks.len().max(1) as u64) as f64).min(1.0))
    }

    /// The tracks that networks make.
    fn finished_tracks(&self) -> impl Iterator<Item = &TakeTrack> {
        self.tracks.iter().skip(self.tracks.len().saturating_sub(self.networks.len()))
    }

    /// An estimate of the time it still takes, in seconds, if the length is known and enough is done.
    pub fn seconds_left(&self, now: f64) -> Option<f64> {
        let (began, from) = self.began?;
        let length = self.format.as_ref()?.length? * self.networks.len().max(1) as u64;
        let done = (self.share()? * length as f64 - from as f64).max(0.0);
        let elapsed = now - began;
        // Before a while has passed it would jump about.
        if done <= 0.0 || elapsed < 1.0 {
            return None;
        }
        Some(((length - from) as f64 - done).max(0.0) * elapsed / done)
    }

    /// What can be heard and seen of it, when a share `kept` of the noise stays.
    pub fn voices(&self, kept: f32) -> Vec<Voice> {
        match self.task {
            PageTask::Experiment => Voice::of_tracks(self.tracks.iter().map(|track| track.title.as_str())),
            // With noise of ours there is a clean track in front; it is not heard here.
            _ if self.noise.is_some() => {
                let mut voices = Voice::of_denoised(kept);
                voices.iter_mut().for_each(|voice| voice.weights.insert(0, 0.0));
                voices
            }
            _ => Voice::of_denoised(kept),
        }
    }

    /// How many voices there will be.
    pub fn voice_count(&self) -> usize {
        match self.task {
            PageTask::Experiment => 2 + self.networks.len(),
            _ => 3,
        }
    }

    /// What people should know about the recording: a sentence each.
    pub fn remarks(&self) -> Vec<String> {
        let Some(TakeFormat { spec, .. }) = &self.format else { return Vec::new() };
        let mut remarks = self.damage_remark(spec.sample_rate_hz).into_iter().collect::<Vec<_>>();
        if !spec.metadata.left_out.is_empty() {
            remarks.push(format!("Downloads do not keep {}.", spec.metadata.left_out.join(", ")));
        }
        remarks
    }

    /// Where the recording is damaged, for how long, and why.
    fn damage_remark(&self, sample_rate_hz: u32) -> Option<String> {
        let seconds = |samples: u64| samples as f64 / f64::from(sample_rate_hz);
        let duration = |samples: u64| match seconds(samples) {
            short if short < 1.0 => format!("{:.0} ms", (1000.0 * short).max(1.0)),
            long => format!("{long:.1} s"),
        };
        let place = |damage: &Damage| {
            let at = time_text(seconds(damage.start), 1, true);
            match damage.length {
                0 => format!("{at} ({})", damage.reason),
                length => format!("{at} for {} ({})", duration(length), damage.reason),
            }
        };
        let listed: Vec<String> = self.damage.iter().take(MOST_LISTED_DAMAGES).map(place).collect();
        let more = match self.damage.len().saturating_sub(MOST_LISTED_DAMAGES) {
            0 => String::new(),
            more => format!(" and in {more} more places"),
        };
        let silent = match self.damage.iter().map(|damage| damage.length).sum() {
            0 => String::new(),
            silent => {
                format!(" {} in all could not be decoded and is silent; the rest stays in time.", duration(silent))
            }
        };
        (!listed.is_empty()).then(|| format!("This recording is damaged at {}{more}.{silent}", listed.join(", ")))
    }

    /// Forgets what was made of it, to make it again.
    pub fn restart(&mut self) {
        self.phase = TakePhase::Waiting;
        self.format = None;
        self.damage.clear();
        self.tracks.clear();
        (self.began, self.resumed_from, self.elapsed_seconds) = (None, None, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(sample_rate_hz: u32) -> Spec {
        let (channels, channel_mask, encoding) = (1, None, media::Encoding::Pcm16);
        Spec { sample_rate_hz, channels, channel_mask, encoding, metadata: Default::default() }
    }

    fn take(length: Option<u64>, frames: &[u64]) -> Take {
        let mut take = Take::new(1, "a.wav".into(), PageTask::Denoise, None);
        take.format = Some(TakeFormat { spec: spec(16_000), length });
        take.networks = vec!["dcunet".into()];
        take.tracks = frames.iter().map(|frames| TakeTrack { frames: *frames, ..TakeTrack::default() }).collect();
        take.phase = TakePhase::Working;
        take
    }

    #[test]
    fn progress_and_time_left_follow_what_is_done() {
        let mut take = take(Some(320_000), &[160_000, 80_000]);
        take.began = Some((10.0, 0));
        assert_eq!((take.share(), take.seconds()), (Some(0.25), 20.0));
        assert_eq!(take.seconds_left(10.5), None);
        assert_eq!(take.seconds_left(15.0), Some(15.0));
        take.began = Some((10.0, 40_000));
        assert_eq!(take.seconds_left(15.0), Some(30.0));
    }

    #[test]
    fn without_a_length_there_is_no_share() {
        let take = take(None, &[160_000, 80_000]);
        assert_eq!((take.share(), take.seconds_left(99.0), take.seconds()), (None, None, 10.0));
    }

    #[test]
    fn a_header_that_promises_days_draws_none_of_them() {
        assert_eq!(take(Some(u64::MAX / 2), &[16_000]).seconds(), 1.0);
    }

    #[test]
    fn damage_is_described_by_place_length_and_reason() {
        let mut take = take(Some(1_600_000), &[1_600_000, 1_600_000]);
        assert_eq!(take.remarks(), Vec::<String>::new());
        let damage = |start, length, reason: &str| Damage { start, length, reason: reason.into() };
        take.damage = vec![damage(1_600_000, 0, "the file is cut off here")];
        assert_eq!(take.remarks(), ["This recording is damaged at 1:40.0 (the file is cut off here)."]);
        take.damage = vec![damage(20_800, 416, "a checksum does not match"), damage(32_000, 24_000, "data is missing")];
        assert_eq!(
            take.remarks(),
            ["This recording is damaged at 0:01.3 for 26 ms (a checksum does not match), 0:02.0 for 1.5 s (data is \
              missing). 1.5 s in all could not be decoded and is silent; the rest stays in time."]
        );
        take.damage = (0..9).map(|index| damage(16_000 * index, 1, "noise")).collect();
        let [remark] = &take.remarks()[..] else { panic!("one remark expected") };
        assert!(remark.contains("0:04.0 for 1 ms (noise) and in 4 more places. 1 ms in all"), "{remark}");
        take.restart();
        assert_eq!((take.damage.len(), take.remarks().len()), (0, 0));
    }

    #[test]
    fn what_downloads_do_not_keep_is_named() {
        let mut take = take(Some(10), &[10, 10]);
        let format = take.format.as_mut().expect("a format");
        format.spec.metadata.left_out = vec!["cue points".into(), "a picture".into()];
        assert_eq!(take.remarks(), ["Downloads do not keep cue points, a picture."]);
    }

    #[test]
    fn added_noise_is_part_of_what_was_before() {
        let mut take = take(Some(10), &[10, 10, 10]);
        assert_eq!(take.voices(0.0)[0].weights, [1.0, 0.0]);
        let chain = crate::steps::Steps::default();
        take.noise = Some(AddedNoise { chain, seed: 1 });
        let weights: Vec<_> = take.voices(0.0).into_iter().map(|voice| voice.weights).collect();
        assert_eq!(weights, [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, -1.0]]);
    }
}
