//! Files of what can be heard: WAV, several of them as one archive, a page of its own.

use std::io::{Cursor, Seek, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use js_sys::{Array, Uint8Array};
use media::{Encoding, Spec, Writer};
use png::{BitDepth, ColorType, Encoder};
use web::part_writer::PartWriter;
use web::protocol::painter::{Excerpt, PagePlan, Wish};
use web::saved_page::{SavedPage, SavedVoice};
use web_sys::{Blob, BlobPropertyBag, FileReaderSync};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::gallery::{Gallery, VoicePicture};

/// Columns of a picture in a saved page.
const WIDTH: usize = 1200;
/// Rows of its waveforms.
const WAVEFORM_HEIGHT: usize = 128;
/// Their colour: seen on light and dark grounds alike.
const WAVEFORM_COLOUR: [u8; 4] = [0x0f, 0x8a, 0x83, 0xff];

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
    let mut voices = Vec::new();
    for voice in plan.voices {
        let excerpt = Excerpt { take, weights: voice.weights.clone(), spec: spec.clone() };
        let mut bytes = Cursor::new(Vec::new());
        write_wav(gallery, &excerpt, range, &mut bytes)?;
        let wish =
            Wish { take, run: plan.run, weights: voice.weights, window: plan.window, frames: range[1], noise: None };
        let picture = gallery.paint(&wish, WIDTH).ok_or("nothing of this stretch is there yet")?;
        voices.push(SavedVoice {
            title: voice.title,
            sound: format!("data:audio/wav;base64,{}", STANDARD.encode(bytes.into_inner())),
            waveform: png_address(&trace(&picture))?,
            spectrogram: png_address(&picture.pixels)?,
            gain: voice.gain,
            scores: voice.scores,
        });
    }
    let page = SavedPage {
        title: plan.title,
        networks: plan.networks,
        noise: plan.noise,
        sample_rate_hz,
        window: plan.window,
        address: plan.address,
        voices,
    };
    let bytes = Uint8Array::from(page.to_html().as_bytes());
    blob(&Array::of1(&bytes), "text/html").ok_or(NO_ROOM.into())
}

/// A waveform as RGBA pixels.
fn trace(picture: &VoicePicture) -> Vec<u8> {
    let mut pixels = vec![0; 4 * WIDTH * WAVEFORM_HEIGHT];
    let row = |sample: f32| ((0.5 - 0.5 * sample.clamp(-1.0, 1.0)) * (WAVEFORM_HEIGHT - 1) as f32).round() as usize;
    for (x, edges) in picture.extremes.iter().enumerate() {
        let Some([low, high]) = edges else { continue };
        for y in row(*high)..=row(*low) {
            pixels[4 * (y * WIDTH + x)..][..4].copy_from_slice(&WAVEFORM_COLOUR);
        }
    }
    pixels
}

/// RGBA pixels as a PNG file in an address.
fn png_address(pixels: &[u8]) -> Result<String, String> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, WIDTH as u32, (pixels.len() / 4 / WIDTH) as u32);
    encoder.set_color(ColorType::Rgba);
    encoder.set_depth(BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(pixels)?;
        writer.finish()
    });
    written.map_err(|error| error.to_string())?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(bytes)))
}

fn blob(parts: &Array, kind: &str) -> Option<Blob> {
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    Blob::new_with_blob_sequence_and_options(parts, &options).ok()
}
