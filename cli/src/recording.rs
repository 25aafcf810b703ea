//! Reading recordings in any format, with errors that name the file and what failed.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, Error, Result, bail};
use media::{Block, Damage, Format, Reader};
use shared::audio::check_rate;
use shared::{Audio, resample};

use crate::damage;

/// A recording being read, block by block.
pub struct OpenRecording {
    name: String,
    reader: Reader,
}

impl OpenRecording {
    /// Opens a recording and reads its format.
    ///
    /// # Errors
    /// When the file cannot be read, or is no recording in a known format, rate and codec.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
        Self::of(name, file)
    }

    /// A recording in a file that is open; errors call it `name`.
    ///
    /// # Errors
    /// As [`OpenRecording::open`].
    pub fn of(name: String, file: File) -> Result<Self> {
        let reader = match Reader::new(BufReader::new(file)) {
            Ok(reader) => reader,
            Err(error) => return Err(failure(error, &name, None)),
        };
        check_rate(reader.format().sample_rate_hz).with_context(|| format!("cannot use {name}"))?;
        Ok(Self { name, reader })
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is known about it beforehand.
    pub fn format(&self) -> &Format {
        self.reader.format()
    }

    /// The next samples of each channel, thousands of them; none at the end.
    ///
    /// # Errors
    /// When the file cannot be read any more, or its format changes.
    pub fn read(&mut self) -> Result<Option<Block>> {
        self.reader.read().map_err(|error| failure(error, &self.name, Some(self.reader.format())))
    }

    /// The next samples of each channel, `length` or a little more; fewer at the end, then none.
    ///
    /// # Errors
    /// As [`OpenRecording::read`].
    pub fn read_at_least(&mut self, length: usize) -> Result<Option<Block>> {
        let Some(mut collected) = self.read()? else { return Ok(None) };
        while collected[0].len() < length {
            let Some(block) = self.read()? else { break };
            collected.iter_mut().zip(block).for_each(|(collected, samples)| collected.extend(samples));
        }
        Ok(Some(collected))
    }

    /// What could not be decoded of what was read so far.
    pub fn damage(&self) -> &[Damage] {
        self.reader.damage()
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// As [`OpenRecording::read`]; when it is empty, or a sample is not finite.
    pub fn read_all(mut self) -> Result<DecodedRecording> {
        let format = self.format().clone();
        let mut channels = vec![Vec::new(); format.channels];
        while let Some(block) = self.read()? {
            channels.iter_mut().zip(block).for_each(|(channel, samples)| channel.extend(samples));
        }
        let audio = Audio::new(format.sample_rate_hz, channels).with_context(|| format!("cannot use {}", self.name))?;
        Ok(DecodedRecording { audio, format, damage: self.damage().to_vec(), name: self.name })
    }
}

/// Says whether reading or decoding failed.
fn failure(error: media::Error, name: &str, format: Option<&Format>) -> Error {
    let what = match (&error, format) {
        (media::Error::Io(_), _) | (_, None) => format!("cannot read {name}"),
        (_, Some(format)) => format!("cannot decode {name} ({}, {})", format.container, format.codec),
    };
    Error::new(error).context(what)
}

/// A whole recording.
pub struct DecodedRecording {
    /// What messages call it.
    pub name: String,
    /// Its samples.
    pub audio: Audio,
    /// What was known about it beforehand.
    pub format: Format,
    /// What could not be decoded, and is silent instead.
    pub damage: Vec<Damage>,
}

impl DecodedRecording {
    /// Its samples, if nothing of it is damaged: silence in place of speech would be scored, or learned from.
    ///
    /// # Errors
    /// When something is; the message says where.
    pub fn intact(self) -> Result<Audio> {
        match damage::lines(&self.name, self.format.sample_rate_hz, &self.damage).into_iter().next() {
            Some(line) => bail!(line),
            None => Ok(self.audio),
        }
    }
}

/// Reads a whole recording.
///
/// # Errors
/// As [`OpenRecording::open`]; when it is empty, or a sample is not finite.
pub fn read(path: &Path) -> Result<DecodedRecording> {
    OpenRecording::open(path)?.read_all()
}

/// Reads a recording that is not damaged as one channel at `sample_rate_hz`.
///
/// # Errors
/// As [`read`] and [`DecodedRecording::intact`].
pub fn read_mono(path: &Path, sample_rate_hz: u32) -> Result<Vec<f32>> {
    let audio = read(path)?.intact()?;
    resample::resample(&audio.to_mono(), audio.sample_rate_hz(), sample_rate_hz)
        .with_context(|| format!("cannot resample {}", path.display()))
}
