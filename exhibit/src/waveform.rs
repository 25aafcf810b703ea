//! Waveforms: the range of the samples in each column of pixels.

/// Teal, which is seen on light and dark grounds alike: RGBA.
const COLOUR: [u8; 4] = [0x0f, 0x8a, 0x83, 0xff];

/// Lowest and highest sample of each of `width` columns.
pub fn extremes(samples: &[f32], width: usize) -> Vec<Option<[f32; 2]>> {
    let edge = |x: usize| (samples.len() as u64 * x as u64 / width.max(1) as u64) as usize;
    let column = |x: usize| {
        let range = edge(x)..edge(x + 1).max(edge(x) + 1).min(samples.len());
        samples.get(range)?.iter().map(|x| [*x; 2]).reduce(|[low, high], [l, h]| [low.min(l), high.max(h)])
    };
    (0..width).map(column).collect()
}

/// A picture of `height` rows of RGBA pixels, full scale from the bottom to the top, a column for each of `extremes`.
/// Transparent where the signal is not.
pub fn pixels(extremes: &[Option<[f32; 2]>], height: usize) -> Vec<u8> {
    let width = extremes.len();
    let mut pixels = vec![0; 4 * width * height];
    let row = |sample: f32| ((0.5 - 0.5 * sample.clamp(-1.0, 1.0)) * height.saturating_sub(1) as f32).round() as usize;
    for (x, edges) in extremes.iter().enumerate() {
        let Some([low, high]) = edges else { continue };
        for y in row(*high)..=row(*low) {
            pixels[4 * (y * width + x)..][..4].copy_from_slice(&COLOUR);
        }
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_cover_every_sample_once() {
        let samples: Vec<f32> = (0..10).map(|x| x as f32).collect();
        assert_eq!(extremes(&samples, 3), [Some([0.0, 2.0]), Some([3.0, 5.0]), Some([6.0, 9.0])]);
        assert_eq!(extremes(&samples[..1], 2), [Some([0.0, 0.0]); 2]);
        assert_eq!(extremes(&[], 2), [None; 2]);
    }

    #[test]
    fn full_scale_fills_the_height_and_silence_is_a_line() {
        let pixels = pixels(&[Some([-1.0, 2.0]), Some([0.0, 0.0]), None], 5);
        let painted = |x: usize| (0..5).map(|y| pixels[4 * (3 * y + x) + 3] > 0).collect::<Vec<_>>();
        assert_eq!(painted(0), [true; 5]);
        assert_eq!(painted(1), [false, false, true, false, false]);
        assert_eq!(painted(2), [false; 5]);
    }
}
