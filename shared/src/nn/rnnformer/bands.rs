//! Triangular filters between the sub-bands of the convolutions and the fewer bands of the recurrent blocks.

/// Filters from `sub_bands` to `bands` and back. The steps between their centres grow geometrically from one sub-band, so
/// that low frequencies, where the harmonics of speech are, keep their resolution.
pub(super) struct Bands {
    /// The centre of every band, in sub-bands from 0.
    centres: Vec<f64>,
    sub_bands: usize,
}

impl Bands {
    /// At least three bands, and no more than there are sub-bands.
    pub(super) fn new(bands: usize, sub_bands: usize) -> Self {
        let last = (sub_bands - 1) as f64;
        let centres = |ratio: f64| {
            let (mut centre, mut step) = (0.0, 1.0);
            let mut next = || {
                let here = centre;
                (centre, step) = (centre + step, step * ratio);
                here
            };
            (0..bands).map(|_| next()).collect::<Vec<f64>>()
        };
        let (mut low, mut high) = (1.0, last.max(2.0));
        for _ in 0..100 {
            let middle = 0.5 * (low + high);
            if centres(middle)[bands - 1] > last { high = middle } else { low = middle }
        }
        let mut centres = centres(low);
        centres[bands - 1] = last;
        Self { centres, sub_bands }
    }

    /// How much of a sub-band is a band's: 1 at the band's centre, 0 from the centres beside it on.
    fn share(&self, band: usize, sub_band: usize) -> f64 {
        let (centre, position) = (self.centres[band], sub_band as f64);
        let neighbour = if position < centre { band.checked_sub(1) } else { Some(band + 1) };
        let neighbour = neighbour.and_then(|index| self.centres.get(index));
        match neighbour {
            Some(neighbour) => (1.0 - (position - centre) / (neighbour - centre)).max(0.0),
            None => f64::from(u8::from(position == centre)),
        }
    }

    /// `[bands, sub_bands]`, row by row: every band is a mean of sub-bands.
    pub(super) fn down(&self) -> Vec<f32> {
        let row = |band: usize| {
            let shares: Vec<f64> = (0..self.sub_bands).map(|sub_band| self.share(band, sub_band)).collect();
            let sum: f64 = shares.iter().sum();
            shares.into_iter().map(move |share| (share / sum) as f32)
        };
        (0..self.centres.len()).flat_map(row).collect()
    }

    /// `[sub_bands, bands]`, row by row: every sub-band is interpolated between the centres around it.
    pub(super) fn up(&self) -> Vec<f32> {
        let row = |sub_band: usize| (0..self.centres.len()).map(move |band| self.share(band, sub_band) as f32);
        (0..self.sub_bands).flat_map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_band_has_sub_bands_and_every_sub_band_has_bands() {
        for (bands, sub_bands) in [(24, 64), (16, 64), (32, 64), (5, 16), (3, 16), (3, 3), (16, 16), (63, 64)] {
            let filters = Bands::new(bands, sub_bands);
            let steps: Vec<f64> = filters.centres.windows(2).map(|pair| pair[1] - pair[0]).collect();
            assert!(steps.iter().all(|&step| step > 0.999), "{bands} of {sub_bands}: {steps:?}");
            assert!(
                steps.windows(3).all(|three| (three[1] / three[0] - three[2] / three[1]).abs() < 1e-6),
                "{steps:?}"
            );
            for rows in [filters.down().chunks(sub_bands), filters.up().chunks(bands)] {
                for row in rows {
                    assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{row:?}");
                }
            }
        }
    }

    #[test]
    fn as_many_bands_as_sub_bands_are_the_same() {
        let filters = Bands::new(8, 8);
        let identity: Vec<f32> = (0..64).map(|index| f32::from(u8::from(index % 9 == 0))).collect();
        for filters in [filters.down(), filters.up()] {
            assert!(filters.iter().zip(&identity).all(|(a, b)| (a - b).abs() < 1e-6), "{filters:?}");
        }
    }
}
