//! Spectrograms as pictures: time from left to right, frequency upwards, level as colour.

use anyhow::{Context, Result};
use colorgrad::Gradient;
use png::{BitDepth, ColorType, Compression, Encoder, Filter};
use shared::dsp::StftConfig;
use shared::dsp::spectrum::SpectrumPlan;

/// 32 ms frames every 8 ms at 16 kHz.
const STFT: StftConfig = StftConfig { n_fft: 512, hop_length: 128 };

/// Below the loudest, what is this much weaker in dB has the darkest colour.
pub const RANGE_DB: f32 = 80.0;

/// Levels over time and frequency.
pub struct Spectrogram {
    /// Level of each coefficient in dB of no particular reference, frame after frame.
    levels_db: Vec<f32>,
}

impl Spectrogram {
    /// The spectrogram of a signal.
    pub fn of(signal: &[f32]) -> Self {
        /// Keeps the logarithm finite; 24-bit silence is louder.
        const FLOOR: f32 = 1e-14;
        let spectrum = SpectrumPlan::new(STFT).forward(signal);
        let level_db = |power: f32| 10.0 * (power + FLOOR).log10();
        Self { levels_db: spectrum.coefficients.iter().map(|coefficient| level_db(coefficient.norm_sqr())).collect() }
    }

    /// The highest level.
    pub fn peak_db(&self) -> f32 {
        self.levels_db.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    }

    /// A PNG file: a pixel for each frame and coefficient, brightest at `top_db`, darkest [`RANGE_DB`] below.
    pub fn png(&self, top_db: f32) -> Result<Vec<u8>> {
        let bins = STFT.bins();
        let frames = self.levels_db.len() / bins;
        let shade = |level_db: f32| (255.0 * (1.0 + (level_db - top_db) / RANGE_DB)).round() as u8;
        let rows = (0..bins).rev();
        let pixels = rows.flat_map(|bin| (0..frames).map(move |frame| frame * bins + bin));
        encode(frames, bins, &pixels.map(|index| shade(self.levels_db[index])).collect::<Vec<u8>>())
    }
}

/// All colours from the darkest to the brightest, one pixel high: a PNG file.
pub fn scale() -> Result<Vec<u8>> {
    encode(256, 1, &(0..=255).collect::<Vec<u8>>())
}

/// A PNG file of shades in the colours of viridis, which people see alike whatever colours they can tell apart.
fn encode(width: usize, height: usize, shades: &[u8]) -> Result<Vec<u8>> {
    let gradient = colorgrad::preset::viridis();
    let colour = |shade: u8| gradient.at(f32::from(shade) / 255.0).to_rgba8();
    let palette: Vec<u8> = (0..=255).flat_map(|shade| colour(shade).into_iter().take(3)).collect();
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width.try_into()?, height.try_into()?);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette(palette);
    encoder.set_compression(Compression::High);
    encoder.set_filter(Filter::NoFilter);
    let write = |encoder: Encoder<_>| encoder.write_header()?.write_image_data(shades);
    write(encoder).context("cannot encode a picture")?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;
    use std::io::Cursor;

    use super::*;

    /// Width, height and shades of a picture.
    fn decode(bytes: Vec<u8>) -> (usize, usize, Vec<u8>) {
        let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().expect("a PNG file");
        let mut shades = vec![0; reader.output_buffer_size().expect("it fits")];
        let info = reader.next_frame(&mut shades).expect("whole");
        (info.width as usize, info.height as usize, shades)
    }

    #[test]
    fn a_tone_is_a_bright_line_at_its_frequency() {
        let (rate_hz, tone_hz) = (16_000.0, 3_000.0);
        let tone: Vec<f32> = (0..8_000).map(|index| 0.5 * (TAU * tone_hz * index as f32 / rate_hz).sin()).collect();
        let spectrogram = Spectrogram::of(&tone);
        let (width, height, shades) = decode(spectrogram.png(spectrogram.peak_db()).expect("drawn"));
        assert_eq!((width, height), (STFT.frames(8_000), 257));
        let row = height - 1 - (tone_hz / rate_hz * 512.0) as usize;
        let at = |row: usize| shades[row * width + width / 2];
        assert_eq!(at(row), 255);
        // The periodic Hann window has three coefficients of a tone, the outer two 6 dB weaker, and nothing elsewhere.
        assert_eq!(at(row - 1), (255.0f32 * (1.0 - 6.02 / RANGE_DB)).round() as u8);
        assert!(at(row - 10) == 0 && at(row + 10) == 0, "{} {}", at(row - 10), at(row + 10));
    }

    #[test]
    fn silence_is_dark() {
        let loud = Spectrogram::of(&[0.5; 1_000]);
        let (_, _, shades) = decode(Spectrogram::of(&[0.0; 1_000]).png(loud.peak_db()).expect("drawn"));
        assert!(shades.iter().all(|shade| *shade == 0));
    }
}
