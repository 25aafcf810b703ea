//! What recordings come in and go out as.

use std::f32::consts::TAU;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use media::{Encoding, Metadata, Spec, WholeRecording, Writer};
use serde_json::json;
use shared::Audio;

use crate::browser::Browser;
use crate::sound::{assert_alike, native, noisy, peak, read, relative_difference, wav};

/// How much of a signal's energy is a sine of this frequency, 0 to 1.
fn share_of_tone(samples: &[f32], frequency: f32) -> f32 {
    let step = TAU * frequency;
    let sum = |wave: fn(f32) -> f32| samples.iter().enumerate().map(|(i, x)| x * wave(step * i as f32)).sum::<f32>();
    let energy: f32 = samples.iter().map(|x| x * x).sum();
    (sum(f32::sin).powi(2) + sum(f32::cos).powi(2)) * 2.0 / (energy * samples.len() as f32)
}

/// Recordings of every format that both the page and native code read: files of two folders, and some made here.
fn recordings() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<PathBuf> = ["tests/browser/fixtures", "../media/tests/fixtures"]
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            let ours = ["tone.", "chirp.", "vbr.", "ima.", "ms.", "six.ogg"];
            ours.iter().any(|start| name.starts_with(start))
        })
        .collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut recordings: Vec<_> = paths.iter().map(|path| (name(path), fs::read(path).unwrap())).collect();

    let flac = fs::read(root.join("../media/tests/fixtures/chirp.flac")).unwrap();
    let mut damaged = flac.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 40].fill(0x55);
    recordings.push(("damaged.flac".into(), damaged));
    recordings.push(("cut.flac".into(), flac[..middle].to_vec()));

    let channels: Vec<Vec<f32>> = (0..6).map(|seed| noisy(16_001, seed).into_channels().remove(0)).collect();
    let metadata = Metadata {
        info: vec![(*b"INAM", "Six channels".into())],
        bext: Some([b"A broadcast".as_slice(), &[0; 591]].concat()),
        left_out: Vec::new(),
    };
    let spec =
        Spec { sample_rate_hz: 44_100, channels: 6, channel_mask: Some(0x60f), encoding: Encoding::Pcm24, metadata };
    let wav = media::encode(&channels, &spec).unwrap();
    recordings.push(("cut.wav".into(), wav[..wav.len() / 2].to_vec()));
    // With the header of a file of any size, and as a program that writes into a pipe leaves it.
    let mut large = Writer::new(Cursor::new(Vec::new()), &spec, None).unwrap();
    large.write(&channels).unwrap();
    let mut large = large.finish().unwrap().into_inner();
    large[..8].copy_from_slice(b"RF64\xff\xff\xff\xff");
    let sizes: Vec<u8> =
        [large.len() as u64 - 8, 16_001 * 6 * 3, 16_001].iter().flat_map(|n| n.to_le_bytes()).collect();
    large[12..16].copy_from_slice(b"ds64");
    large[20..44].copy_from_slice(&sizes);
    let data = large.windows(4).position(|name| name == b"data").unwrap();
    large[data + 4..data + 8].fill(0xff);
    recordings.push(("large.wav".into(), large));
    let mut piped = wav.clone();
    let data = piped.windows(4).position(|name| name == b"data").unwrap();
    piped[4..8].fill(0xff);
    piped[data + 4..data + 8].fill(0xff);
    recordings.push(("piped.wav".into(), piped));
    recordings.push(("six.wav".into(), wav));
    for (name, encoding) in [("16.wav", Encoding::Pcm16), ("32.wav", Encoding::Pcm32), ("float.wav", Encoding::Float32)]
    {
        let spec = Spec { channels: 2, channel_mask: None, encoding, ..spec.clone() };
        recordings.push((name.into(), media::encode(&channels[..2], &spec).unwrap()));
    }

    // 16-bit AIFF and AU of one channel at 8 kHz.
    let samples: Vec<u8> =
        channels[0][..8_000].iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_be_bytes()).collect();
    let chunk = |name: &[u8], content: Vec<u8>| [name, &(content.len() as u32).to_be_bytes(), &content].concat();
    let rate = [0x40, 0x0b, 0xfa, 0, 0, 0, 0, 0, 0, 0]; // 8000 as an 80-bit float
    let common = [1u16.to_be_bytes().as_slice(), &8_000u32.to_be_bytes(), &16u16.to_be_bytes(), &rate].concat();
    let chunks = [chunk(b"COMM", common), chunk(b"SSND", [vec![0; 8], samples.clone()].concat())].concat();
    recordings.push(("apple.aiff".into(), chunk(b"FORM", [b"AIFF".to_vec(), chunks].concat())));
    let header = [24u32, samples.len() as u32, 3, 8_000, 1].map(u32::to_be_bytes).concat();
    recordings.push(("sun.au".into(), [b".snd".to_vec(), header, samples].concat()));
    recordings
}

/// Fails unless the page's file has the samples that native code reads from a recording, and its format.
fn assert_same_file(name: &str, expected: &WholeRecording, got: Vec<u8>) {
    let spec = Spec::like(&expected.format);
    let exact = media::encode(&expected.channels, &spec).unwrap();
    if ["AAC", "MP1", "MP2", "MP3", "Vorbis"].contains(&&*expected.format.codec) {
        // These decode by Fourier transforms, whose rounding is not the same on all processors.
        let [exact, got] = [exact, got].map(|bytes| media::decode(Cursor::new(bytes)).unwrap());
        assert_eq!(exact.format, got.format, "{name}");
        for (exact, got) in exact.channels.iter().zip(&got.channels) {
            assert_eq!(exact.len(), got.len(), "{name}");
            let difference = exact.iter().zip(got).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(difference <= 1.0 / 32_768.0, "{name}: a difference of {difference}");
        }
    } else {
        assert!(got == exact, "{name}: the files differ");
    }
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn the_page_reads_every_format_as_native_code_does() {
    let browser = Browser::open("?backend=cpu&network=autoencoder").await;
    browser.ready().await;
    // A number in front makes names unique that differ in their ending only.
    let recordings: Vec<(String, Vec<u8>)> =
        recordings().into_iter().enumerate().map(|(index, (name, bytes))| (format!("{index}-{name}"), bytes)).collect();
    let files: Vec<PathBuf> = recordings.iter().map(|(name, bytes)| browser.write_bytes(name, bytes)).collect();
    browser.pick(&files.iter().map(PathBuf::as_path).collect::<Vec<_>>()).await;
    browser.wait_for(&format!("document.querySelectorAll('.takes li').length === {}", files.len())).await;
    browser
        .wait_for("document.querySelectorAll('.takes li:is([data-state=waiting], [data-state=busy])').length === 0")
        .await;

    let stem = |name: &str| name.rsplit_once('.').unwrap().0.to_owned();
    let mut expected = Vec::new();
    for (index, (name, bytes)) in recordings.iter().enumerate() {
        let whole = media::decode(Cursor::new(bytes.clone())).unwrap();
        browser.click(&format!(".takes li:nth-child({}) .name", index + 1)).await;
        browser.state_of(name, "done").await;
        browser.voice(1).await;
        let before =
            fs::read(browser.download(".stage .download", &format!("{}.before.wav", stem(name))).await).unwrap();
        assert_same_file(name, &whole, before);

        let remarks =
            browser.call("return [...document.querySelectorAll('.remark')].map((p) => p.textContent)", vec![]);
        let remarks = remarks.await.to_string();
        assert_eq!(remarks.contains("is damaged"), !whole.damage.is_empty(), "{name}: {remarks}");
        assert_eq!(name.contains("damaged") || name.contains("cut"), !whole.damage.is_empty(), "{name}");
        let left_out = &whole.format.metadata.left_out;
        let said = whole.damage.iter().map(|damage| &damage.reason).chain(left_out);
        said.for_each(|words| assert!(remarks.contains(words.as_str()), "{name}: {remarks}"));
        expected.push(Audio::new(whole.format.sample_rate_hz, whole.channels).unwrap());
    }

    browser.select("#depth", "float").await;
    let archive = browser.download("#archive", "denoised.zip").await;
    let mut archive = zip::ZipArchive::new(fs::File::open(archive).unwrap()).unwrap();
    for ((name, _), audio) in recordings.iter().zip(&expected) {
        let mut bytes = Vec::new();
        archive.by_name(&format!("{}.denoised.wav", stem(name))).unwrap().read_to_end(&mut bytes).unwrap();
        assert_alike(&native("autoencoder", audio), &read(bytes).0, name);
    }
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn the_browser_decodes_what_the_engine_does_not_know() {
    let browser = Browser::open("?backend=cpu&network=autoencoder").await;
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/fixtures");
    let native = media::decode(fs::File::open(fixtures.join("six.m4a")).unwrap());
    assert!(native.is_err(), "another fixture is needed");
    browser.pick(&[&fixtures.join("six.m4a")]).await;
    browser.state_of("six.m4a", "done").await;
    browser.voice(1).await;
    let (sound, depth) = browser.download_wav("six.before.wav").await;
    // The browser decodes at this rate, and does not say what it was.
    assert_eq!((sound.channels().len(), sound.sample_rate_hz(), depth), (6, 48_000, Encoding::Pcm16));
    assert!((sound.seconds() - 0.8).abs() < 0.13, "{} s", sound.seconds());
    let middle = &sound.channels()[0][sound.len() / 4..sound.len() / 4 * 3];
    let share = share_of_tone(middle, 440.0 / 48_000.0);
    assert!(share > 0.9, "{share} of it is the tone");
    assert!((0.08..0.25).contains(&peak(middle)), "a peak of {}", peak(middle));

    for (name, reason) in [("mute.webm", "there is no sound in it"), ("ac3.mp4", "AC-3 is not supported")] {
        let folder = if name == "mute.webm" {
            fixtures.clone()
        } else {
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("media/tests/fixtures")
        };
        browser.pick(&[&folder.join(name)]).await;
        browser.state_of(name, "failed").await;
        let note = browser.text(".stage .note").await;
        assert!(note.contains("no sound that can be read") && note.contains(reason), "{note}");
    }
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn any_number_of_channels_and_samples_comes_back_at_any_depth() {
    let browser = Browser::open("?backend=cpu&network=autoencoder").await;
    let audio = noisy(20_000, 5);
    let expected = native("autoencoder", &audio);
    let (result, encoding) = browser.denoise(&browser.write("float.wav", &audio, Encoding::Float32)).await;
    assert_eq!(encoding, Encoding::Float32);
    assert_alike(&expected, &result, "page and native");
    for (depth, encoding) in
        [("16", Encoding::Pcm16), ("24", Encoding::Pcm24), ("float", Encoding::Float32), ("same", Encoding::Float32)]
    {
        browser.select("#depth", depth).await;
        let (result, got) = browser.download_wav("float.denoised.wav").await;
        assert_eq!(got, encoding, "{depth}");
        assert!(relative_difference(&expected.channels()[0], &result.channels()[0]) < 1e-3, "{depth}");
    }

    let channels: Vec<Vec<f32>> = (0..8).map(|seed| noisy(9_001, seed).into_channels().remove(0)).collect();
    let audio = Audio::new(16_000, channels).unwrap();
    let (result, _) = browser.denoise(&browser.write("eight.wav", &audio, Encoding::Float32)).await;
    assert_alike(&native("autoencoder", &audio), &result, "eight channels");

    let audio = Audio::mono(48_000, vec![0.25]).unwrap();
    let (result, encoding) = browser.denoise(&browser.write("one.wav", &audio, Encoding::Pcm16)).await;
    assert_eq!((result.len(), result.sample_rate_hz(), encoding), (1, 48_000, Encoding::Pcm16));
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn files_can_be_dropped_and_pasted() {
    let browser = Browser::open("?backend=cpu&network=autoencoder").await;
    let bytes = wav(&noisy(8_000, 6), Encoding::Pcm16);
    let event = "const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(arguments[0])], arguments[1]));
        const options = {bubbles: true, cancelable: true, dataTransfer: data, clipboardData: data};
        const kind = arguments[2];
        const event = kind === 'paste' ? new ClipboardEvent(kind, options) : new DragEvent(kind, options);
        document.querySelector('h1').dispatchEvent(event);
        return [document.documentElement.classList.contains('dragged'), event.defaultPrevented];";
    let fire = async |kind: &str, name: &str| browser.call(event, vec![json!(bytes), json!(name), json!(kind)]).await;
    assert_eq!(fire("dragover", "x").await, json!([true, true]), "one sees where to drop");
    assert_eq!(fire("drop", "dropped.wav").await, json!([false, true]));
    browser.state_of("dropped.wav", "done").await;
    assert_eq!(fire("paste", "pasted.wav").await, json!([false, true]));
    browser.state_of("pasted.wav", "done").await;
    assert_eq!(browser.count(".takes li").await, 2);
    browser.close().await;
}
