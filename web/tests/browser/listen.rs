//! Hearing and seeing a recording.

use std::cell::Cell;
use std::time::Instant;

use fantoccini::key::Key;
use media::Encoding;
use serde_json::{Value, json};
use shared::Audio;

use crate::browser::{Browser, Setup};
use crate::sound::{assert_alike, mixture, native};

/// Listens to what the page plays, and counts what it asks of the engine.
const EARS: &str = "
    const ears = [];
    const connect = AudioNode.prototype.connect;
    AudioNode.prototype.connect = function (node, ...rest) {
        if (node instanceof AudioDestinationNode) {
            if (!node.ear) {
                node.ear = new AnalyserNode(node.context, {fftSize: 8192});
                ears.push(node.ear);
            }
            connect.call(this, node.ear);
        }
        return connect.call(this, node, ...rest);
    };
    window.heard = () => Math.max(0, ...ears.map((ear) => {
        const samples = new Float32Array(ear.fftSize);
        ear.getFloatTimeDomainData(samples);
        return Math.hypot(...samples) / Math.sqrt(samples.length);
    }));
    window.asked = 0;
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (message, ...rest) {
        if (String(message[0]).includes('\"denoise\"')) window.asked += 1;
        return post.call(this, message, ...rest);
    };";

/// Where it plays, in seconds.
const POSITION: &str = "Number(document.querySelector('#picture').ariaValueNow)";

/// What is on a canvas: a number that changes with it, how many pixels are covered, and how bright each third is.
const PICTURE: &str = "const canvas = document.querySelector(arguments[0]);
    const {data, width, height} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let [hash, covered, grey] = [0, 0, 0];
    const bright = [0, 0, 0];
    for (let i = 0; i < data.length; i += 4) {
        hash = (hash * 31 + data[i] + 7 * data[i + 1] + 13 * data[i + 2] + 17 * data[i + 3]) % 1e9;
        covered += data[i + 3] > 0;
        grey += data[i + 3] > 0 && data[i] === data[i + 1] && data[i] === data[i + 2];
        bright[Math.floor(i / 4 % width / width * 3)] += data[i + 1] * data[i + 3] / 255;
    }
    return {hash, covered: covered / (width * height), grey: grey / (width * height),
        bright: bright.map((sum) => 3 * sum / (width * height))};";

/// What is on a canvas.
pub struct Picture {
    /// Changes with it.
    pub hash: f64,
    /// The share of pixels that are covered.
    pub covered: f64,
    /// The share that is grey.
    pub grey: f64,
    /// How bright each third is, 0 to 255.
    pub bright: Vec<f64>,
}

/// What is on a canvas.
pub async fn picture(browser: &Browser, css: &str) -> Picture {
    let seen = browser.call(PICTURE, vec![json!(css)]).await;
    let number = |value: &Value| value.as_f64().unwrap();
    Picture {
        hash: number(&seen["hash"]),
        covered: number(&seen["covered"]),
        grey: number(&seen["grey"]),
        bright: seen["bright"].as_array().unwrap().iter().map(number).collect(),
    }
}

/// Waits until a canvas shows what is wanted.
pub async fn picture_when(browser: &Browser, css: &str, wanted: impl Fn(&Picture) -> bool) -> Picture {
    let started = Instant::now();
    loop {
        let seen = picture(browser, css).await;
        if wanted(&seen) {
            return seen;
        }
        let (covered, bright) = (seen.covered, seen.bright);
        assert!(started.elapsed().as_secs() < 30, "{css} does not show it: {covered} covered, brightness {bright:?}");
        tokio::time::sleep(std::time::Duration::from_millis(40)).await;
    }
}

/// What is on a canvas once it has not changed for half a second.
async fn picture_settled(browser: &Browser, css: &str) -> Picture {
    let last = Cell::new((f64::NAN, Instant::now()));
    let settled = |seen: &Picture| {
        let (hash, since) = last.get();
        if seen.hash != hash {
            last.set((seen.hash, Instant::now()));
        }
        seen.covered > 0.99 && seen.hash == hash && since.elapsed().as_millis() >= 500
    };
    picture_when(browser, css, settled).await
}

/// Two seconds that are quiet, and four that are loud, but not so loud that they cannot be made louder.
fn quiet_then_loud() -> Audio {
    let (_, mut noisy) = mixture(16_000, 96_000, 11);
    noisy.iter_mut().for_each(|sample| *sample *= 0.25);
    noisy[..32_000].iter_mut().for_each(|sample| *sample *= 0.05);
    Audio::mono(16_000, noisy).unwrap()
}

/// A browser with [`EARS`] and a recording that is done.
async fn open(network: &str) -> (Browser, Audio) {
    let query = format!("?backend=cpu&network={network}");
    let browser = Browser::open_with(Setup { query: &query, before: EARS, ..Setup::default() }).await;
    let audio = quiet_then_loud();
    let file = browser.write("talk.wav", &audio, Encoding::Float32);
    browser.pick(&[&file]).await;
    browser.state_of("talk.wav", "done").await;
    (browser, audio)
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn voices_change_in_place_while_it_plays() {
    let (browser, _) = open("autoencoder").await;
    browser.blur().await;
    let watch = "window.seen = []; const look = () => {
            seen.push([document.querySelector('#picture').ariaValueNow, document.querySelector('#play').textContent]);
            requestAnimationFrame(look); }; look();";
    browser.keys(" ").await;
    browser.wait_for(&format!("{POSITION} > 0")).await;
    browser.call(watch, vec![]).await;
    for (voice, by_key) in [(1, true), (3, false), (2, true), (1, false), (3, true), (2, false)] {
        let here = browser.number(POSITION).await;
        if by_key {
            browser.voice(voice).await;
        } else {
            browser.click(&format!(".voices label:nth-of-type({voice})")).await;
            browser.wait_for(&format!("document.querySelector('.voices input:checked').value === '{voice}'")).await;
        }
        browser.wait_for(&format!("{POSITION} > {here} + 0.2")).await;
    }
    let seen = browser.value("seen.map(([position, text]) => [Number(position), text])").await;
    let mut before = 0.0;
    for moment in seen.as_array().unwrap() {
        let position = moment[0].as_f64().unwrap();
        assert!(position >= before, "it jumped from {before} back to {position}: {seen}");
        before = position;
    }
    assert!(seen.as_array().unwrap().iter().all(|moment| moment[1] == json!("Pause")), "it stopped in between: {seen}");

    // To the end, where it stops, and from there from the start again.
    browser.wait_for_text("#play", "Play").await;
    assert_eq!(browser.number(POSITION).await, 6.0);
    browser.blur().await;
    browser.keys(" ").await;
    browser.wait_for(&format!("{POSITION} > 0 && {POSITION} < 3")).await;
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn keys_and_clicks_move_in_time() {
    let (browser, _) = open("autoencoder").await;
    let at = async |seconds: f64| {
        browser.wait_for(&format!("Math.abs({POSITION} - {seconds}) < 0.06")).await;
    };
    let key = |key: Key| char::from(key).to_string();
    browser.click("#picture").await;
    at(3.0).await;
    browser.keys(&key(Key::Right)).await;
    at(4.0).await;
    browser.keys(&key(Key::Left)).await;
    browser.keys(&key(Key::Left)).await;
    at(2.0).await;
    browser.keys(&key(Key::End)).await;
    at(6.0).await;
    browser.keys(&key(Key::Home)).await;
    at(0.0).await;
    browser.keys(&key(Key::Left)).await;
    at(0.0).await;
    assert_eq!(browser.text(".position").await, "0.0");
    assert_eq!(browser.text(".clock").await, "0.0 / 6.0");

    // Space plays and pauses, and pausing keeps the place.
    browser.keys(" ").await;
    browser.wait_for(&format!("{POSITION} > 0.3")).await;
    browser.keys(" ").await;
    browser.wait_for_text("#play", "Play").await;
    let here = browser.number(POSITION).await;
    browser.keys(&key(Key::Right)).await;
    at(here + 1.0).await;
    // While it plays, it goes on from the new place.
    browser.click("#play").await;
    browser.wait_for_text("#play", "Pause").await;
    browser.keys(&key(Key::Right)).await;
    browser.wait_for(&format!("{POSITION} > {here} + 2.1")).await;
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn strength_changes_what_comes_without_the_engine() {
    let (browser, audio) = open("autoencoder").await;
    let result = native("autoencoder", &audio);
    let mix = |before: f32, after: f32| {
        let pairs = audio.channels()[0].iter().zip(&result.channels()[0]);
        Audio::mono(16_000, pairs.map(|(x, y)| before * x + after * y).collect()).unwrap()
    };
    assert_alike(&result, &browser.download_wav("talk.denoised.wav").await.0, "all of it");
    let asked = browser.number("asked").await;
    assert_eq!(asked, 1.0);
    for (db, kept) in [("6", 10f32.powf(-0.3)), ("20", 0.1), ("0", 1.0)] {
        browser.slide("#strength", db).await;
        browser.wait_for_text(".strength output", &format!("by {db} dB at most")).await;
        assert!(browser.value("location.search").await.as_str().unwrap().contains(&format!("strength={db}")));
        browser.voice(2).await;
        let (after, _) = browser.download_wav("talk.denoised.wav").await;
        assert_alike(&mix(kept, 1.0 - kept), &after, &format!("after, at {db} dB"));
        if kept < 1.0 {
            browser.voice(3).await;
            let (removed, _) = browser.download_wav("talk.removed.wav").await;
            assert_alike(&mix(1.0 - kept, kept - 1.0), &removed, &format!("removed, at {db} dB"));
        }
    }
    browser.voice(1).await;
    assert_alike(&audio, &browser.download_wav("talk.before.wav").await.0, "before");
    assert_eq!(browser.number("asked").await, asked, "the engine was asked again");
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn voices_are_heard_equally_loud_unless_that_is_not_wanted() {
    let (browser, audio) = open("autoencoder").await;
    // The level of a second from the middle on, of every voice, in this order.
    let levels = async || {
        let mut levels = Vec::new();
        for voice in [1, 2, 3] {
            browser.voice(voice).await;
            browser.click("#picture").await;
            browser.keys(" ").await;
            browser.wait_for(&format!("{POSITION} > 3.9")).await;
            let level = browser.number("heard()").await;
            browser.keys(" ").await;
            browser.wait_for_text("#play", "Play").await;
            levels.push(level);
        }
        levels
    };
    let result = native("autoencoder", &audio);
    let removed: Vec<f32> = audio.channels()[0].iter().zip(&result.channels()[0]).map(|(x, y)| x - y).collect();
    let rms = [&audio.channels()[0], &result.channels()[0], &removed].map(|samples| shared::audio::rms(samples));
    assert_eq!(browser.value("document.querySelector('#matched').checked").await, json!(true));
    let matched = levels().await;
    browser.click("label:has(#matched)").await;
    browser.wait_for("location.search.includes('levels=own')").await;
    let own = levels().await;
    assert!(own[0] > 0.003, "nothing was heard: {own:?}");
    for voice in 1..3 {
        let wanted = f64::from(rms[0] / rms[voice]).log10() * 20.0;
        let got = 20.0 * ((matched[voice] / own[voice]).log10() - (matched[0] / own[0]).log10());
        // Not the same moment is heard each time.
        assert!((wanted - got).abs() < 4.0, "voice {voice} was raised by {got:.1} dB, not {wanted:.1} dB");
    }
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn pictures_show_what_is_heard_and_can_be_zoomed() {
    let (browser, _) = open("wavenet").await;
    let mut hashes = Vec::new();
    // The voice that is shown first is the last that is asked for: the picture before it may be there for a moment longer.
    browser.voice(2).await;
    let first = picture_settled(&browser, "#stage-spectrogram").await.hash;
    for voice in [1, 3, 2] {
        browser.voice(voice).await;
        let of_voice = |seen: &Picture| {
            let new = seen.hash != first && !hashes.contains(&seen.hash);
            seen.covered > 0.99 && if voice == 2 { seen.hash == first } else { new }
        };
        let spectrogram = picture_when(&browser, "#stage-spectrogram", of_voice).await;
        let bright = spectrogram.bright;
        assert!(bright[2] > bright[0] + 20.0, "voice {voice}: the loud part is no brighter: {bright:?}");
        assert!(spectrogram.grey < 0.01);
        hashes.push(spectrogram.hash);
        let waveform = picture(&browser, "#stage-waveform").await;
        assert!(waveform.covered > 0.01 && waveform.bright[2] > 2.0 * waveform.bright[0], "voice {voice}: no waveform");
    }

    // What is seen, in seconds: by the address, and by the marks.
    let becomes = async |from: f64, to: f64, what: &str| {
        let script =
            "const [from, to] = (new URLSearchParams(location.search).get('window') ?? '0,6').split(',').map(Number);
            const marks = [...document.querySelectorAll('.time')].map((mark) => Number(mark.textContent));
            return [from, to, marks[0], marks.at(-1)];";
        let started = Instant::now();
        loop {
            let seen: Vec<f64> = serde_json::from_value(browser.call(script, vec![]).await).unwrap();
            let near = |a: f64, b: f64, most: f64| (a - b).abs() <= most;
            // The playhead is where a pixel is, and marks are at round numbers.
            if near(seen[0], from, 0.02)
                && near(seen[1], to, 0.02)
                && near(seen[2], from, 0.5)
                && near(seen[3], to, 0.5)
            {
                break;
            }
            assert!(started.elapsed().as_secs() < 20, "{what}: {seen:?}, not {from} to {to}");
            tokio::time::sleep(std::time::Duration::from_millis(40)).await;
        }
    };
    becomes(0.0, 6.0, "all").await;
    assert_eq!(browser.value("document.querySelector('#later').disabled").await, json!(true));
    let whole = picture(&browser, "#stage-spectrogram").await.hash;
    browser.click("#picture").await; // zooming goes to the playhead
    browser.click("#zoom-in").await;
    becomes(1.5, 4.5, "zoom in").await;
    picture_when(&browser, "#stage-spectrogram", |seen| seen.hash != whole).await;
    browser.click("#later").await;
    becomes(3.0, 6.0, "later").await;
    browser.click("#later").await;
    becomes(3.0, 6.0, "there is nothing later").await;
    browser.click("#earlier").await;
    becomes(1.5, 4.5, "earlier").await;
    browser.click("#zoom-out").await;
    becomes(0.0, 6.0, "zoom out").await;
    browser.blur().await;
    browser.keys("+").await;
    becomes(1.5, 4.5, "the key +").await;
    browser.keys("+").await;
    becomes(2.25, 3.75, "the key + again").await;
    browser.keys("-").await;
    becomes(1.5, 4.5, "the key -").await;
    browser.keys("0").await;
    becomes(0.0, 6.0, "the key 0").await;
    browser.keys("+").await;
    browser.click("#whole").await;
    becomes(0.0, 6.0, "all again").await;
    picture_when(&browser, "#stage-spectrogram", |seen| seen.hash == whole).await;
    let frequencies = browser.value("[...document.querySelectorAll('.frequency')].map((m) => m.textContent)").await;
    assert_eq!(frequencies, json!(["0 Hz", "2 kHz", "4 kHz", "6 kHz", "8 kHz"]));
    browser.close().await;
}
