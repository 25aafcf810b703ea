//! Waveforms: the range of the samples in each column of pixels.

/// Lowest and highest sample of each of `width` columns.
pub fn extremes(samples: &[f32], width: usize) -> Vec<Option<[f32; 2]>> {
    let edge = |x: usize| (samples.len() as u64 * x as u64 / width.max(1) as u64) as usize;
    let column = |x: usize| {
        let range = edge(x)..edge(x + 1).max(edge(x) + 1).min(samples.len());
        samples.get(range)?.iter().map(|x| [*x; 2]).reduce(|[low, high], [l, h]| [low.min(l), high.max(h)])
    };
    (0..width).map(column).collect()
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
}
