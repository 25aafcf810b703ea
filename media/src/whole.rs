//! Short recordings, whole in memory.

use std::io::Cursor;

use crate::content::{Block, ByteSource};
use crate::error::Result;
use crate::format::{Damage, Format};
use crate::reader::Reader;
use crate::writer::{Spec, Writer};

/// A recording that was read whole.
#[derive(Clone, Debug, PartialEq)]
pub struct WholeRecording {
    /// Rate, channels, precision and text. The length may be wrong; that of the channels is right.
    pub format: Format,
    /// All samples of each channel.
    pub channels: Block,
    /// As [`Reader::damage`].
    pub damage: Vec<Damage>,
}

/// Reads a recording to its end. A recording of minutes takes hundreds of MB; [`Reader`] reads any length in constant memory.
///
/// # Errors
/// As [`Reader::new`] and [`Reader::read`].
pub fn decode(source: impl ByteSource + 'static) -> Result<WholeRecording> {
    let mut reader = Reader::new(source)?;
    let mut channels = vec![Vec::new(); reader.format().channels];
    while let Some(block) = reader.read()? {
        for (channel, samples) in channels.iter_mut().zip(block) {
            channel.extend(samples);
        }
    }
    Ok(WholeRecording { format: reader.format().clone(), channels, damage: reader.damage().to_vec() })
}

/// Writes a recording as the bytes of a WAV file.
///
/// # Errors
/// When the spec cannot be written as WAV.
///
/// # Panics
/// As [`Writer::write`]: when the number of channels differs from the spec, or they differ in length.
pub fn encode(channels: &[impl AsRef<[f32]>], spec: &Spec) -> Result<Vec<u8>> {
    let length = channels.first().map_or(0, |channel| channel.as_ref().len()) as u64;
    let mut writer = Writer::new(Cursor::new(Vec::new()), spec, Some(length))?;
    writer.write(channels)?;
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::format::Encoding;
    use crate::metadata::Metadata;

    #[test]
    fn a_result_written_as_its_recording_is_the_same_file() {
        let metadata = Metadata { info: vec![(*b"INAM", "Title".into())], ..Metadata::default() };
        for (encoding, channel_mask) in [
            (Encoding::Pcm16, Some(0x7)),
            (Encoding::Pcm24, None),
            (Encoding::Pcm32, Some(0x7)),
            (Encoding::Float32, Some(0x13)),
        ] {
            let spec = Spec { sample_rate_hz: 44_100, channels: 3, channel_mask, encoding, metadata: metadata.clone() };
            let bytes = encode(&[[0.0f32, 0.5], [-1.0, 0.25], [-0.125, 0.75]], &spec).expect("a WAV file");
            let whole = decode(Cursor::new(bytes.clone())).expect("a recording");
            assert_eq!(whole.channels, [[0.0, 0.5], [-1.0, 0.25], [-0.125, 0.75]]);
            assert_eq!((Spec::like(&whole.format), whole.damage.len()), (spec, 0));
            assert!(encode(&whole.channels, &Spec::like(&whole.format)).expect("a WAV file") == bytes);
        }
    }

    #[test]
    fn nothing_is_no_recording_and_no_channels_are_no_file() {
        assert!(matches!(decode(Cursor::new(Vec::new())), Err(Error::Empty)));
        let (channels, channel_mask, encoding) = (0, None, Encoding::Pcm16);
        let spec = Spec { sample_rate_hz: 8_000, channels, channel_mask, encoding, metadata: Metadata::default() };
        assert!(matches!(encode(&[[0.0f32; 0]; 0], &spec), Err(Error::Unwritable(_))));
    }
}
