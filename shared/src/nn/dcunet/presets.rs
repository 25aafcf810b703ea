//! The paper's shapes and smaller ones.

use super::config::{DcunetConfig, DcunetLayer};
use crate::dsp::StftConfig;

impl DcunetConfig {
    fn from_table(stft: StftConfig, compression: f64, table: &[(usize, [usize; 2], [usize; 2])]) -> Self {
        let layer = |&(channels, kernel_size, stride): &_| DcunetLayer { channels, kernel_size, stride };
        Self { stft, layers: table.iter().map(layer).collect(), compression, mask_exponent: 1.0 }
    }

    /// The paper's DCUnet-10.
    pub(super) fn dcunet_10() -> Self {
        Self::from_table(
            StftConfig::SPEECH,
            1.0,
            &[
                (32, [7, 5], [2, 2]),
                (64, [7, 5], [2, 2]),
                (64, [5, 3], [2, 2]),
                (64, [5, 3], [2, 2]),
                (64, [5, 3], [2, 1]),
            ],
        )
    }

    /// The paper's DCUnet-16.
    pub(super) fn dcunet_16() -> Self {
        Self::from_table(
            StftConfig::SPEECH,
            1.0,
            &[
                (32, [7, 5], [2, 2]),
                (32, [7, 5], [2, 1]),
                (64, [7, 5], [2, 2]),
                (64, [5, 3], [2, 1]),
                (64, [5, 3], [2, 2]),
                (64, [5, 3], [2, 1]),
                (64, [5, 3], [2, 2]),
                (64, [5, 3], [2, 1]),
            ],
        )
    }

    /// The paper's DCUnet-20.
    pub(super) fn dcunet_20() -> Self {
        Self::twenty(32, 64, 90)
    }

    /// The paper's Large-DCUnet-20.
    pub(super) fn large_dcunet_20() -> Self {
        Self::twenty(45, 90, 128)
    }

    fn twenty(outer: usize, inner: usize, innermost: usize) -> Self {
        Self::from_table(
            StftConfig::SPEECH,
            1.0,
            &[
                (outer, [7, 1], [1, 1]),
                (outer, [1, 7], [1, 1]),
                (inner, [7, 5], [2, 2]),
                (inner, [7, 5], [2, 1]),
                (inner, [5, 3], [2, 2]),
                (inner, [5, 3], [2, 1]),
                (inner, [5, 3], [2, 2]),
                (inner, [5, 3], [2, 1]),
                (inner, [5, 3], [2, 2]),
                (innermost, [5, 3], [2, 1]),
            ],
        )
    }

    /// DCUnet-10 at half width on 32 ms frames with compressed magnitudes: what two CPU cores can train, and a page can run.
    pub fn small() -> Self {
        Self::from_table(
            StftConfig { n_fft: 512, hop_length: 128 },
            0.5,
            &[
                (16, [7, 5], [2, 2]),
                (32, [7, 5], [2, 2]),
                (32, [5, 3], [2, 2]),
                (32, [5, 3], [2, 2]),
                (32, [5, 3], [2, 1]),
            ],
        )
    }

    /// [`DcunetConfig::small`] with more channels further in, where they cost little: as many parameters as DCUnet-10, for 1.4 times
    /// the computation of the small one.
    pub fn medium() -> Self {
        let mut config = Self::small();
        for (layer, channels) in config.layers.iter_mut().zip([16, 32, 64, 96, 96]) {
            layer.channels = channels;
        }
        config
    }
}
