//! What can go wrong with a recording.

use std::io;

/// The result of everything in this crate that can fail on user input.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// A recording that cannot be read or written. Every message says what was found and what would have worked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The source has no bytes.
    #[error("the file is empty")]
    Empty,

    /// The bytes are of no known format.
    #[error("not a recording in a known format (known are {})", crate::FORMATS)]
    UnknownFormat,

    /// The bytes are of a known format that no reader here knows.
    #[error("{name} is not supported; convert the file to WAV or FLAC first")]
    UnsupportedFormat {
        /// Name of the format.
        name: &'static str,
    },

    /// A known container with something in it that cannot be read.
    #[error("{container}: {reason}")]
    Malformed {
        /// Name of the container, such as "WAV".
        container: &'static str,
        /// What is wrong with it.
        reason: String,
    },

    /// A codec that no decoder here knows.
    #[error("{container}: the codec {codec} is not supported; convert the file to WAV or FLAC first")]
    UnsupportedCodec {
        /// Name of the container, such as "WAV".
        container: &'static str,
        /// Name of the codec, such as "GSM 6.10".
        codec: String,
    },

    /// A container without a sound track.
    #[error("{container}: there is no sound in it")]
    NoSound {
        /// Name of the container, such as "MP4".
        container: &'static str,
    },

    /// The rate or the number of channels changes within the recording.
    #[error("the format changes after {seconds:.1} s, from {from} to {to}; split the file there, or convert it first")]
    FormatChange {
        /// Where, in seconds from the start.
        seconds: f64,
        /// Rate and channels before.
        from: String,
        /// Rate and channels after.
        to: String,
    },

    /// A result that its format cannot hold.
    #[error("cannot write WAV: {0}")]
    Unwritable(String),

    /// The source or the destination failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}
