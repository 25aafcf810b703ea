//! Recordings on disk.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use shared::audio::check_rate;
use shared::wav::{self, Encoding};
use shared::{Audio, resample};
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as DecodeError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use tempfile::NamedTempFile;
use walkdir::WalkDir;

/// Extensions taken for recordings when a folder is walked.
const EXTENSIONS: [&str; 11] = ["wav", "wave", "flac", "ogg", "oga", "mp3", "m4a", "mp4", "aac", "mkv", "webm"];

/// Samples of each channel that are read at a time.
const BLOCK_LENGTH: usize = 1 << 14;

/// A recording in any supported format, being read bit by bit.
pub enum Reader {
    /// A WAV file.
    Wav(wav::Reader<BufReader<File>>),
    /// What Symphonia decodes.
    Decoded(Box<Decoder>),
}

/// A recording that Symphonia decodes.
pub struct Decoder {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track_id: u32,
    length: Option<u64>,
    sample_rate_hz: u32,
    /// The packet that told the rate and the number of channels; handed out first.
    first: Option<Vec<Vec<f32>>>,
    channels: usize,
}

impl Reader {
    /// Opens a recording and reads as much as tells its rate and channels.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let reader = if has_extension(path, &["wav", "wave"]) {
            wav::Reader::new(BufReader::new(file)).map(Self::Wav).map_err(Into::into)
        } else {
            Decoder::open(file, path).map(|decoder| Self::Decoded(Box::new(decoder)))
        };
        reader.with_context(|| format!("cannot read {}", path.display()))
    }

    /// Samples per second.
    pub fn sample_rate_hz(&self) -> u32 {
        match self {
            Self::Wav(reader) => reader.sample_rate_hz(),
            Self::Decoded(decoder) => decoder.sample_rate_hz,
        }
    }

    /// Channels, at least 1.
    pub fn channels(&self) -> usize {
        match self {
            Self::Wav(reader) => reader.channels(),
            Self::Decoded(decoder) => decoder.channels,
        }
    }

    /// Samples per channel, where the file says how many.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::Wav(reader) => Some(reader.length()),
            Self::Decoded(decoder) => decoder.length,
        }
    }

    /// The WAV encoding that suits the recording's precision.
    pub fn encoding(&self) -> Encoding {
        match self {
            Self::Wav(reader) => reader.encoding(),
            Self::Decoded(_) => Encoding::Pcm16,
        }
    }

    /// The next samples of each channel, some thousands; none at the end.
    pub fn read(&mut self) -> Result<Option<Vec<Vec<f32>>>> {
        match self {
            Self::Wav(reader) => Ok(Some(reader.read(BLOCK_LENGTH)?).filter(|block| !block[0].is_empty())),
            Self::Decoded(decoder) => decoder.read(),
        }
    }
}

/// Reads a whole recording in any supported format, with the WAV encoding that suits its precision.
pub fn read(path: &Path) -> Result<(Audio, Encoding)> {
    let mut reader = Reader::open(path)?;
    let mut whole = || -> Result<_> {
        let mut channels = vec![Vec::new(); reader.channels()];
        while let Some(block) = reader.read()? {
            for (channel, samples) in channels.iter_mut().zip(block) {
                channel.extend(samples);
            }
        }
        Ok((Audio::new(reader.sample_rate_hz(), channels)?, reader.encoding()))
    };
    whole().with_context(|| format!("cannot read {}", path.display()))
}

/// Reads a recording as one channel at `sample_rate_hz`.
pub fn read_mono(path: &Path, sample_rate_hz: u32) -> Result<Vec<f32>> {
    let (audio, _) = read(path)?;
    resample::resample(&audio.to_mono(), audio.sample_rate_hz(), sample_rate_hz)
        .with_context(|| format!("cannot resample {}", path.display()))
}

/// Writes a WAV file: whole, or not at all.
pub fn write(path: &Path, audio: &Audio, encoding: Encoding) -> Result<()> {
    let bytes = wav::encode(audio, encoding).with_context(|| format!("cannot encode {}", path.display()))?;
    write_whole(path, &bytes)
}

/// Writes a file: whole, or not at all.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    NewFile::create(path)?.finish(|file| Ok(file.write_all(bytes)?))
}

/// A file that gets its name once it is whole, so that no reader sees half of it. Dropped before, it leaves nothing behind.
pub struct NewFile<'a> {
    path: &'a Path,
    file: NamedTempFile,
}

impl<'a> NewFile<'a> {
    /// A file under a temporary name in the folder of `path`, which is made if there is none.
    pub fn create(path: &'a Path) -> Result<Self> {
        let context = || format!("cannot write {}", path.display());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder).with_context(context)?;
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            // Readable for whoever the user lets read new files, not for the user alone.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let file = builder.suffix(".part").tempfile_in(folder).with_context(context)?;
        Ok(Self { path, file })
    }

    /// Lets `write` fill the file, and gives it its name.
    pub fn finish(self, write: impl FnOnce(&mut BufWriter<&File>) -> Result<()>) -> Result<()> {
        let fill = || -> Result<()> {
            let mut buffer = BufWriter::new(self.file.as_file());
            write(&mut buffer)?;
            buffer.flush()?;
            self.file.as_file().sync_all()?;
            Ok(())
        };
        let context = || format!("cannot write {}", self.path.display());
        fill().with_context(context)?;
        self.file.persist(self.path).map_err(|error| error.error).with_context(context)?;
        Ok(())
    }
}

/// All recordings below `folder`, in the order of their paths.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        if entry.file_type().is_file() && has_extension(entry.path(), &EXTENSIONS) {
            paths.push(entry.into_path());
        }
    }
    if paths.is_empty() {
        bail!("no recordings in {} (looked for {})", folder.display(), EXTENSIONS.join(", "));
    }
    Ok(paths)
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    extensions.iter().any(|known| known.eq_ignore_ascii_case(extension))
}

impl Decoder {
    fn open(file: File, path: &Path) -> Result<Self> {
        let mut hint = Hint::new();
        if let Some(extension) = path.extension().and_then(|extension| extension.to_str()) {
            hint.with_extension(extension);
        }
        let stream = MediaSourceStream::new(Box::new(file), Default::default());
        let format = symphonia::default::get_probe().probe(&hint, stream, Default::default(), Default::default())?;
        let track = format.default_track(TrackType::Audio).context("there is no sound in it")?;
        let (track_id, length) = (track.id, track.num_frames);
        let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters.context("its codec is not known")?, &AudioDecoderOptions::default())?;
        let mut this = Self { format, decoder, track_id, length, sample_rate_hz: 0, first: None, channels: 0 };
        let first = this.packet()?.context("there is no sound in it")?;
        check_rate(this.sample_rate_hz)?;
        this.channels = first.len();
        this.first = Some(first);
        Ok(this)
    }

    fn read(&mut self) -> Result<Option<Vec<Vec<f32>>>> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        let sample_rate_hz = self.sample_rate_hz;
        let packet = self.packet()?;
        if packet.as_ref().is_some_and(|packet| packet.len() != self.channels || self.sample_rate_hz != sample_rate_hz)
        {
            bail!("its rate or number of channels changes midway");
        }
        Ok(packet)
    }

    /// The next packet that can be decoded; broken ones are skipped, as players do.
    fn packet(&mut self) -> Result<Option<Vec<Vec<f32>>>> {
        while let Some(packet) = self.format.next_packet()? {
            if packet.track_id != self.track_id {
                continue;
            }
            let decoded = match self.decoder.decode(&packet) {
                Ok(decoded) => decoded,
                Err(DecodeError::DecodeError(_) | DecodeError::IoError(_)) => continue,
                Err(error) => return Err(error.into()),
            };
            let mut channels = Vec::new();
            decoded.copy_to_vecs_planar(&mut channels);
            self.sample_rate_hz = decoded.spec().rate();
            if !channels.is_empty() {
                return Ok(Some(channels));
            }
        }
        Ok(None)
    }
}
