//! Recordings as people have them: any common format in, blocks of samples out, and WAV files written.
//!
//! This crate is pure: it opens no file and knows no DOM and no Burn. [`Reader`] takes anything that can be read and sought,
//! such as a file or a browser's blob; [`Writer`] takes anything that can be written and sought. Memory does not grow with a
//! recording's length.
//!
//! | module | what it holds |
//! |---|---|
//! | [`reader`] | a recording of any format, block by block |
//! | [`writer`] | a WAV file, block by block; RF64 where WAV is too small |
//! | [`mod@format`] | rate, channels, speakers, precision, length, damage |
//! | [`metadata`] | titles, dates and other text |
//! | [`whole`] | short recordings, whole in memory |
//!
//! The feature `serde` makes what describes recordings and results serialisable, for messages between programs.

mod aiff;
mod au;
mod bytes;
pub mod error;
pub mod format;
mod layout;
pub mod metadata;
mod mpeg;
mod opus;
mod packets;
mod padded;
pub mod reader;
mod riff;
mod samples;
mod signature;
mod timeline;
mod vorbis;
pub mod whole;
mod window;
pub mod writer;

pub use bytes::sought;
pub use error::{Error, Result};
pub use format::{Damage, Encoding, Format};
pub use metadata::Metadata;
pub use reader::{Block, Reader, Source};
pub use whole::{Whole, decode, encode};
pub use writer::{Spec, Writer};

/// Names of the formats that [`Reader`] knows, for people.
pub const FORMATS: &str = "WAV, RF64, W64, AIFF, AU, CAF, FLAC, Ogg, MP3, AAC, M4A, MP4, MKV and WebM";
