//! WAV files of the writer's, read again by it, by hound, and byte by byte.

use std::io::{self, Cursor, Seek, SeekFrom, Write};

use crate::common::{chirp, encode, read};
use hound::{SampleFormat, WavReader};
use media::{Encoding, Metadata, Spec, Writer};
use proptest::prelude::*;

fn spec(channels: usize, encoding: Encoding) -> Spec {
    Spec { sample_rate_hz: 48_000, channels, channel_mask: None, encoding, metadata: Metadata::default() }
}

#[test]
fn hound_reads_the_same() {
    let channels = [chirp(16_000, 0, 99), chirp(16_000, 500, 99)];
    for (encoding, bits) in
        [(Encoding::Pcm16, 16), (Encoding::Pcm24, 24), (Encoding::Pcm32, 32), (Encoding::Float32, 32)]
    {
        let bytes = encode(&channels, 16_000, None, encoding);
        let mut hound = WavReader::new(bytes.as_slice()).unwrap();
        assert_eq!((hound.spec().channels, hound.spec().bits_per_sample, hound.duration()), (2, bits, 99));
        let samples: Vec<f32> = match hound.spec().sample_format {
            SampleFormat::Float => hound.samples::<f32>().map(Result::unwrap).collect(),
            SampleFormat::Int => {
                hound.samples::<i32>().map(|sample| sample.unwrap() as f32 / 2f32.powi(bits as i32 - 1)).collect()
            }
        };
        let whole = read(bytes);
        assert_eq!(whole.format.encoding, encoding);
        for (index, channel) in whole.channels.iter().enumerate() {
            assert!(channel.iter().eq(samples.iter().skip(index).step_by(2)));
            assert!(channel.iter().zip(&channels[index]).all(|(a, b)| (a - b).abs() <= 0.5 / 32_768.0));
        }
    }
}

#[test]
fn integers_are_clipped_and_floats_are_not() {
    let loud = [vec![2.0, -2.0]];
    assert_eq!(read(encode(&loud, 16_000, None, Encoding::Pcm16)).channels[0], [32_767.0 / 32_768.0, -1.0]);
    assert_eq!(read(encode(&loud, 16_000, None, Encoding::Pcm32)).channels[0], [1.0, -1.0]);
    assert_eq!(read(encode(&loud, 16_000, None, Encoding::Float32)).channels, loud);
}

#[test]
fn speakers_are_kept_and_none_are_invented() {
    let channels = |count: usize| vec![vec![0.0; 4]; count];
    // The plain format is for one channel in the middle, and for two to the left and to the right.
    for (count, mask, plain) in [
        (1, None, true),
        (1, Some(0x4), true),
        (1, Some(0x1), false),
        (2, Some(0x3), true),
        (2, Some(0xc), false),
        (4, Some(0x33), false),
        (6, Some(0x60f), false),
        (3, None, false),
    ] {
        let bytes = encode(&channels(count), 48_000, mask, Encoding::Pcm24);
        assert_eq!(u16::from_le_bytes([bytes[20], bytes[21]]) == 1, plain, "{count} channels, {mask:?}");
        if !plain {
            assert_eq!(bytes[40..44], mask.unwrap_or(0).to_le_bytes(), "{count} channels, {mask:?}");
            assert_eq!(read(bytes).format.channel_mask, mask);
        }
    }
}

#[test]
fn text_is_carried() {
    let info = vec![(*b"INAM", "Ein Stück".to_owned()), (*b"IART", "Wer".to_owned())];
    for bext in [vec![7; 602], vec![7; 603]] {
        let metadata = Metadata { info: info.clone(), bext: Some(bext), left_out: Vec::new() };
        let spec = Spec { metadata: metadata.clone(), ..spec(1, Encoding::Pcm16) };
        let mut writer = Writer::new(Cursor::new(Vec::new()), &spec, Some(3)).unwrap();
        writer.write(&[[0.5, 0.25, 0.0]]).unwrap();
        let whole = read(writer.finish().unwrap().into_inner());
        assert_eq!(whole.format.metadata, metadata);
        assert_eq!(whole.channels, [[0.5, 0.25, 0.0]]);
    }
}

/// A destination that forgets all but the first bytes, so that more than memory holds can be written.
struct Sink {
    head: Vec<u8>,
    position: u64,
    length: u64,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for (at, byte) in (self.position..200).zip(bytes) {
            self.head.resize(self.head.len().max(at as usize + 1), 0);
            self.head[at as usize] = *byte;
        }
        self.position += bytes.len() as u64;
        self.length = self.length.max(self.position);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Sink {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::End(_) => self.length,
            SeekFrom::Current(_) => self.position,
        };
        Ok(self.position)
    }
}

/// Writes that many blocks of silence, 16 MiB each.
fn write(blocks: u64, length: Option<u64>) -> media::Result<Sink> {
    let (channels, per_block) = (256, 1 << 14);
    let sink = Sink { head: Vec::new(), position: 0, length: 0 };
    let mut writer = Writer::new(sink, &spec(channels, Encoding::Float32), length.map(|blocks| blocks * per_block))?;
    let silence = vec![vec![0.0; per_block as usize]; channels];
    for _ in 0..blocks {
        writer.write(&silence)?;
    }
    writer.finish()
}

#[test]
fn a_result_that_wav_cannot_hold_becomes_rf64() {
    let sink = write(257, None).unwrap();
    let bytes = 257 * (1 << 24);
    assert!(sink.length > bytes);
    let number = |at: usize| u64::from_le_bytes(sink.head[at..at + 8].try_into().unwrap());
    assert_eq!((&sink.head[..8], &sink.head[8..16]), (b"RF64\xff\xff\xff\xff".as_slice(), b"WAVEds64".as_slice()));
    assert_eq!((number(20), number(28), number(36)), (sink.length - 8, bytes, 257 * (1 << 14)));
}

#[test]
fn what_fits_is_a_plain_file_whatever_was_expected() {
    for length in [None, Some(3), Some(1_000)] {
        let sink = write(3, length).unwrap();
        assert_eq!(&sink.head[..4], b"RIFF");
        assert_eq!(u32::from_le_bytes(sink.head[4..8].try_into().unwrap()) as u64, sink.length - 8);
        assert_eq!(sink.head[12..16] == *b"JUNK", length != Some(3), "room for more only where it may be needed");
    }
    let message = write(257, Some(3)).err().unwrap().to_string();
    assert!(message.contains("more than 4 GiB"), "{message}");
    for channels in [0, 65_536] {
        let message = Writer::new(Cursor::new(Vec::new()), &spec(channels, Encoding::Pcm16), None).err().unwrap();
        assert!(message.to_string().contains("1 to 65535 channels"), "{message}");
    }
}

proptest! {
    #[test]
    fn any_finite_samples_survive_as_floats(samples in proptest::collection::vec(-1e30f32..1e30, 1..50)) {
        prop_assert_eq!(&read(encode(std::slice::from_ref(&samples), 8_000, None, Encoding::Float32)).channels[0], &samples);
    }
}
