//! Files of what can be heard: WAV, several of them as one archive, a page of its own.

use std::io::{Cursor, Seek, Write};

use exhibit::inline::{data_address, png_address};
use exhibit::{Exhibit, Voice, waveform};
use js_sys::{Array, Uint8Array};
use media::{Encoding, Spec, Writer};
use web::part_writer::PartWriter;
use web::protocol::painter::{Excerpt, PagePlan, Wish};
use web::saved_page::SavedPage;
use web_sys::{Blob, BlobPropertyBag, FileReaderSync};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::gallery::Gallery;

/// Columns of a picture in a saved page.
const WIDTH: usize = 1200;
/// Rows of its waveforms.
const WAVEFORM_HEIGHT: usize = 128;

const NO_ROOM: &str = "the browser has no room for it";

const NOTHING: &str = "nothing of it is there yet";

/// Writes a stretch of a voice, `from..to` in samples per channel, as a WAV file.
fn write_wav(
    gallery: &Gallery,
    Excerpt { take, weights, spec }: &Excerpt,
    [from, to]: [u64; 2],
    bytes: impl Write + Seek,
) -> Result<(), String> {
    let failed = |error: media::Error| error.to_string();
    let to = to.min(gallery.frames(*take, weights).ok_or(NOTHING)?);
    let mut writer = Writer::new(bytes, spec, Some(to.saturating_sub(from))).map_err(failed)?;
    let mut start = 0;
    for piece in 0.. {
        let Some(samples) = gallery.mixed(*take, weights, piece).filter(|_| start < to) else { break };
        let end = start + samples.first().map_or(0, Vec::len) as u64;
        let seen = from.clamp(start, end) - start..to.clamp(start, end) - start;
        let part: Vec<&[f32]> =
            samples.iter().map(|channel| &channel[seen.start as usize..seen.end as usize]).collect();
        writer.write(&part).map_err(failed)?;
        start = end;
    }
    if start == 0 {
        return Err(NOTHING.into());
    }
    writer.finish().map(drop).map_err(failed)
}

/// A voice as a WAV file.
///
/// # Errors
/// Why not, in a few words.
pub fn wav(gallery: &Gallery, excerpt: &Excerpt) -> Result<Blob, String> {
    in_parts("audio/wav", |parts| write_wav(gallery, excerpt, [0, u64::MAX], parts))
}

/// Voices as WAV files of these names in one archive.
///
/// # Errors
/// Why not, in a few words.
pub fn archive(gallery: &Gallery, files: &[(String, Excerpt)]) -> Result<Blob, String> {
    let failed = |error: zip::result::ZipError| error.to_string();
    in_parts("application/zip", |parts| {
        // An archive is written without going back, so that its parts can be handed over.
        let mut archive = ZipWriter::new_stream(parts);
        for (name, excerpt) in files {
            let file = wav(gallery, excerpt)?;
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Stored)
                .large_file(file.size() >= f64::from(u32::MAX));
            archive.start_file(name.as_str(), options).map_err(failed)?;
            let mut at = 0.0;
            while at < file.size() {
                let end = (at + f64::from(1 << 20)).min(file.size());
                let slice = file
                    .slice_with_f64_and_f64(at, end)
                    .and_then(|slice| FileReaderSync::new()?.read_as_array_buffer(&slice));
                let bytes = slice.map_err(|_| "the browser cannot read its own file")?;
                archive.write_all(&Uint8Array::new(&bytes).to_vec()).map_err(|error| error.to_string())?;
                at = end;
            }
        }
        archive.finish().map_err(failed)?;
        Ok(())
    })
}

/// A file that is written in blocks, as the browser keeps it.
fn in_parts(
    kind: &str,
    write: impl FnOnce(&mut PartWriter<&mut dyn FnMut(&[u8])>) -> Result<(), String>,
) -> Result<Blob, String> {
    let later = Array::new();
    let mut hand_over = |bytes: &[u8]| {
        later.push(&blob(&Array::of1(&Uint8Array::from(bytes)), "").map_or(Array::new().into(), Into::into));
    };
    let mut parts = PartWriter::new(&mut hand_over as &mut dyn FnMut(&[u8]));
    write(&mut parts)?;
    let head = parts.finish();
    later.unshift(&Uint8Array::from(head.as_slice()));
    blob(&later, kind).ok_or(NO_ROOM.into())
}

/// A stretch of a take as a page of its own.
///
/// # Errors
/// Why not, in a few words.
pub fn page(gallery: &mut Gallery, plan: PagePlan) -> Result<Blob, String> {
    let take = plan.take;
    let sample_rate_hz = plan.spec.sample_rate_hz;
    // Every browser plays that, and the page stays small.
    let spec = Spec { encoding: Encoding::Pcm16, metadata: Default::default(), ..plan.spec };
    let range = plan.window.map(|seconds| (seconds * f64::from(sample_rate_hz)).round() as u64);
    let (mut voices, mut scores) = (Vec::new(), Vec::new());
    for voice in plan.voices {
        let excerpt = Excerpt { take, weights: voice.weights.clone(), spec: spec.clone() };
        let mut bytes = Cursor::new(Vec::new());
        write_wav(gallery, &excerpt, range, &mut bytes)?;
        let wish =
            Wish { take, run: plan.run, weights: voice.weights, window: plan.window, frames: range[1], noise: None };
        let picture = gallery.paint(&wish, WIDTH).ok_or("nothing of this stretch is there yet")?;
        voices.push(Voice {
            title: voice.title,
            note: String::new(),
            sound: data_address("audio/wav", &bytes.into_inner()),
            waveform: png_address(WIDTH, &waveform::pixels(&picture.extremes, WAVEFORM_HEIGHT)),
            spectrogram: png_address(WIDTH, &picture.pixels),
            gain: Some(voice.gain),
        });
        scores.push(voice.scores);
    }
    let exhibit = Exhibit {
        id: "take".into(),
        name: plan.title,
        sample_rate_hz,
        window: plan.window,
        loudest: "the loudest of the recording".into(),
        voices,
    };
    let page = SavedPage { exhibit, scores, networks: plan.networks, noise: plan.noise, address: plan.address };
    let bytes = Uint8Array::from(page.to_html().as_bytes());
    blob(&Array::of1(&bytes), "text/html").ok_or(NO_ROOM.into())
}

fn blob(parts: &Array, kind: &str) -> Option<Blob> {
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    Blob::new_with_blob_sequence_and_options(parts, &options).ok()
}
