//! The header of a frame: MPEG audio (ISO/IEC 11172-3 and 13818-3, with "MPEG 2.5") and AAC in ADTS (ISO/IEC 13818-7).

/// Bytes that are needed to read any header.
pub const HEADER_BYTES: usize = 7;

/// What is in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FrameKind {
    /// MPEG audio, layer 1 to 3.
    Layer(u8),
    /// AAC.
    Adts,
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Header {
    /// What is in it.
    pub kind: FrameKind,
    /// Samples per second and channel.
    pub sample_rate_hz: u32,
    /// Channels; 0 where ADTS does not say.
    pub channels: usize,
    /// Bytes of the frame, with the header.
    pub bytes: usize,
    /// Bytes of the header and of its checksum.
    pub header_bytes: usize,
    /// Samples per channel in it.
    pub length: u64,
    /// Bytes of side information in layer 3, after which a header of Xing's or LAME's may be.
    pub side_bytes: usize,
}

impl Header {
    /// Reads a header; none where there is none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let &[a, b, c, d, e, f, g, ..] = bytes else { return None };
        if a != 0xff || b & 0xe0 != 0xe0 {
            return None;
        }
        let has_checksum = b & 1 == 0;
        if b & 0xf6 == 0xf0 {
            return Self::adts([c, d, e, f, g], has_checksum);
        }
        let (version, layer) = (b >> 3 & 3, 4 - (b >> 1 & 3));
        let (rate_index, bit_rate_index) = (usize::from(c >> 2 & 3), usize::from(c >> 4));
        // Version 1 is reserved, and so are layer 4, rate 3, bit rate 15 and emphasis 2; bit rate 0 is free format.
        if version == 1 || layer == 4 || rate_index == 3 || !(1..15).contains(&bit_rate_index) || d & 3 == 2 {
            return None;
        }
        let is_version_1 = version == 3;
        let sample_rate_hz = [44_100, 48_000, 32_000][rate_index] >> [2, 0, 1, 0][usize::from(version)];
        let bit_rate = 1000 * bit_rate_kbps(is_version_1, layer, bit_rate_index);
        let padding = usize::from(c >> 1 & 1);
        let (bytes, length) = match (layer, is_version_1) {
            (1, _) => (4 * (12 * bit_rate / sample_rate_hz as usize + padding), 384),
            (3, false) => (72 * bit_rate / sample_rate_hz as usize + padding, 576),
            _ => (144 * bit_rate / sample_rate_hz as usize + padding, 1152),
        };
        let is_mono = d >> 6 == 3;
        let side_bytes = match (is_version_1, is_mono) {
            (true, false) => 32,
            (true, true) | (false, false) => 17,
            (false, true) => 9,
        };
        let (kind, channels) = (FrameKind::Layer(layer), if is_mono { 1 } else { 2 });
        let header_bytes = if has_checksum { 6 } else { 4 };
        (bytes > header_bytes).then_some(Self {
            kind,
            sample_rate_hz,
            channels,
            bytes,
            header_bytes,
            length,
            side_bytes,
        })
    }

    fn adts([c, d, e, f, g]: [u8; 5], has_checksum: bool) -> Option<Self> {
        const RATES_HZ: [u32; 13] =
            [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
        let sample_rate_hz = *RATES_HZ.get(usize::from(c >> 2 & 15))?;
        let channels = [0, 1, 2, 3, 4, 5, 6, 8][usize::from(c << 2 & 4 | d >> 6)];
        let bytes = usize::from(d & 3) << 11 | usize::from(e) << 3 | usize::from(f >> 5);
        let header_bytes = if has_checksum { 9 } else { 7 };
        let length = 1024 * (u64::from(g & 3) + 1);
        (bytes > header_bytes).then_some(Self {
            kind: FrameKind::Adts,
            sample_rate_hz,
            channels,
            bytes,
            header_bytes,
            length,
            side_bytes: 0,
        })
    }

    /// Whether both may be of one stream.
    pub fn continues(&self, other: &Self) -> bool {
        (self.kind, self.sample_rate_hz, self.length) == (other.kind, other.sample_rate_hz, other.length)
    }
}

/// Table 3-B.2.3 of ISO/IEC 11172-3 and its extension in 13818-3.
fn bit_rate_kbps(is_version_1: bool, layer: u8, index: usize) -> usize {
    let table: [usize; 14] = match (is_version_1, layer) {
        (true, 1) => [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
        (true, 2) => [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
        (true, _) => [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
        (false, 1) => [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
        (false, _) => [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    };
    table[index - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_headers_of_every_kind() {
        let header =
            |bytes: [u8; 7]| Header::parse(&bytes).map(|h| (h.kind, h.sample_rate_hz, h.channels, h.bytes, h.length));
        // 128 kbit/s at 44.1 kHz in stereo, as nearly all MP3 files are.
        assert_eq!(header([0xff, 0xfb, 0x90, 0x00, 0, 0, 0]), Some((FrameKind::Layer(3), 44_100, 2, 417, 1152)));
        // MPEG 2 at 16 kHz, 24 kbit/s, mono; and MPEG 2.5 at 8 kHz.
        assert_eq!(header([0xff, 0xf3, 0x38, 0xc0, 0, 0, 0]), Some((FrameKind::Layer(3), 16_000, 1, 108, 576)));
        assert_eq!(header([0xff, 0xe3, 0x18, 0xc0, 0, 0, 0]), Some((FrameKind::Layer(3), 8_000, 1, 72, 576)));
        // Layer 2 at 48 kHz, 192 kbit/s; AAC at 48 kHz, mono, in 283 bytes.
        assert_eq!(header([0xff, 0xfd, 0xa4, 0x00, 0, 0, 0]), Some((FrameKind::Layer(2), 48_000, 2, 576, 1152)));
        assert_eq!(header([0xff, 0xf1, 0x4c, 0x40, 0x23, 0x7f, 0xfc]), Some((FrameKind::Adts, 48_000, 1, 283, 1024)));
        for none in [[0; 7], [0xff; 7], [0xff, 0xfb, 0xf0, 0, 0, 0, 0], [0xff, 0xfb, 0x9c, 0, 0, 0, 0]] {
            assert_eq!(header(none), None);
        }
    }
}
