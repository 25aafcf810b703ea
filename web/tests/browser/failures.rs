//! What goes wrong, and that the page works on afterwards.

use std::fs;
use std::io::Write;

use media::Encoding;
use serde_json::json;
use shared::Audio;

use crate::browser::{Browser, Setup};
use crate::sound::{assert_alike, native, noisy, peak, wav};

/// A WAV file whose header promises so many bytes of 16-bit stereo at 44.1 kHz.
fn header(bytes: u32) -> Vec<u8> {
    let audio = Audio::new(44_100, vec![vec![0.0]; 2]).unwrap();
    let mut header = wav(&audio, Encoding::Pcm16);
    header.truncate(header.len() - 4);
    let end = header.len();
    header[4..8].copy_from_slice(&(bytes + end as u32 - 8).to_le_bytes());
    header[end - 4..].copy_from_slice(&bytes.to_le_bytes());
    header
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn says_what_is_wrong_with_a_file_and_goes_on() {
    let browser = Browser::open("?backend=cpu&network=autoencoder").await;
    browser.ready().await;
    let good = noisy(9_000, 71);
    let whole = wav(&good, Encoding::Float32);
    let mut not_finite = whole.clone();
    let end = not_finite.len();
    not_finite[end - 400..end - 396].copy_from_slice(&f32::NAN.to_le_bytes());
    let unreadable = "This file has no sound that can be read (";
    for (name, content, words) in [
        ("empty.wav", b"".as_slice(), "There is no sound in this file"),
        ("zip.wav", b"PK\x03\x04 is no sound", unreadable),
        ("note.txt", b"hello", unreadable),
        ("cut.wav", &whole[..30], unreadable),
        ("header.wav", &header(0), "There is no sound in this file"),
        ("no-number.wav", &not_finite, "no finite numbers"),
    ] {
        browser.pick(&[&browser.write_bytes(name, content)]).await;
        browser.state_of(name, "failed").await;
        let note = browser.text(".stage .note").await;
        assert!(note.contains(words), "{name}: {note}");
        assert_eq!(browser.text("#again").await, "Try again");
        browser.click("#remove").await;
        browser.wait_for("document.querySelector('.stage') === null").await;
    }
    for (name, start, words) in
        [("zeros.wav", Vec::new(), unreadable), ("huge.wav", header(2_000_000_000), "This recording is too long")]
    {
        let path = browser.folder.path().join(name);
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(&start).unwrap();
        file.set_len(2_000_000_000 + start.len() as u64).unwrap();
        browser.pick(&[&path]).await;
        browser.state_of(name, "failed").await;
        let note = browser.text(".stage .note").await;
        assert!(note.contains(words), "{name}: {note}");
    }

    // What is cut short in its samples is used as far as it goes, and silence stays silent.
    let (result, _) = browser.denoise(&browser.write_bytes("short.wav", &whole[..whole.len() - 4 * 4_000])).await;
    assert_eq!(result.len(), 5_000);
    let remark = browser.text(".stage .remark").await;
    assert_eq!(remark, "This recording is damaged at 0:00.3 (the file is cut off here).");
    let silence = Audio::mono(16_000, vec![0.0; 20_000]).unwrap();
    let (result, _) = browser.denoise(&browser.write("silence.wav", &silence, Encoding::Pcm16)).await;
    assert_eq!((result.len(), peak(&result.channels()[0])), (20_000, 0.0));
    let (result, _) = browser.denoise(&browser.write_bytes("good.wav", &whole)).await;
    assert_alike(&native("autoencoder", &good), &result, "after all that");
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn says_what_is_missing_and_goes_on() {
    let arguments = ["--use-fake-ui-for-media-stream=deny"];
    let query = "?backend=webgpu";
    let browser = Browser::open_with(Setup { arguments: &arguments, query, ..Setup::default() }).await;
    // WebGPU where there is none: says so, and what to do.
    browser.wait_for("document.querySelector('#status').dataset.state === 'failed'").await;
    let status = browser.text("#status").await;
    assert!(status.contains("WebGPU cannot be used here") && status.contains("backend=webgpu"), "{status}");

    // A microphone that is refused.
    browser.goto("?backend=cpu&network=autoencoder").await;
    browser.ready().await;
    browser.click("#record").await;
    browser.notice("The browser did not allow the microphone.").await;
    assert_eq!(browser.text("#record").await, "Record");
    browser.click("#task-live").await;
    browser.wait_for("document.querySelector('#live') !== null").await;
    browser.click("#live").await;
    browser.wait_for("document.querySelector('.live').dataset.state === 'failed'").await;
    let note = browser.text("#live-note").await;
    assert!(note.contains("did not allow the microphone"), "{note}");
    browser.click("#task-denoise").await;
    browser.wait_for("document.querySelector('#file') !== null").await;
    let good = noisy(9_000, 72);
    let (result, _) = browser.denoise(&browser.write("good.wav", &good, Encoding::Float32)).await;
    assert_alike(&native("autoencoder", &good), &result, "after all that");
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn without_storage_all_goes_on() {
    let before = "const refuse = () => { throw new DOMException('full', 'QuotaExceededError'); };
        Storage.prototype.setItem = refuse;
        Storage.prototype.getItem = refuse;
        Object.defineProperty(window, 'caches', {get: refuse});";
    let browser = Browser::open_with(Setup { before, query: "?network=autoencoder", ..Setup::default() }).await;
    browser.ready().await;
    assert_eq!(browser.text("#backend").await, "CPU");
    let good = noisy(9_000, 73);
    let (result, _) = browser.denoise(&browser.write("good.wav", &good, Encoding::Float32)).await;
    assert_alike(&native("autoencoder", &good), &result, "without storage");
    assert_eq!(browser.count(".notices p").await, 0);
    browser.close().await;

    let before =
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }});";
    let browser = Browser::open_with(Setup { before, query: "?network=autoencoder", ..Setup::default() }).await;
    browser.ready().await;
    assert_eq!(browser.count(".notices p").await, 0);
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn a_page_behind_others_finishes() {
    let browser = Browser::open("?backend=cpu&network=dcunet").await;
    browser.ready().await;
    browser.pick(&[&browser.write("talk.wav", &noisy(320_000, 74), Encoding::Pcm16)]).await;
    browser.wait_for("document.querySelector('.stage progress')?.value > 0").await;
    // The tab in front hears from the one behind it.
    let tell = "new MutationObserver(() => {
            const state = document.querySelector('.stage')?.dataset.state;
            localStorage.setItem('behind', `${document.visibilityState} ${state}`);
        }).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});";
    browser.call(tell, vec![]).await;
    let behind = browser.client.window().await.unwrap();
    let front = browser.client.new_window(true).await.unwrap();
    browser.client.switch_to_window(front.handle).await.unwrap();
    browser.client.goto(&format!("{}icon.svg", browser.address)).await.unwrap();
    browser.wait_for("localStorage.getItem('behind') === 'hidden done'").await;
    browser.client.close_window().await.unwrap();
    browser.client.switch_to_window(behind).await.unwrap();
    browser.state("done").await;
    assert_eq!(browser.value("document.visibilityState").await, json!("visible"));
    browser.close().await;
}
