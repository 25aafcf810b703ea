//! Which speaker a channel belongs to.

use symphonia::core::audio::Channels;

/// Bits of the mask that Microsoft's `WAVEFORMATEXTENSIBLE` defines.
const KNOWN_SPEAKERS: u32 = (1 << 18) - 1;
/// The mask of one channel in front, in the middle.
pub const FRONT_CENTRE: u32 = 0x4;

/// `mask`, if it names one speaker for each of `channels`.
pub fn checked(mask: u32, channels: usize) -> Option<u32> {
    (mask & !KNOWN_SPEAKERS == 0 && mask.count_ones() as usize == channels).then_some(mask)
}

/// The mask of channels as Symphonia describes them, which are in the order of its bits.
///
/// Symphonia calls a single channel "front left" where the format says "mono"; both mean the middle.
pub fn of(channels: &Channels) -> Option<u32> {
    match channels {
        Channels::Positioned(positions) if positions.iter().count() == 1 => Some(FRONT_CENTRE),
        Channels::Positioned(positions) => checked(u32::try_from(positions.bits()).ok()?, positions.iter().count()),
        _ => None,
    }
}

/// For each channel of a WAV file, the channel of a Vorbis or Opus stream of `count` channels that it is (RFC 7845, section
/// 5.1.1.2; WAV orders by the bits of the mask), and the mask. None for more than 8 channels, which have no speakers.
pub fn of_xiph(count: usize) -> Option<(&'static [usize], u32)> {
    Some(match count {
        1 => (&[0], FRONT_CENTRE),
        2 => (&[0, 1], 0x3),
        3 => (&[0, 2, 1], 0x7),
        4 => (&[0, 1, 2, 3], 0x33),
        5 => (&[0, 2, 1, 3, 4], 0x37),
        6 => (&[0, 2, 1, 5, 3, 4], 0x3f),
        7 => (&[0, 2, 1, 6, 5, 3, 4], 0x70f),
        8 => (&[0, 2, 1, 7, 5, 6, 3, 4], 0x63f),
        _ => return None,
    })
}
