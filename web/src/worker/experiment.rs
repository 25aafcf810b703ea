//! Noise that is made before a recording is denoised by one network after the other, and how well they did.

use std::rc::Rc;

use media::Block;
use shared::Audio;
use shared::metric::{si_sdr, snr, stoi, wsdr};
use shared::noise::{Chain, NoRecordings};
use web::protocol::engine::Response;
use web::protocol::{AddedNoise, Failure, MAX_NOISY_SAMPLES, TrackScores};

use crate::browser::post;
use crate::denoising::{ActiveTake, post_damage};
use crate::source::RecordingSource;
use crate::track::TrackSender;

/// The clean and the noisy recording: the means of their channels, as scores are of one channel.
struct Reference {
    clean: Vec<f32>,
    noisy: Vec<f32>,
    sample_rate_hz: u32,
}

/// Refuses recordings of so many samples per channel that noise cannot be made on.
///
/// # Errors
/// When it is such a one.
pub fn check_length(source: &RecordingSource, length: u64) -> Result<(), Failure> {
    if source.samples(length) <= MAX_NOISY_SAMPLES as u64 { Ok(()) } else { Err(Failure::TooLongForNoise) }
}

/// Makes noise and denoises it. All of the recording comes into memory: some noise depends on all of it. Gives its
/// length in samples per channel.
///
/// # Errors
/// When it cannot be done, or is not to be done any more.
pub async fn run(
    take: &mut ActiveTake<'_>,
    source: RecordingSource,
    noise: &AddedNoise,
    models: &[String],
) -> Result<u64, Failure> {
    let (id, format) = (take.id, take.format);
    let clean = read(take, source).await?;
    let chain = Chain::from_json(&noise.chain.to_json());
    let noisy = chain.and_then(|chain| chain.apply(&clean, noise.seed.into(), &NoRecordings));
    let noisy = noisy.map_err(|error| Failure::NoNoise(error.to_string()))?;
    let length = clean.len() as u64;
    let reference = Reference { clean: clean.to_mono(), noisy: noisy.to_mono(), sample_rate_hz: format.sample_rate_hz };
    drop(clean);
    let noisy = Rc::new(noisy.into_channels());
    let mut track = TrackSender::new(id, 1, format, 0);
    let mut samples = RecordingSource::of_memory(noisy.clone(), format);
    while let Some(block) = samples.read()? {
        track.push(&block);
        take.stop.listen().await?;
    }
    track.finish();
    post(&Response::Scored { id, track: 1, scores: reference.score(&reference.noisy) });
    for (index, model) in models.iter().enumerate() {
        let number = 2 + index;
        let mut tracks = [TrackSender::new(id, number, format, 0).with_mean()];
        take.denoise(
            || Ok(RecordingSource::of_memory(noisy.clone(), format)),
            std::slice::from_ref(model),
            &mut tracks,
        )
        .await?;
        let [track] = tracks;
        post(&Response::Scored { id, track: number, scores: reference.score(&track.into_mean()) });
        take.stop.listen().await?;
    }
    Ok(length)
}

/// The whole recording, which goes to the page as track 0.
async fn read(take: &ActiveTake<'_>, mut source: RecordingSource) -> Result<Audio, Failure> {
    let mut track = TrackSender::new(take.id, 0, take.format, 0);
    let mut channels: Block = vec![Vec::new(); take.format.channels];
    while let Some(block) = source.read()? {
        track.push(&block);
        for (channel, samples) in channels.iter_mut().zip(block) {
            channel.extend(samples);
        }
        check_length(&source, channels[0].len() as u64)?;
        take.stop.listen().await?;
    }
    post_damage(take.id, &source);
    track.finish();
    Audio::new(take.format.sample_rate_hz, channels).map_err(|error| Failure::Other(error.to_string()))
}

impl Reference {
    /// How an estimate compares.
    fn score(&self, estimate: &[f32]) -> TrackScores {
        let Self { clean, noisy, sample_rate_hz } = self;
        if estimate.len() != clean.len() {
            return TrackScores::default();
        }
        let finite = |score: f64| Some(score).filter(|score| score.is_finite());
        // Silence has no level to set a ratio to, nor has a constant where means are removed.
        let silent = clean.iter().all(|&sample| sample == 0.0);
        let constant = clean.iter().all(|&sample| sample == clean[0]);
        TrackScores {
            snr_db: finite(snr(clean, estimate)).filter(|_| !silent),
            si_sdr_db: finite(si_sdr(clean, estimate)).filter(|_| !constant),
            wsdr: finite(wsdr(noisy, clean, estimate)),
            stoi: stoi(clean, estimate, *sample_rate_hz).ok().and_then(finite),
        }
    }
}
