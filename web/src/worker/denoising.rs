//! Denoising a recording into tracks, on one backend after the other.

use media::Block;
use shared::stream::Options;
use web::protocol::engine::{Backend, Response};
use web::protocol::{Failure, PIECE_SECONDS};

use crate::browser::{now, post};
use crate::session::{BackendStream, Loaded, Session};
use crate::source::{RecordingSource, TrackFormat};
use crate::stop::{Stop, Trouble};
use crate::track::TrackSender;

/// What is heard before a place from which denoising resumes, at least, in seconds: after that, levels, context and
/// filters are as if all had been heard.
const RUN_UP_SECONDS: u64 = 16;

/// Longest that it may have to be made so that the network's strides fall as they did, in seconds.
const MAX_STEP_SECONDS: u64 = 64;

/// A take that is being denoised.
pub struct ActiveTake<'a> {
    /// Backend and networks.
    pub session: &'a mut Session,
    /// Number of the take.
    pub id: u32,
    /// Rate and channels.
    pub format: TrackFormat,
    /// When to stop.
    pub stop: Stop,
    /// How long the networks took, in seconds.
    pub elapsed_seconds: f64,
}

impl ActiveTake<'_> {
    /// Denoises a recording into the last of `tracks`, one for each of `models`; the one before, if there is one, gets
    /// the recording itself. Where WebGPU fails, the CPU continues. Gives the length in samples per channel.
    ///
    /// # Errors
    /// When it cannot be done, or is not to be done any more.
    pub async fn denoise(
        &mut self,
        open: impl Fn() -> Result<RecordingSource, Failure>,
        models: &[String],
        tracks: &mut [TrackSender],
    ) -> Result<u64, Failure> {
        loop {
            match self.pass(open()?, models, tracks).await {
                Ok(length) => return Ok(length),
                Err(Trouble::Failure(failure)) => return Err(failure),
                Err(Trouble::Device(reason)) if self.session.backend() == Backend::Webgpu => {
                    post(&Response::FellBack { reason });
                    self.session.fall_back().await?;
                }
                Err(Trouble::Device(reason)) => return Err(Failure::Other(reason)),
            }
        }
    }

    /// The same on one backend, from where the page has all tracks to the end.
    async fn pass(
        &mut self,
        mut source: RecordingSource,
        models: &[String],
        tracks: &mut [TrackSender],
    ) -> Result<u64, Trouble> {
        let networks = models.iter().map(|model| self.session.network(model)).collect::<Result<Vec<_>, _>>()?;
        let posted = tracks.iter().map(TrackSender::posted).min().unwrap_or(0);
        let start = start_before(posted, self.format, &networks);
        tracks.iter_mut().for_each(|track| track.start_over(start));
        let mut streams = Vec::new(); // for each network one for each channel, so that there are breaks between channels
        for network in networks {
            let stream = |_| network.stream(self.format.sample_rate_hz, options(network));
            streams.push((0..self.format.channels).map(stream).collect::<Result<Vec<_>, _>>()?);
        }
        let (originals, results) = tracks.split_at_mut(tracks.len() - models.len());

        let mut position = 0;
        while let Some(mut block) = source.read()? {
            let skipped = start.saturating_sub(position).min(block[0].len() as u64) as usize;
            position += block[0].len() as u64;
            block.iter_mut().for_each(|channel| drop(channel.drain(..skipped)));
            originals.iter_mut().for_each(|track| track.push(&block));
            for (streams, track) in streams.iter_mut().zip(&mut *results) {
                let denoised = self.through(streams, Some(&block)).await?;
                track.push(&denoised);
            }
            self.stop.listen().await?;
        }
        post_damage(self.id, &source);
        originals.iter_mut().for_each(TrackSender::finish);
        for (streams, track) in streams.iter_mut().zip(results) {
            let denoised = self.through(streams, None).await?;
            track.push(&denoised);
            track.finish();
        }
        Ok(position)
    }

    /// What comes out of the streams of all channels after a block has gone in, or after the end.
    async fn through(&mut self, streams: &mut [BackendStream], block: Option<&Block>) -> Result<Block, Trouble> {
        let mut output = Vec::new();
        for (channel, stream) in streams.iter_mut().enumerate() {
            let started = now();
            output.push(match block {
                Some(block) => stream.push(&block[channel]).await?,
                None => stream.flush().await?,
            });
            self.elapsed_seconds += now() - started;
            self.stop.listen().await?;
        }
        Ok(output)
    }
}

/// Posts what of a recording could not be decoded, if anything.
pub fn post_damage(id: u32, source: &RecordingSource) {
    let damage = source.damage().to_vec();
    if !damage.is_empty() {
        post(&Response::Damaged { id, damage });
    }
}

/// Where to start so that all is from `posted` on as if it had been heard from the beginning: a whole number of
/// seconds, so that levels are measured and rates converted alike, and of the networks' strides.
fn start_before(posted: u64, format: TrackFormat, networks: &[&Loaded]) -> u64 {
    let rate_hz = u64::from(format.sample_rate_hz);
    let step = networks.iter().fold(u64::from(PIECE_SECONDS), |step, network| {
        let stride = network.alignment() as u64;
        let seconds = stride / greatest_common_divisor(stride, network.sample_rate_hz().into());
        let both = step / greatest_common_divisor(step, seconds) * seconds;
        if both <= MAX_STEP_SECONDS { both } else { step }
    });
    (posted / rate_hz).saturating_sub(RUN_UP_SECONDS) / step * step * rate_hz
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// How files are denoised: in shorter pieces by slow networks, so that there is something to hear soon, and `Cancel`
/// is.
fn options(network: &Loaded) -> Options {
    let longest = Options::default();
    let seconds = match network.speed {
        4.0.. => return longest,
        2.0.. => 4,
        _ => 2,
    };
    let piece_length = longest.piece_length.min(seconds * network.sample_rate_hz() as usize);
    Options { piece_length, ..longest }
}
