//! Denoising: on both backends, by every network, one or many.

use std::{fs, io};

use media::Encoding;
use serde_json::json;
use shared::Audio;
use shared::metric::si_sdr;

use crate::browser::{Browser, SOFTWARE_WEBGPU, Setup};
use crate::sound::{assert_alike, mixture, native, noisy, read};

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn both_backends_denoise_and_agree_with_each_other_and_with_native() {
    let (clean, noisy) = mixture(16_000, 31_417, 7);
    let audio = Audio::mono(16_000, noisy.clone()).unwrap();
    let before = si_sdr(&clean, &noisy);

    let cpu = Browser::open("?backend=cpu").await;
    let file = cpu.write("noisy.wav", &audio, Encoding::Float32);
    cpu.ready().await;
    assert_eq!(cpu.text("#backend").await, "CPU");
    let (on_cpu, encoding) = cpu.denoise(&file).await;
    assert_eq!(encoding, Encoding::Float32);
    let after = si_sdr(&clean, &on_cpu.channels()[0]);
    println!("SI-SDR {before:.2} → {after:.2} dB on the CPU");
    assert!(after >= before + 3.0, "SI-SDR {before:.2} → {after:.2} dB");
    assert_alike(&native("dcunet", &audio), &on_cpu, "page and native");
    cpu.close().await;

    let gpu =
        Browser::open_with(Setup { arguments: &SOFTWARE_WEBGPU, query: "?backend=webgpu", ..Setup::default() }).await;
    let file = gpu.write("noisy.wav", &audio, Encoding::Float32);
    gpu.ready().await;
    assert_eq!(gpu.text("#backend").await, "WebGPU");
    let (on_gpu, _) = gpu.denoise(&file).await;
    assert_alike(&on_cpu, &on_gpu, "CPU and WebGPU");
    gpu.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn backends_are_timed_and_the_choice_is_remembered() {
    let query = "?backend=probe&network=autoencoder";
    let browser = Browser::open_with(Setup { arguments: &SOFTWARE_WEBGPU, query, ..Setup::default() }).await;
    browser.ready().await;
    let note = browser.text("#backend-note").await;
    let speed = |name: &str| -> f64 {
        let rest = note.split(&format!("{name} ")).last().unwrap();
        rest.split('×').next().unwrap().parse().unwrap_or_else(|_| panic!("no speed of {name}: {note}"))
    };
    let faster = if speed("WebGPU") > speed("CPU") { "WebGPU" } else { "CPU" };
    assert_eq!(browser.text("#backend").await, faster, "{note}");

    // What is only emulated is not chosen where nobody asks for it, and what was chosen is remembered.
    browser.goto("?network=autoencoder").await;
    browser.ready().await;
    assert_eq!(browser.text("#backend").await, "CPU");
    let remembered = browser.value("localStorage.getItem('denoise-backend')").await;
    assert!(remembered.as_str().is_some_and(|text| text.starts_with("CPU ")), "{remembered}");
    browser.goto("?network=autoencoder").await;
    browser.ready().await;
    assert_eq!(browser.text("#backend").await, "CPU");
    assert_eq!(browser.value("localStorage.getItem('denoise-backend')").await, remembered, "it was tried again");
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn every_network_keeps_rate_channels_length_and_bits() {
    let [left, right] = [8, 9].map(|seed| mixture(44_100, 40_001, seed).1);
    let audio = Audio::new(44_100, vec![left, right]).unwrap();
    let browser = Browser::open("?backend=cpu").await;
    let file = browser.write("stereo.wav", &audio, Encoding::Pcm24);
    browser.ready().await;
    let mut results = Vec::new();
    for network in ["dcunet", "wavenet", "autoencoder"] {
        browser.select("#model", network).await;
        browser.wait_for_text("#status", &format!("Ready: {network}.")).await;
        if results.is_empty() {
            browser.pick(&[&file]).await;
        } else {
            // The same recording, by another network.
            browser.click("#again").await;
        }
        let denoised =
            format!("document.querySelector('.stage .note').textContent.startsWith('Denoised by {network}: 0.9 s')");
        browser.wait_for(&denoised).await;
        let (result, encoding) = browser.download_wav("stereo.denoised.wav").await;
        assert_eq!((result.sample_rate_hz(), result.channels().len()), (44_100, 2), "{network}");
        assert_eq!((result.len(), encoding), (40_001, Encoding::Pcm24), "{network}");
        results.push(result);
    }
    assert!(results[0] != results[1] && results[1] != results[2], "another network, the same result");
    assert_alike(&native("wavenet", &audio), &results[1], "page and native");
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn many_recordings_come_back_in_one_archive() {
    let browser = Browser::open("?backend=cpu&network=autoencoder").await;
    fs::create_dir(browser.folder.path().join("more")).unwrap();
    let audios = [noisy(30_000, 1), noisy(20_001, 2), noisy(9_000, 3)];
    let files: Vec<_> = ["one.wav", "two.wav", "more/one.wav"]
        .iter()
        .zip(&audios)
        .map(|(name, audio)| browser.write(name, audio, Encoding::Float32))
        .collect();
    browser.pick(&files.iter().map(std::path::PathBuf::as_path).collect::<Vec<_>>()).await;
    browser.wait_for("document.querySelectorAll('.takes li[data-state=done]').length === 3").await;
    let archive = browser.download("#archive", "denoised.zip").await;
    let mut archive = zip::ZipArchive::new(fs::File::open(archive).unwrap()).unwrap();
    for (name, audio) in ["one.denoised.wav", "two.denoised.wav", "one.denoised-2.wav"].iter().zip(&audios) {
        let mut bytes = Vec::new();
        io::copy(&mut archive.by_name(name).unwrap(), &mut bytes).unwrap();
        let (result, encoding) = read(bytes);
        assert_eq!(encoding, Encoding::Float32);
        assert_alike(&native("autoencoder", audio), &result, name);
    }
    assert_eq!(archive.len(), 3);

    // Any of them can be opened, and go.
    browser.click(".takes li:nth-child(2) .name").await;
    browser.wait_for_text(".stage .name", "two.wav").await;
    browser.click(".takes li:nth-child(2) button[aria-label='Remove two.wav']").await;
    browser.wait_for("document.querySelectorAll('.takes li').length === 2").await;
    browser.wait_for_text(".stage .name", "one.wav").await;
    assert_eq!(browser.text("#archive").await, "Download all 2 as one zip");
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn the_microphone_is_recorded() {
    // Chromium's fake microphone beeps.
    let browser = Browser::open("?backend=cpu&network=autoencoder").await;
    browser.ready().await;
    browser.click("#record").await;
    browser.wait_for_text("#record", "Stop").await;
    let loud = "document.querySelector('.meter > span').style.transform.match(/[.\\d]+/)?.[0] > 0.3";
    browser.wait_for(loud).await;
    browser.wait_for_text(".timer", "0:01").await;
    browser.click("#record").await;
    browser.state("done").await;
    assert_eq!(browser.text("#record").await, "Record");
    let name = browser.text(".stage .name").await;
    assert!(name.starts_with("Recording ") && name.ends_with(".webm"), "{name}");
    let seconds = browser.number("Number(document.querySelector('#picture').ariaValueMax)").await;
    assert!((0.7..20.0).contains(&seconds), "{seconds}");
    assert_eq!(browser.count(".stage .remark").await, 0, "it was taken for damaged");
    browser.voice(1).await;
    let (sound, _) = browser.download_wav(&name.replace(".webm", ".before.wav")).await;
    assert!(crate::sound::peak(&sound.channels()[0]) > 0.05, "nothing was recorded");
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn ten_runs_leave_the_engine_as_large_as_three() {
    let browser = Browser::open("?backend=cpu&network=autoencoder").await;
    let file = browser.write("again.wav", &noisy(48_000, 4), Encoding::Pcm16);
    let mut sizes = Vec::new();
    for run in 0..10 {
        browser.call("delete document.documentElement.dataset.engineBytes", vec![]).await;
        browser.pick(&[&file]).await;
        if run % 2 == 1 {
            // Some are given up as soon as they can be, and made after all.
            browser.call("document.querySelector('#stop')?.click()", vec![]).await;
            let over = "/done|failed/.test(document.querySelector('.stage')?.dataset.state)";
            browser.wait_for(over).await;
            browser.call("document.querySelector('#again')?.click()", vec![]).await;
        }
        browser.state_of("again.wav", "done").await;
        sizes.push(browser.wait_for("document.documentElement.dataset.engineBytes").await);
        browser.click("#remove").await;
        browser.wait_for("document.querySelector('.stage') === null").await;
    }
    assert_eq!(sizes[9], sizes[2], "{}", json!(sizes));
    browser.close().await;
}
