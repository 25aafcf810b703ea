//! How a recording is denoised.

use crate::audio::db_to_amplitude;
use crate::error::{Error, Result};
use crate::nn::needs::PIECE_LENGTH;

/// Attenuation limit from which on nothing of the noise is kept, in dB.
pub const MAX_ATTENUATION_DB: f32 = 100.0;

/// How a recording is denoised.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct StreamOptions {
    /// By how many dB noise may be attenuated: 0 leaves the recording as it is, [`MAX_ATTENUATION_DB`] removes all that the
    /// network takes for noise. In between, `10^(-limit / 20)` of what it removes stays, in phase.
    pub attenuation_limit_db: f32,
    /// Samples at the network's rate that it denoises at a time, at least, apart from the context around them. Fewer mean less
    /// latency and memory, and more work for the context.
    pub piece_length: usize,
    /// How far ahead the level is measured, in seconds from 0. What is measured is a tenth of a second at least, unless
    /// [`StreamOptions::low_latency`].
    pub lookahead_seconds: f64,
    /// Whether nothing waits that need not: the level is that of the past alone, whatever `lookahead_seconds` says; filters between the rates
    /// are short, so that the top 15 % of the network's band are attenuated before it; and the band above it is attenuated in shorter
    /// frames.
    pub low_latency: bool,
}

impl Default for StreamOptions {
    /// For files: all noise removed, 8 s at 16 kHz at a time, levels measured 4 s ahead.
    fn default() -> Self {
        Self {
            attenuation_limit_db: MAX_ATTENUATION_DB,
            piece_length: PIECE_LENGTH,
            lookahead_seconds: 4.0,
            low_latency: false,
        }
    }
}

impl StreamOptions {
    /// For sound that is heard while it comes: all noise removed, as late as the network's latency, with a recurrent network some 10 ms
    /// more. For other networks, set [`StreamOptions::piece_length`] to what they can compute in time.
    pub fn live() -> Self {
        Self { piece_length: 1, lookahead_seconds: 0.0, low_latency: true, ..Self::default() }
    }

    /// The same with another [`StreamOptions::attenuation_limit_db`].
    pub fn with_attenuation_limit_db(self, attenuation_limit_db: f32) -> Self {
        Self { attenuation_limit_db, ..self }
    }

    /// The same with another [`StreamOptions::piece_length`].
    pub fn with_piece_length(self, piece_length: usize) -> Self {
        Self { piece_length, ..self }
    }

    /// The same with another [`StreamOptions::lookahead_seconds`].
    pub fn with_lookahead_seconds(self, lookahead_seconds: f64) -> Self {
        Self { lookahead_seconds, ..self }
    }

    /// The same with another [`StreamOptions::low_latency`].
    pub fn with_low_latency(self, low_latency: bool) -> Self {
        Self { low_latency, ..self }
    }

    /// Checks the ranges given at the fields.
    ///
    /// # Errors
    /// When a field is outside its range.
    pub fn validate(&self) -> Result<()> {
        if !(0.0..=MAX_ATTENUATION_DB).contains(&self.attenuation_limit_db) {
            let expected = format!("0 to {MAX_ATTENUATION_DB} dB");
            return Err(Error::config("attenuation_limit_db", expected, self.attenuation_limit_db));
        }
        if !(0.0..=60.0).contains(&self.lookahead_seconds) {
            return Err(Error::config("lookahead_seconds", "0 to 60 s", self.lookahead_seconds));
        }
        Ok(())
    }

    /// Share of what the network removes that stays all the same.
    pub(super) fn kept(&self) -> f32 {
        match self.attenuation_limit_db {
            MAX_ATTENUATION_DB => 0.0,
            limit_db => db_to_amplitude(-limit_db),
        }
    }
}
