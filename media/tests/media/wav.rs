//! WAV files as programs write them, made byte by byte.

use std::io::Cursor;

use crate::common::{self, fixture, read, try_read};
use media::{Encoding, Error, Reader};

/// Samples of 16 bits, and as floats.
const SAMPLES: [i16; 6] = [0, 16_384, -32_768, 32_767, -1, 100];

fn expected() -> Vec<f32> {
    SAMPLES.iter().map(|&sample| f32::from(sample) / 32_768.0).collect()
}

fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut chunk = [name.as_slice(), &(content.len() as u32).to_le_bytes(), content].concat();
    if content.len() % 2 == 1 {
        chunk.push(0);
    }
    chunk
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let content = chunks.concat();
    [b"RIFF", (content.len() as u32 + 4).to_le_bytes().as_slice(), b"WAVE", &content].concat()
}

/// A `fmt ` chunk for one channel at 16 kHz.
fn format(tag: u16, sample_bytes: u16, bits: u16, rest: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    content.extend(tag.to_le_bytes());
    content.extend(1u16.to_le_bytes());
    content.extend(16_000u32.to_le_bytes());
    content.extend((16_000 * u32::from(sample_bytes)).to_le_bytes());
    content.extend(sample_bytes.to_le_bytes());
    content.extend(bits.to_le_bytes());
    content.extend(rest);
    chunk(b"fmt ", &content)
}

/// The extension of a `fmt ` chunk in which samples have `valid_bits` of those there is room for.
fn extension(valid_bits: u16, channel_mask: u32, tag: u16) -> Vec<u8> {
    let guid = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
    let mut rest = 22u16.to_le_bytes().to_vec();
    rest.extend(valid_bits.to_le_bytes());
    rest.extend(channel_mask.to_le_bytes());
    rest.extend(tag.to_le_bytes());
    rest.extend(guid);
    rest
}

fn pcm16() -> Vec<u8> {
    SAMPLES.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

/// The samples at the upper end of containers of `bytes` bytes.
fn left_aligned(bytes: usize) -> Vec<u8> {
    let padded = |sample: &i16| [&vec![0; bytes - 2], sample.to_le_bytes().as_slice()].concat();
    SAMPLES.iter().flat_map(padded).collect()
}

#[test]
fn every_size_of_sample_in_every_container_is_read() {
    let float = |wide: bool| {
        let bytes = |sample: f32| match wide {
            true => f64::from(sample).to_le_bytes().to_vec(),
            false => sample.to_le_bytes().to_vec(),
        };
        expected().into_iter().flat_map(bytes).collect::<Vec<u8>>()
    };
    for (name, format, data, encoding) in [
        ("16", format(1, 2, 16, &[]), pcm16(), Encoding::Pcm16),
        ("24", format(1, 3, 24, &[]), left_aligned(3), Encoding::Pcm24),
        ("32", format(1, 4, 32, &[]), left_aligned(4), Encoding::Pcm32),
        ("20 in 24", format(0xfffe, 3, 24, &extension(20, 4, 1)), left_aligned(3), Encoding::Pcm24),
        ("24 in 32", format(0xfffe, 4, 32, &extension(24, 4, 1)), left_aligned(4), Encoding::Pcm24),
        ("16 in 32", format(0xfffe, 4, 32, &extension(16, 4, 1)), left_aligned(4), Encoding::Pcm16),
        ("no valid bits", format(0xfffe, 2, 16, &extension(0, 0, 1)), pcm16(), Encoding::Pcm16),
        ("24 in 32, plain", format(1, 4, 24, &[]), left_aligned(4), Encoding::Pcm24),
        ("float", format(3, 4, 32, &[]), float(false), Encoding::Float32),
        ("float, 18 bytes", format(3, 4, 32, &[0, 0]), float(false), Encoding::Float32),
        ("float, 40 bytes", format(3, 4, 32, &[&[22, 0][..], &[0; 22]].concat()), float(false), Encoding::Float32),
        ("float, extensible", format(0xfffe, 4, 32, &extension(32, 4, 3)), float(false), Encoding::Float32),
        ("64-bit float", format(3, 8, 64, &[]), float(true), Encoding::Float32),
    ] {
        let whole = read(riff(&[format, chunk(b"data", &data)]));
        assert_eq!(whole.channels, [expected()], "{name}");
        assert_eq!(whole.format.encoding, encoding, "{name}");
        assert_eq!((whole.format.length, whole.damage.len()), (Some(6), 0), "{name}");
    }
    // 12 bits in 16 are at the upper end as well; 8 bits have no sign.
    let twelve: Vec<u8> = [0x7ff0i16, -0x8000].iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let whole = read(riff(&[format(1, 2, 12, &[]), chunk(b"data", &twelve)]));
    assert_eq!(whole.channels, [[2047.0 / 2048.0, -1.0]]);
    let whole = read(riff(&[format(1, 1, 8, &[]), chunk(b"data", &[128, 0, 255, 64])]));
    assert_eq!(whole.channels, [[0.0, -1.0, 127.0 / 128.0, -0.5]]);
}

#[test]
fn telephone_codecs_and_adpcm_are_read() {
    // ITU-T G.711: silence, and the loudest of both signs.
    let whole = read(riff(&[format(7, 1, 8, &[0, 0]), chunk(b"data", &[0xff, 0x80, 0x00])]));
    assert_eq!(whole.channels, [[0.0, 32_124.0 / 32_768.0, -32_124.0 / 32_768.0]]);
    let whole = read(riff(&[format(6, 1, 8, &[]), chunk(b"data", &[0xaa, 0x2a])]));
    assert_eq!(whole.channels, [[32_256.0 / 32_768.0, -32_256.0 / 32_768.0]]);
    for name in ["ima.wav", "ms.wav"] {
        let whole = read(fixture(name));
        common::assert_chirp(&whole.channels[0], 22_050, 0..33_000);
    }
    for (tag, codec) in [(0x31, "GSM 6.10"), (0x160, "Windows Media Audio"), (0x1234, "number 0x1234")] {
        let error = try_read(riff(&[format(tag, 65, 0, &[]), chunk(b"data", &[0; 65])])).unwrap_err();
        assert!(matches!(&error, Error::UnsupportedCodec { codec: got, .. } if got == codec), "{error}");
    }
}

#[test]
fn chunks_of_any_size_may_come_first() {
    let expect = |bytes: Vec<u8>, name: &str| assert_eq!(read(bytes).channels, [expected()], "{name}");
    let (format, data) = (format(1, 2, 16, &[]), chunk(b"data", &pcm16()));
    for size in [0, 1, 2, 601, 602] {
        let content = vec![1; size];
        expect(riff(&[chunk(b"bext", &content), format.clone(), chunk(b"junk", &content), data.clone()]), "padded");
        let unpadded = [b"LGWV", (size as u32).to_le_bytes().as_slice(), &content].concat();
        expect(riff(&[format.clone(), unpadded, data.clone()]), "not padded");
    }
    let list = chunk(b"LIST", b"INFOICMT\x04\0\0\0abc\0");
    let whole = read(riff(&[format.clone(), list, chunk(b"cue ", &[0; 4]), data, chunk(b"iXML", b"<x/>")]));
    assert_eq!(whole.format.metadata.info, [(*b"ICMT", "abc".to_owned())]);
    assert_eq!(whole.format.metadata.left_out, ["cue points", "iXML"]);
}

#[test]
fn sizes_that_nobody_knew_mean_all_there_is() {
    for size in [0, 0xffff_ffffu32, 0x7fff_f000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffdb] {
        for riff_size in [0, 0xffff_ffff, size.wrapping_add(36)] {
            let mut bytes = riff(&[format(1, 2, 16, &[]), chunk(b"data", &pcm16())]);
            bytes[4..8].copy_from_slice(&riff_size.to_le_bytes());
            bytes[40..44].copy_from_slice(&size.to_le_bytes());
            let whole = read(bytes);
            assert_eq!((whole.channels, whole.damage.len()), (vec![expected()], 0), "{size:#x}, {riff_size:#x}");
        }
    }
    let none = read(riff(&[format(1, 2, 16, &[]), chunk(b"data", &[]), chunk(b"cue ", &[0; 4])]));
    assert_eq!((none.format.length, none.channels[0].len()), (Some(0), 0));
}

#[test]
fn a_file_that_is_cut_off_gives_what_is_there() {
    let whole = riff(&[format(1, 2, 16, &[]), chunk(b"data", &pcm16())]);
    for bytes in 0..12 {
        let cut = read(&whole[..44 + bytes]);
        assert_eq!(cut.channels, [&expected()[..bytes / 2]]);
        assert_eq!((cut.damage[0].start, cut.damage[0].length), (bytes as u64 / 2, 0));
        assert_eq!(cut.format.length, Some(6), "the length is what the file says");
    }
    for bytes in 1..44 {
        try_read(&whole[..bytes]).unwrap_err();
    }
}

#[test]
fn files_for_more_than_four_gigabytes_are_read() {
    let ones = [0xff; 4];
    let mut ds64 = Vec::new();
    [0u64, 12, 6].iter().for_each(|size| ds64.extend(size.to_le_bytes()));
    ds64.extend([0; 4]);
    let data = [b"data".as_slice(), &ones, &pcm16()].concat();
    for name in [b"RF64", b"BW64"] {
        let tail = chunk(b"cue ", &[0; 4]);
        let head = [name.as_slice(), &ones, b"WAVE"].concat();
        let whole = read([head, chunk(b"ds64", &ds64), format(1, 2, 16, &[]), data.clone(), tail].concat());
        assert_eq!(whole.channels, [expected()]);
        assert_eq!(whole.format.container.as_bytes(), name);
        // A program that was killed leaves sizes of 0 there.
        let head = [name.as_slice(), &ones, b"WAVE"].concat();
        let whole = read([head, chunk(b"ds64", &[0; 28]), format(1, 2, 16, &[]), data.clone()].concat());
        assert_eq!(whole.channels, [expected()]);
    }

    let chunk_64 = |name: &[u8; 4], content: &[u8]| {
        let guid = [0xf3, 0xac, 0xd3, 0x11, 0x8c, 0xd1, 0x00, 0xc0, 0x4f, 0x8e, 0xdb, 0x8a];
        let mut chunk = [name.as_slice(), &guid, &(content.len() as u64 + 24).to_le_bytes(), content].concat();
        chunk.resize(chunk.len().next_multiple_of(8), 0);
        chunk
    };
    let start = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00";
    let wave = b"wave\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a";
    let chunks =
        [chunk_64(b"fmt ", &format(1, 2, 16, &[])[8..]), chunk_64(b"junk", &[1; 3]), chunk_64(b"data", &pcm16())];
    let whole = read([start.as_slice(), &200u64.to_le_bytes(), wave, &chunks.concat()].concat());
    assert_eq!((whole.format.container, whole.channels), ("W64", vec![expected()]));
}

#[test]
fn speakers_are_those_of_the_file_or_none() {
    let mask = |mask: u32| read(riff(&[format(0xfffe, 2, 16, &extension(16, mask, 1)), chunk(b"data", &pcm16())]));
    assert_eq!(mask(0x4).format.channel_mask, Some(0x4));
    assert_eq!(mask(0x1).format.channel_mask, Some(0x1));
    // None, too many, and ones that nobody knows.
    for wrong in [0, 0x3, 1 << 20] {
        assert_eq!(mask(wrong).format.channel_mask, None);
    }
}

#[test]
fn what_is_no_recording_is_refused_in_a_line() {
    let broken_format = |at: usize| {
        let mut bytes = riff(&[format(1, 2, 16, &[]), chunk(b"data", &pcm16())]);
        bytes[at..at + 2].fill(0);
        bytes
    };
    let no_rate = {
        let mut bytes = broken_format(24);
        bytes[26..28].fill(0);
        bytes
    };
    for (bytes, words) in [
        (vec![], "empty"),
        (b"RIFF\x04\0\0\0WAVE".to_vec(), "no format chunk"),
        (riff(&[format(1, 2, 16, &[])]), "no samples"),
        (riff(&[chunk(b"data", &pcm16())]), "no format chunk"),
        (broken_format(22), "no channels"),
        (no_rate, "0 Hz"),
        (b"PK\x03\x04 an archive, renamed to .wav".to_vec(), "not a recording in a known format"),
        (vec![0; 100_000], "not a recording"),
        (riff(&[format(1, 5, 40, &[]), chunk(b"data", &[0; 10])]), "40-bit PCM is not supported"),
        (riff(&[format(0x11, 6, 4, &[]), chunk(b"data", &[0; 10])]), "IMA ADPCM in blocks of 6 bytes"),
    ] {
        let message = try_read(bytes).unwrap_err().to_string();
        assert!(message.contains(words) && message.lines().count() == 1, "{words}: {message}");
    }
}

#[test]
fn a_source_that_fails_is_an_error_and_not_the_end() {
    struct Failing(Cursor<Vec<u8>>);
    impl std::io::Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.0.position() >= 44 { Err(std::io::Error::other("the disk is gone")) } else { self.0.read(buffer) }
        }
    }
    impl std::io::Seek for Failing {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.0.seek(to)
        }
    }
    let bytes = riff(&[format(1, 2, 16, &[]), chunk(b"data", &pcm16())]);
    let message = match Reader::new(Failing(Cursor::new(bytes))) {
        Ok(mut reader) => reader.read().unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    assert!(message.contains("the disk is gone"), "{message}");
}
