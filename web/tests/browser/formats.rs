//! What recordings come in and go out as.

use std::f32::consts::TAU;
use std::path::Path;

use serde_json::json;
use shared::Audio;
use shared::wav::Encoding;

use crate::browser::Browser;
use crate::sound::{assert_alike, native, noisy, peak, relative_difference};

/// How much of a signal's energy is a sine of this frequency, 0 to 1.
fn share_of_tone(samples: &[f32], frequency: f32) -> f32 {
    let step = TAU * frequency;
    let sum = |wave: fn(f32) -> f32| samples.iter().enumerate().map(|(i, x)| x * wave(step * i as f32)).sum::<f32>();
    let energy: f32 = samples.iter().map(|x| x * x).sum();
    (sum(f32::sin).powi(2) + sum(f32::cos).powi(2)) * 2.0 / (energy * samples.len() as f32)
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn sound_of_every_format_and_of_videos_is_read() {
    let browser = Browser::open("?backend=cpu&network=autoencoder").await;
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/fixtures");
    // Rates in Hz; none where only the browser can decode, which does not tell.
    for (name, channels, rate_hz, encoding) in [
        ("tone.flac", 2, Some(22_050), Encoding::Pcm24),
        ("tone.mp3", 1, Some(22_050), Encoding::Pcm16),
        ("tone.ogg", 1, Some(22_050), Encoding::Pcm16),
        ("tone.m4a", 1, Some(22_050), Encoding::Pcm16),
        ("tone.mp4", 1, Some(22_050), Encoding::Pcm16),
        ("tone.mkv", 1, Some(22_050), Encoding::Pcm16),
        ("tone.opus", 1, None, Encoding::Pcm16),
        ("tone.webm", 1, None, Encoding::Pcm16),
    ] {
        browser.pick(&[&fixtures.join(name)]).await;
        browser.state_of(name, "done").await;
        browser.voice(1).await;
        let (sound, depth) = browser.download_wav("tone.before.wav").await;
        let rate = sound.sample_rate_hz();
        assert_eq!((sound.channels().len(), depth), (channels, encoding), "{name}");
        assert_eq!(rate, rate_hz.unwrap_or(48_000), "{name}");
        assert!((sound.seconds() - 0.8).abs() < 0.13, "{name}: {} s", sound.seconds());
        let middle = &sound.channels()[0][sound.len() / 4..sound.len() / 4 * 3];
        let share = share_of_tone(middle, 440.0 / rate as f32);
        assert!(share > 0.9, "{name}: {share} of it is the tone");
        assert!((0.08..0.16).contains(&peak(middle)), "{name}: a peak of {}", peak(middle));
    }
    browser.pick(&[&fixtures.join("mute.webm")]).await;
    browser.state_of("mute.webm", "failed").await;
    let note = browser.text(".stage .note").await;
    assert!(note.contains("no sound that can be read"), "{note}");
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
    let bytes = shared::wav::encode(&noisy(8_000, 6), Encoding::Pcm16).unwrap();
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
