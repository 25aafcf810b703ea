//! Recordings of every format, whole, joined and damaged: all of the sound is there, and at its time.

use std::ops::Range;

use crate::common::{self, assert_chirp, chirp, fixture, read, try_read};
use media::Encoding;

/// Samples per channel of the chirp at 22.05 kHz.
const LENGTH: usize = 33_075;

#[test]
fn every_format_gives_the_chirp_from_its_first_sample_on() {
    for (name, container, codec, rate_hz, encoding) in [
        ("chirp.mp3", "MP3", "MP3", 22_050, Encoding::Pcm16),
        ("chirp.m4a", "MP4", "AAC", 22_050, Encoding::Pcm16),
        ("chirp.alac.m4a", "MP4", "ALAC", 22_050, Encoding::Pcm24),
        ("chirp.flac", "FLAC", "FLAC", 22_050, Encoding::Pcm24),
        ("chirp.flac.mkv", "Matroska", "FLAC", 22_050, Encoding::Pcm24),
        ("chirp.ogg", "Ogg", "Vorbis", 22_050, Encoding::Pcm16),
        ("chirp.caf", "CAF", "PCM Signed 16-bit Big-Endian Interleaved", 22_050, Encoding::Pcm16),
        ("chirp.opus", "Ogg", "Opus", 48_000, Encoding::Pcm16),
        ("chirp.opus.mp4", "MP4", "Opus", 48_000, Encoding::Pcm16),
        ("chirp.opus.webm", "Matroska", "Opus", 48_000, Encoding::Pcm16),
    ] {
        let whole = read(fixture(name));
        let format = &whole.format;
        assert_eq!((format.container, &*format.codec), (container, codec), "{name}");
        assert_eq!((format.sample_rate_hz, format.channels, format.encoding), (rate_hz, 1, encoding), "{name}");
        assert_eq!(format.channel_mask, Some(0x4), "{name}");
        assert!(whole.damage.is_empty(), "{name}: {:?}", whole.damage);
        let expected = LENGTH * rate_hz as usize / 22_050;
        let length = whole.channels[0].len();
        // Matroska rounds to milliseconds, and Symphonia gives the padding at its end.
        let slack = if name.ends_with("webm") { 960 } else { rate_hz as usize / 1000 };
        assert!((expected..=expected + slack).contains(&length), "{name}: {length} samples, expected {expected}");
        for start in [0, expected / 2, expected - 3_000] {
            assert_chirp(&whole.channels[0], rate_hz, start..start + 2_000);
        }
    }
    assert_eq!(read(fixture("chirp.flac")).format.metadata.info, [(*b"INAM", "Chirp".to_owned())]);
}

#[test]
fn streams_without_a_header_are_read_to_their_end() {
    // They have the encoder's delay, which nothing in them says.
    for (name, delay) in [("vbr.mp3", 1105), ("chirp.mp2", 481), ("chirp.aac", 1024)] {
        let whole = read(fixture(name));
        assert_eq!(whole.format.length, Some(whole.channels[0].len() as u64), "{name}");
        assert!(whole.channels[0].len() >= LENGTH, "{name}");
        assert!(whole.damage.is_empty(), "{name}");
        let late: Vec<f32> = whole.channels[0][delay..].to_vec();
        for start in [0, LENGTH / 2, LENGTH - 3_000] {
            assert_chirp(&late, 22_050, start..start + 1_500);
        }
    }
}

#[test]
fn joined_files_are_read_one_after_the_other() {
    for (name, rate_hz) in [("chirp.mp3", 22_050), ("chirp.ogg", 22_050), ("chirp.opus", 48_000)] {
        let one = LENGTH * rate_hz / 22_050;
        let whole = read([fixture(name), fixture(name), fixture(name)].concat());
        assert_eq!((whole.channels[0].len(), whole.damage.len()), (3 * one, 0), "{name}");
        for part in 0..3 {
            let signal = &whole.channels[0][part * one..];
            // The first packet of a stream has nothing to overlap with.
            assert_chirp(signal, rate_hz as u32, 2_000..one - 2_000);
        }
    }
    // What the tools that join files leave between them.
    let tagged =
        [b"ID3\x04\0\0\0\0\0\x0a0123456789".to_vec(), fixture("chirp.mp3"), [b"TAG".as_slice(), &[0; 125]].concat()];
    let whole = read([tagged.concat(), tagged.concat()].concat());
    assert_eq!((whole.channels[0].len(), whole.damage.len()), (2 * LENGTH, 0));
    let message = try_read([fixture("chirp.mp3"), fixture("chirp.mp2")].concat());
    assert!(message.is_ok(), "a stream of another kind is not sound of this one: {message:?}");
}

#[test]
fn the_bytes_decide_the_format() {
    let tag = b"ID3\x04\0\0\0\0\0\x0a0123456789";
    for name in ["chirp.flac", "chirp.opus", "ima.wav"] {
        let plain = read(fixture(name));
        let tagged = read([tag.as_slice(), &fixture(name)].concat());
        assert_eq!(tagged.channels, plain.channels, "{name} behind a tag");
        assert_eq!(tagged.format.metadata.left_out.last().map(String::as_str), Some("ID3 tags"), "{name}");
    }
    for (bytes, words) in [
        (b"wvpk and more".as_slice(), "WavPack is not supported"),
        (b"#!AMR\n and more", "AMR is not supported"),
        (b"RIFF\0\0\0\0AVI LIST", "AVI is not supported"),
        (b"some text", "not a recording in a known format"),
        (b"\0\0\0\x10ftypM4A \0\0\0\0", "no index (the box moov)"),
    ] {
        let message = try_read(bytes).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
    let codec = try_read(fixture("ac3.mp4")).unwrap_err().to_string();
    assert!(codec.contains("AC-3") && codec.contains("not supported"), "{codec}");
}

#[test]
fn six_channels_of_vorbis_are_six_tones() {
    let whole = read(fixture("six.ogg"));
    assert_eq!((whole.format.channels, whole.format.channel_mask), (6, Some(0x3f)));
    for (index, channel) in whole.channels.iter().enumerate() {
        let tone = |number: usize| -> Vec<f32> {
            let step = std::f64::consts::TAU * (number * 220) as f64 / 22_050.0;
            (0..channel.len()).map(|i| (step * i as f64).sin() as f32).collect()
        };
        // The low-frequency channel is 880 Hz here, and cut off by no encoder.
        let likeness = common::likeness(channel, &tone(index + 1));
        assert!(likeness > 0.98, "channel {index}: {likeness}");
    }
}

/// Damages bytes of a file: the same wherever it is run.
fn damaged(name: &str, range: Range<usize>) -> Vec<u8> {
    let mut bytes = fixture(name);
    for (index, byte) in bytes[range].iter_mut().enumerate() {
        *byte = (index * 101 + 7) as u8 ^ 0x5a;
    }
    bytes
}

#[test]
fn what_is_damaged_is_silent_and_what_follows_is_in_time() {
    for (name, range, rate_hz) in [
        ("chirp.flac", 20_000..20_300, 22_050),
        ("chirp.flac.mkv", 20_000..20_300, 22_050),
        ("chirp.mp3", 2_500..2_900, 22_050),
        ("chirp.m4a", 3_000..3_300, 22_050),
        ("chirp.ogg", 4_300..4_400, 22_050),
        ("chirp.opus", 2_000..2_200, 48_000),
    ] {
        let good = read(fixture(name));
        let whole = read(damaged(name, range));
        assert_eq!(whole.channels[0].len(), good.channels[0].len(), "{name}: {:?}", whole.damage);
        let lost: u64 = whole.damage.iter().map(|damage| damage.length).sum();
        let share = lost as f64 / good.channels[0].len() as f64;
        assert!((0.005..0.5).contains(&share), "{name}: {:?}", whole.damage);
        for damage in &whole.damage {
            let (start, end) = (damage.start as usize, (damage.start + damage.length) as usize);
            assert!(whole.channels[0][start..end].iter().all(|&sample| sample == 0.0), "{name}: {damage:?}");
            assert!(!damage.reason.is_empty());
        }
        // Decoders need a while to be themselves again.
        let last = whole.damage.last().unwrap();
        let after = (last.start + last.length) as usize + 4_000;
        let end = LENGTH * rate_hz as usize / 22_050 - 500;
        if after + 1_000 < end {
            assert_chirp(&whole.channels[0], rate_hz, after..end);
        }
    }
    // Without a header nothing but the frames says what time it is.
    let whole = read(damaged("chirp.aac", 3_000..3_300));
    assert_eq!(whole.channels[0].len(), read(fixture("chirp.aac")).channels[0].len());
    let last = whole.damage.last().unwrap();
    let late = &whole.channels[0][1024..];
    assert_chirp(late, 22_050, (last.start + last.length) as usize + 2_000..LENGTH - 500);
}

#[test]
fn what_is_cut_off_is_read_up_to_there() {
    for name in [
        "chirp.flac",
        "chirp.flac.mkv",
        "chirp.mp3",
        "chirp.m4a",
        "chirp.ogg",
        "chirp.opus",
        "chirp.opus.webm",
        "chirp.caf",
        "chirp.aac",
        "vbr.mp3",
        "ms.wav",
    ] {
        let (bytes, good) = (fixture(name), read(fixture(name)));
        let cut = read(&bytes[..bytes.len() * 8 / 10]);
        let share = cut.channels[0].len() as f64 / good.channels[0].len() as f64;
        assert!((0.3..0.95).contains(&share), "{name}: {share} of it");
        let end = cut.damage.last().unwrap_or_else(|| panic!("{name}: nothing is said"));
        assert_eq!((end.start, end.length), (cut.channels[0].len() as u64, 0), "{name}");
        let same = cut.channels[0].len() - 3_000.min(cut.channels[0].len());
        let likeness = common::likeness(&cut.channels[0][..same], &good.channels[0][..same]);
        assert!(likeness > 0.999, "{name}: {likeness}");
    }
}

#[test]
fn aiff_and_au_are_read_in_every_encoding() {
    let samples = chirp(8_000, 0, 100);
    let big = |bits: u32| -> Vec<u8> {
        let scaled = samples.iter().map(|s| (f64::from(*s) * 2f64.powi(bits as i32 - 1)).round() as i32);
        scaled.flat_map(|s| s.to_be_bytes()[4 - bits as usize / 8..].to_vec()).collect()
    };
    let float: Vec<u8> = samples.iter().flat_map(|sample| sample.to_be_bytes()).collect();
    let au = |encoding: u32, size: u32, data: &[u8]| {
        let header = [24, size, encoding, 8_000, 1].map(u32::to_be_bytes).concat();
        [b".snd".as_slice(), &header, data].concat()
    };
    // 8000 Hz as an 80-bit floating-point number.
    let rate = [0x40, 0x0b, 0xfa, 0, 0, 0, 0, 0, 0, 0];
    let aiff = |bits: u16, compression: &[u8], data: &[u8]| {
        let common = [&1u16.to_be_bytes()[..], &100u32.to_be_bytes(), &bits.to_be_bytes(), &rate, compression].concat();
        let chunk = |name: &[u8], content: &[u8]| {
            let mut chunk = [name, &(content.len() as u32).to_be_bytes(), content].concat();
            chunk.resize(chunk.len().next_multiple_of(2), 0);
            chunk
        };
        let sound = [&[0; 8], data].concat();
        let chunks = [chunk(b"COMM", &common), chunk(b"NAME", b"odd"), chunk(b"SSND", &sound)].concat();
        let form: &[u8] = if compression.is_empty() { b"AIFF" } else { b"AIFC" };
        [b"FORM", (chunks.len() as u32 + 4).to_be_bytes().as_slice(), form, &chunks].concat()
    };
    for (name, bytes, encoding) in [
        ("AU, 16", au(3, 200, &big(16)), Encoding::Pcm16),
        ("AU, 24", au(4, u32::MAX, &big(24)), Encoding::Pcm24),
        ("AU, float", au(6, 400, &float), Encoding::Float32),
        ("AIFF, 16", aiff(16, b"", &big(16)), Encoding::Pcm16),
        ("AIFF, 24", aiff(24, b"", &big(24)), Encoding::Pcm24),
        ("AIFF, 32", aiff(32, b"", &big(32)), Encoding::Pcm32),
        ("AIFC, float", aiff(32, b"fl32\0\0", &float), Encoding::Float32),
    ] {
        let whole = read(bytes.clone());
        assert_eq!((whole.format.sample_rate_hz, whole.format.encoding), (8_000, encoding), "{name}");
        assert_eq!(whole.channels[0].len(), 100, "{name}");
        assert!(whole.channels[0].iter().zip(&samples).all(|(a, b)| (a - b).abs() < 2e-5), "{name}");
        if !name.contains("AU, 24") {
            let cut = read(&bytes[..bytes.len() - 41]);
            assert!(cut.channels[0].len() < 100 && cut.damage.len() == 1, "{name}, cut");
        }
    }
    let message = try_read(aiff(16, b"ima4\0\0", &big(16))).unwrap_err().to_string();
    assert!(message.contains("\"ima4\""), "{message}");
}
