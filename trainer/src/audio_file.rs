//! Recordings on disk.

use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use shared::wav::{self, Encoding};
use shared::{Audio, resample};
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error as DecodeError;
use symphonia::core::formats::TrackType;
use symphonia::core::formats::probe::Hint;
use symphonia::core::io::MediaSourceStream;
use walkdir::WalkDir;

/// Extensions taken for recordings when a folder is walked.
const EXTENSIONS: [&str; 11] = ["wav", "wave", "flac", "ogg", "oga", "mp3", "m4a", "mp4", "aac", "mkv", "webm"];

/// Reads a recording in any supported format, with the WAV encoding that suits its precision.
pub fn read(path: &Path) -> Result<(Audio, Encoding)> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let decoded = if has_extension(path, &["wav", "wave"]) {
        wav::decode(BufReader::new(file)).map_err(Into::into)
    } else {
        decode(file, path).map(|audio| (audio, Encoding::Pcm16))
    };
    decoded.with_context(|| format!("cannot read {}", path.display()))
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

/// Writes a file under a temporary name beside its place and renames it there, so that no reader sees half of it.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let context = || format!("cannot write {}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(context)?;
    let mut name = path.file_name().with_context(context)?.to_owned();
    name.push(".part");
    let part = folder.join(name);
    let written = File::create(&part)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // What is left of a failed attempt is of no use to anybody.
        let _ = fs::remove_file(&part);
    }
    written.with_context(context)
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

/// Decodes whatever Symphonia can, skipping packets that are broken as players do.
fn decode(file: File, path: &Path) -> Result<Audio> {
    let mut hint = Hint::new();
    if let Some(extension) = path.extension().and_then(|extension| extension.to_str()) {
        hint.with_extension(extension);
    }
    let stream = MediaSourceStream::new(Box::new(file), Default::default());
    let mut format = symphonia::default::get_probe().probe(&hint, stream, Default::default(), Default::default())?;
    let track = format.default_track(TrackType::Audio).context("there is no sound in it")?;
    let track_id = track.id;
    let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters.context("its codec is not known")?, &AudioDecoderOptions::default())?;

    let mut channels: Vec<Vec<f32>> = Vec::new();
    let mut sample_rate_hz = 0;
    let mut packet_channels: Vec<Vec<f32>> = Vec::new();
    while let Some(packet) = format.next_packet()? {
        if packet.track_id != track_id {
            continue;
        }
        let decoded = match decoder.decode(&packet) {
            Ok(decoded) => decoded,
            Err(DecodeError::DecodeError(_) | DecodeError::IoError(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        decoded.copy_to_vecs_planar(&mut packet_channels);
        if channels.is_empty() {
            sample_rate_hz = decoded.spec().rate();
            channels.resize(packet_channels.len(), Vec::new());
        }
        if channels.len() != packet_channels.len() || sample_rate_hz != decoded.spec().rate() {
            bail!("its rate or number of channels changes midway");
        }
        for (channel, samples) in channels.iter_mut().zip(&packet_channels) {
            channel.extend_from_slice(samples);
        }
    }
    Ok(Audio::new(sample_rate_hz, channels)?)
}
