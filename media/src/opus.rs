//! Opus (RFC 6716) in streams as RFC 7845 describes them: one channel or two, or several of those side by side.

use ropus::OpusMSDecoder;

use crate::bytes::{u16_be, u16_le};
use crate::content::Block;
use crate::layout;

/// The rate at which Opus is decoded, whatever was encoded, in Hz.
pub const SAMPLE_RATE_HZ: u32 = 48_000;
/// Samples per channel of the longest packet: 120 ms.
const MAX_PACKET_LENGTH: usize = 5760;

/// A stream being decoded.
pub struct OpusStream {
    decoder: OpusMSDecoder,
    /// For each channel of the output, the channel of the stream.
    order: Vec<usize>,
    /// Samples at the start that are not part of the recording.
    pub pre_skip: u64,
    /// As [`crate::Format::channel_mask`].
    pub channel_mask: Option<u32>,
    buffer: Vec<i16>,
}

impl OpusStream {
    /// Reads the identification header, `OpusHead` (RFC 7845, section 5.1), or the same as MP4 has it: version 0, big-endian.
    pub fn new(head: &[u8]) -> Result<Self, String> {
        let body = head.strip_prefix(b"OpusHead").filter(|body| body.len() >= 11).ok_or("its header is broken")?;
        let number = if body[0] == 0 { u16_be } else { u16_le };
        let channels = usize::from(body[1]);
        let family = body[10];
        let (streams, coupled, mapping) = match family {
            0 if channels == 1 => (1, 0, [0].as_slice()),
            0 if channels == 2 => (1, 1, [0, 1].as_slice()),
            0 => return Err(format!("its header is broken: {channels} channels in one stream")),
            _ => match (body.get(11..13), body.get(13..13 + channels)) {
                (Some(&[streams, coupled]), Some(mapping)) => (streams.into(), coupled.into(), mapping),
                _ => return Err("its header is broken".into()),
            },
        };
        let mut decoder = OpusMSDecoder::new(SAMPLE_RATE_HZ as i32, channels as i32, streams, coupled, mapping)
            .map_err(|code| format!("its header is broken (libopus code {code})"))?;
        decoder.set_gain(i32::from(number(body, 8) as i16));
        // Other families than 0 and 1 have no speakers.
        let known = layout::of_xiph(channels).filter(|_| family <= 1);
        Ok(Self {
            decoder,
            order: known.map_or_else(|| (0..channels).collect(), |(order, _)| order.to_vec()),
            pre_skip: number(body, 2).into(),
            channel_mask: known.map(|(_, mask)| mask),
            buffer: vec![0; MAX_PACKET_LENGTH * channels],
        })
    }

    /// How many channels there are.
    pub fn channels(&self) -> usize {
        self.order.len()
    }

    /// Decodes a packet of at most 120 ms.
    pub fn decode(&mut self, packet: &[u8]) -> Result<Block, String> {
        if packet.is_empty() {
            return Err("an empty packet".into());
        }
        let (bytes, channels) = (packet.len() as i32, self.channels());
        let length = self
            .decoder
            .decode(Some(packet), bytes, &mut self.buffer, MAX_PACKET_LENGTH as i32, false)
            .map_err(|code| format!("a broken packet (libopus code {code})"))?;
        let samples = &self.buffer[..length as usize * channels];
        let channel = |&from: &usize| samples.iter().skip(from).step_by(channels).map(|&s| f32::from(s) / 32_768.0);
        Ok(self.order.iter().map(|from| channel(from).collect()).collect())
    }
}

/// The identification header of a stream of one or two channels.
pub fn head(channels: usize, pre_skip: u32) -> Vec<u8> {
    let mut head = b"OpusHead\x01".to_vec();
    head.push(channels.min(255) as u8);
    head.extend((pre_skip.min(u16::MAX.into()) as u16).to_le_bytes());
    head.extend(SAMPLE_RATE_HZ.to_le_bytes());
    head.extend([0, 0, 0]);
    head
}
