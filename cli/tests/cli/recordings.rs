//! One recording: what comes out is like what went in, without its noise.

use hound::{SampleFormat, WavReader, WavSpec};
use tempfile::tempdir;

use super::*;

#[test]
fn rate_channels_length_and_encoding_are_kept() {
    let folder = tempdir().unwrap();
    let input = folder.path().join("in.wav");
    write_speech(&input, &spec(44_100, 2, Encoding::Pcm24), 0.503);
    let before = fs::read(&input).unwrap();
    succeed(folder.path(), "in.wav");
    let reader = WavReader::open(folder.path().join("in.denoised.wav")).unwrap();
    let expected = WavSpec { channels: 2, sample_rate: 44_100, bits_per_sample: 24, sample_format: SampleFormat::Int };
    assert_eq!(reader.spec(), expected);
    assert_eq!(reader.duration() as usize, read(&input).len());
    assert_eq!(fs::read(&input).unwrap(), before, "the input is untouched");
}

#[test]
fn speakers_and_text_are_kept() {
    let folder = tempdir().unwrap();
    let info = vec![(*b"INAM", "a talk".to_owned())];
    let metadata = Metadata { info, bext: Some(vec![7; 602]), left_out: Vec::new() };
    let quad = Spec { channel_mask: Some(0x33), metadata, ..spec(16_000, 4, Encoding::Pcm16) };
    write_speech(folder.path().join("in.wav"), &quad, 0.2);
    succeed(folder.path(), "in.wav -o out.wav");
    let output = format(folder.path().join("out.wav"));
    assert_eq!(output.channel_mask, quad.channel_mask);
    assert_eq!(output.metadata, quad.metadata);
}

#[test]
fn bits_can_be_chosen() {
    let folder = tempdir().unwrap();
    write_speech(folder.path().join("in.wav"), &spec(16_000, 1, Encoding::Pcm24), 0.2);
    for (bits, encoding) in [("16", Encoding::Pcm16), ("24", Encoding::Pcm24), ("f32", Encoding::Float32)] {
        succeed(folder.path(), &format!("in.wav -o {bits}.wav --bits {bits}"));
        assert_eq!(format(folder.path().join(format!("{bits}.wav"))).encoding, encoding);
    }
    assert!(fail(folder.path(), "in.wav --bits 12").contains("expected 16, 24 or f32"));
}

#[test]
fn the_attenuation_limit_is_obeyed() {
    let folder = tempdir().unwrap();
    write_speech(folder.path().join("in.wav"), &spec(48_000, 2, Encoding::Float32), 0.4);
    let run = |limit: &str| {
        succeed(folder.path(), &format!("in.wav -o {limit}.wav --attenuation-limit-db {limit}"));
        read(folder.path().join(format!("{limit}.wav")))
    };
    let input = read(folder.path().join("in.wav"));
    let distance = |audio: &Audio| {
        let pairs = audio.channels().iter().flatten().zip(input.channels().iter().flatten());
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    let (all, some, none) = (run("100"), run("6"), run("0"));
    assert!(distance(&none) < 1e-6, "{}", distance(&none));
    let ratio = distance(&some) / distance(&all);
    assert!((ratio - (1.0 - 10f32.powf(-0.3))).abs() < 1e-3, "{ratio}");
    for limit in ["-1", "101", "nan", "loud"] {
        let message = fail(folder.path(), &format!("in.wav --attenuation-limit-db={limit}"));
        assert!(message.contains("expected a number of dB from 0 to 100"), "{message}");
    }
}

#[test]
fn the_default_model_denoises() {
    let folder = tempdir().unwrap();
    write_speech(folder.path().join("in.wav"), &spec(8_000, 1, Encoding::Float32), 0.3);
    succeed(folder.path(), "in.wav -o out.wav --model dcunet");
    let output = read(folder.path().join("out.wav"));
    assert_eq!((output.sample_rate_hz(), output.len()), (8_000, 2_400));
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let folder = tempdir().unwrap();
    // Short ones, side by side, and one that is done by all threads.
    for number in 0..5 {
        write_mono(folder.path().join(format!("in/{number}.wav")));
    }
    write_speech(folder.path().join("in/long.wav"), &spec(8_000, 2, Encoding::Pcm16), 60.0);
    for jobs in [1, 3] {
        succeed(folder.path(), &format!("in -o {jobs} --jobs {jobs}"));
    }
    for name in names(&folder.path().join("in")) {
        let [one, three] = ["1", "3"].map(|jobs| fs::read(folder.path().join(jobs).join(&name)).unwrap());
        assert!(one == three, "{name}");
    }
    assert!(fail(folder.path(), "in -o 0 --jobs 0").contains("1..=1024"));
}

/// Most memory that the program held at once, in MiB.
#[cfg(target_os = "linux")]
fn peak_mib(folder: &Path, arguments: &str) -> f64 {
    let mut child = command(folder, arguments).spawn().unwrap();
    let mut peak = 0.0;
    loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        peak = kib.map_or(peak, |kib| f64::max(peak, kib / 1024.0));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{arguments}");
            return peak;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_length() {
    let folder = tempdir().unwrap();
    let spec = spec(48_000, 2, Encoding::Pcm16);
    for (name, seconds) in [("short.wav", 45), ("long.wav", 300)] {
        let sample = |index: u32| (index.wrapping_mul(2_654_435_761) >> 20) as f32 / 32_768.0 - 0.06;
        let channel: Vec<f32> = (0..seconds * 48_000).map(sample).collect();
        write(folder.path().join(name), wav(&spec, &[channel.clone(), channel]));
    }
    let [short, long] =
        ["short", "long"].map(|name| peak_mib(folder.path(), &format!("{name}.wav -o {name}.out.wav --jobs 2 -q")));
    // The four minutes more would be 93 MiB as floats; the allocator's heaps differ from run to run.
    assert!(long < short + 40.0, "{short:.0} MiB for 45 s, {long:.0} MiB for 300 s");
    assert!(long < 700.0, "{long:.0} MiB");
}
