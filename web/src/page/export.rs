//! What people take with them: WAV files, all of them as one archive, and a page of its own.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use shared::wav::{self, Encoding};
use wasm_bindgen::{JsCast, JsValue};
use web::mix::{Voice, mix};
use web::parts::Parts;
use web::saved::{SavedPage, SavedVoice};
use web::settings::Depth;
use web::take::Take;
use web_sys::{Blob, HtmlCanvasElement};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::draw::{Artist, Wish};
use super::files::{blob, bytes_blob, document};
use super::store::Store;

/// The longest stretch that goes into a saved page, in seconds.
pub const MOST_SAVED_SECONDS: f64 = 120.0;

/// The encoding that a download of a take has.
pub fn encoding(take: &Take, depth: Depth) -> Encoding {
    match (depth, take.format.map_or(16, |format| format.bits)) {
        (Depth::Pcm16, _) | (Depth::Same, ..=16) => Encoding::Pcm16,
        (Depth::Pcm24, _) | (Depth::Same, 17..=24) => Encoding::Pcm24,
        (Depth::Float32, _) | (Depth::Same, _) => Encoding::Float32,
    }
}

/// The name of a download: that of the recording, with what it is.
pub fn file_name(take: &Take, what: &str, ending: &str) -> String {
    let stem = take.name.rsplit_once('.').map_or(take.name.as_str(), |(stem, _)| stem);
    format!("{stem}.{what}.{ending}")
}

/// Writes a stretch of a voice, in samples per channel, as a WAV file; all of it if `range` is none.
async fn write_wav(
    store: &Store,
    take: &Take,
    voice: &Voice,
    range: Option<[u64; 2]>,
    encoding: Encoding,
    bytes: impl Write + std::io::Seek,
) -> Result<(), String> {
    let format = take.format.ok_or("nothing of it is there yet")?;
    let [from, to] = range.unwrap_or([0, take.finished_frames()]);
    let failed = |error: shared::Error| error.to_string();
    let mut writer = wav::Writer::new(bytes, format.sample_rate_hz, format.channels, encoding).map_err(failed)?;
    let piece_length = take.piece_length();
    for piece in from / piece_length..to.div_ceil(piece_length) {
        let start = piece * piece_length;
        let mut tracks = Vec::new();
        for (track, weight) in voice.weights.iter().enumerate() {
            // Those that do not count need not be read.
            tracks.push(if *weight == 0.0 { None } else { store.piece(take.id, track, piece as usize).await });
        }
        let Some(length) = tracks.iter().flatten().map(|samples| samples.len() / format.channels).min() else { break };
        let seen = from.saturating_sub(start) as usize..((to - start) as usize).min(length);
        let channel = |channel: usize| {
            let silence = vec![0.0; seen.len()];
            let part = |samples: &Option<_>| -> Vec<f32> {
                let Some(samples): &Option<super::store::Planar> = samples else { return silence.clone() };
                let all = samples.len() / format.channels;
                samples[channel * all + seen.start..channel * all + seen.end].to_vec()
            };
            let parts: Vec<Vec<f32>> = tracks.iter().map(part).collect();
            mix(voice, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
        };
        let channels: Vec<Vec<f32>> = (0..format.channels).map(channel).collect();
        writer.write(&channels).map_err(failed)?;
    }
    writer.finish().map_err(failed)
}

/// A voice of a take as a WAV file.
///
/// # Errors
/// Why not, in a few words.
pub async fn wav_file(store: &Store, take: &Take, voice: &Voice, depth: Depth) -> Result<Blob, String> {
    let mut later: Vec<JsValue> = Vec::new();
    let mut parts = Parts::new(|bytes: &[u8]| later.push(bytes_blob(bytes)));
    write_wav(store, take, voice, None, encoding(take, depth), &mut parts).await?;
    let head = parts.finish();
    later.insert(0, bytes_blob(&head));
    blob(&later, "audio/wav").ok_or_else(|| "the browser has no room for it".into())
}

/// One voice of each of several takes as one archive.
///
/// # Errors
/// Why not, in a few words.
pub async fn archive(store: &Store, takes: &[(Take, Voice)], depth: Depth) -> Result<Blob, String> {
    let failed = |error: zip::result::ZipError| error.to_string();
    let mut all: Vec<JsValue> = Vec::new();
    let mut parts = Parts::new(|bytes: &[u8]| all.push(bytes_blob(bytes)));
    // An archive is written without going back, so that its parts can be handed over.
    let mut archive = ZipWriter::new_stream(&mut parts);
    let mut names: Vec<String> = Vec::new();
    for (take, voice) in takes {
        let mut name = file_name(take, "denoised", "wav");
        let mut number = 1;
        while names.contains(&name) {
            number += 1;
            name = file_name(take, &format!("denoised-{number}"), "wav");
        }
        let file = wav_file(store, take, voice, depth).await?;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(file.size() >= f64::from(u32::MAX));
        archive.start_file(name.as_str(), options).map_err(failed)?;
        let mut at = 0.0;
        while at < file.size() {
            let end = (at + f64::from(1 << 20)).min(file.size());
            let slice = file.slice_with_f64_and_f64(at, end).map_err(|_| "the browser cannot read its own file")?;
            let bytes = wasm_bindgen_futures::JsFuture::from(slice.array_buffer()).await;
            let bytes = bytes.map_err(|_| "the browser cannot read its own file")?;
            let bytes = js_sys::Uint8Array::new(&bytes).to_vec();
            archive.write_all(&bytes).map_err(|error| error.to_string())?;
            at = end;
        }
        names.push(name);
    }
    archive.finish().map_err(failed)?;
    let head = parts.finish();
    all.insert(0, bytes_blob(&head));
    blob(&all, "application/zip").ok_or_else(|| "the browser has no room for it".into())
}

/// A page of its own with a stretch of a take: its voices, their spectrograms and scores.
///
/// # Errors
/// Why not, in a few words.
pub async fn page(
    store: &Store,
    artist: &Artist,
    take: &Take,
    voices: &[(Voice, f32)],
    window: [f64; 2],
    address: &str,
) -> Result<Blob, String> {
    let format = take.format.ok_or("nothing of it is there yet")?;
    let rate = f64::from(format.sample_rate_hz);
    let [from, to] = [window[0], window[1].min(window[0] + MOST_SAVED_SECONDS)];
    let end = take.finished_frames();
    let range = [from, to].map(|seconds| ((seconds * rate).round() as u64).min(end));
    if range[0] >= range[1] {
        return Err("nothing of this stretch is there yet".into());
    }
    let mut saved = Vec::new();
    for (index, (voice, gain)) in voices.iter().enumerate() {
        let mut bytes = std::io::Cursor::new(Vec::new());
        write_wav(store, take, voice, Some(range), Encoding::Pcm16, &mut bytes).await?;
        let canvas = |height: u32| -> Option<HtmlCanvasElement> {
            let canvas: HtmlCanvasElement = document().create_element("canvas").ok()?.dyn_into().ok()?;
            canvas.set_height(height);
            Some(canvas)
        };
        let (waveform, spectrogram) = canvas(128).zip(canvas(256)).ok_or("the browser cannot draw")?;
        let wish = Wish::of(take, voice, [from, to], None).ok_or("nothing of it is there yet")?;
        artist.draw(store, &wish, &waveform, &spectrogram).await.ok_or("the browser cannot draw")?;
        let picture =
            |canvas: &HtmlCanvasElement| canvas.to_data_url().map_err(|_| "the browser cannot draw".to_owned());
        saved.push(SavedVoice {
            title: voice.title.clone(),
            sound: format!("data:audio/wav;base64,{}", STANDARD.encode(bytes.into_inner())),
            waveform: picture(&waveform)?,
            spectrogram: picture(&spectrogram)?,
            gain: *gain,
            scores: take.tracks.get(index).and_then(|track| track.scores),
        });
    }
    let page = SavedPage {
        title: take.name.clone(),
        networks: take.networks.clone(),
        noise: take.noise.as_ref().map(|noise| noise.chain.to_json()),
        sample_rate_hz: format.sample_rate_hz,
        window: [from, to],
        address: address.to_owned(),
        voices: saved,
    };
    blob(&[bytes_blob(page.to_html().as_bytes())], "text/html").ok_or_else(|| "the browser has no room for it".into())
}
