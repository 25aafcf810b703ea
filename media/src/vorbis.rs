//! Vorbis with more than two channels, by lewton: Symphonia 0.6.1 decodes some of it to other sound.

use lewton::audio::{PreviousWindowRight, read_audio_packet_generic};
use lewton::header::{IdentHeader, SetupHeader, read_header_ident, read_header_setup};

use crate::content::Block;
use crate::layout;

/// Bytes of the identification header (Vorbis I, section 4.2.2).
const IDENTIFICATION_BYTES: usize = 30;

/// A stream being decoded.
pub struct VorbisStream {
    identification: IdentHeader,
    setup: SetupHeader,
    previous: PreviousWindowRight,
}

impl VorbisStream {
    /// Reads the identification header and the setup header right after it.
    pub fn new(headers: &[u8]) -> Result<Self, String> {
        let broken = |error: &dyn std::fmt::Display| format!("its headers are broken: {error}");
        let (identification, setup) = headers.split_at_checked(IDENTIFICATION_BYTES).ok_or("its headers are broken")?;
        let identification = read_header_ident(identification).map_err(|error| broken(&error))?;
        let blocks = (identification.blocksize_0, identification.blocksize_1);
        let setup = read_header_setup(setup, identification.audio_channels, blocks).map_err(|error| broken(&error))?;
        Ok(Self { identification, setup, previous: PreviousWindowRight::new() })
    }

    /// Samples per second and channel.
    pub fn sample_rate_hz(&self) -> u32 {
        self.identification.audio_sample_rate
    }

    /// How many channels there are.
    pub fn channels(&self) -> usize {
        self.identification.audio_channels.into()
    }

    /// As [`crate::Format::channel_mask`].
    pub fn channel_mask(&self) -> Option<u32> {
        layout::of_xiph(self.channels()).map(|(_, mask)| mask)
    }

    /// Decodes a packet. The first after the start, and after a gap, gives no samples: it overlaps with the next.
    pub fn decode(&mut self, packet: &[u8]) -> Result<Block, String> {
        let mut channels: Block =
            read_audio_packet_generic(&self.identification, &self.setup, packet, &mut self.previous)
                .map_err(|error| format!("a broken packet: {error}"))?;
        match layout::of_xiph(self.channels()) {
            Some((order, _)) => Ok(order.iter().map(|&from| std::mem::take(&mut channels[from])).collect()),
            None => Ok(channels),
        }
    }

    /// Forgets the packet before, after which there is a gap.
    pub fn reset(&mut self) {
        self.previous = PreviousWindowRight::new();
    }
}
