//! Noise that is made, and scores.

use media::Encoding;
use serde_json::json;
use shared::metric::{si_sdr, snr, stoi, wsdr};
use shared::noise::{Chain, NoRecordings};
use shared::{Audio, synth};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::browser::Browser;
use crate::listen::{picture, picture_when};
use crate::sound::native;

fn clean(len: usize) -> Audio {
    Audio::mono(16_000, synth::speech(len, 16_000, &mut ChaCha8Rng::seed_from_u64(31))).unwrap()
}

/// A link to an experiment.
fn query(chain: &str, rest: &str) -> String {
    let chain: String = url::form_urlencoded::byte_serialize(chain.as_bytes()).collect();
    format!("?backend=cpu&task=experiment&noise={chain}{rest}")
}

/// The rows of the table: names and numbers.
async fn scores(browser: &Browser) -> Vec<(String, Vec<f64>)> {
    let script = "[...document.querySelectorAll('#scores tbody tr')].map((row) => [row.querySelector('th').textContent,
        [...row.querySelectorAll('td')].map((cell) => parseFloat(cell.textContent.replace('−', '-')))])";
    serde_json::from_value(browser.value(script).await).unwrap()
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn scores_are_those_of_native_code() {
    let audio = clean(40_000);
    let chain = r#"[{"kind":"white","snr_db":5}]"#;
    let browser = Browser::open(&query(chain, "&seed=7")).await;
    browser.pick(&[&browser.write("clean.wav", &audio, Encoding::Float32)]).await;
    browser.state_of("clean.wav", "done").await;
    let rows = scores(&browser).await;
    let names: Vec<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Noisy", "Deep Complex U-Net", "Denoising WaveNet", "Autoencoder (one layer)"]);

    let noisy = Chain::from_json(chain).unwrap().apply(&audio, 7, &NoRecordings).unwrap();
    for ((name, numbers), network) in rows.iter().zip([None, Some("dcunet"), Some("wavenet"), Some("autoencoder")]) {
        let estimate = network.map_or_else(|| noisy.clone(), |network| native(network, &noisy));
        let [clean, noisy, estimate] = [&audio, &noisy, &estimate].map(|audio| audio.channels()[0].as_slice());
        let expected = [
            snr(clean, estimate),
            si_sdr(clean, estimate),
            wsdr(noisy, clean, estimate),
            stoi(clean, estimate, 16_000).unwrap(),
        ];
        // They are rounded to a tenth and a thousandth.
        for ((expected, got), rounding) in expected.iter().zip(numbers).zip([0.05, 0.05, 0.0005, 0.0005]) {
            assert!((expected - got).abs() < rounding + 1e-2, "{name}: {got} on the page, {expected} natively");
        }
    }
    assert_eq!(browser.count("#scores tbody td.best").await, 4);

    // A picture of each, which opens it.
    assert_eq!(browser.count(".small .card").await, 5);
    let mut hashes = Vec::new();
    for index in 0..5 {
        let new = |seen: &crate::listen::Picture| seen.covered > 0.99 && !hashes.contains(&seen.hash);
        hashes.push(picture_when(&browser, &format!("#small-{index}-spectrogram"), new).await.hash);
        assert!(picture(&browser, &format!("#small-{index}-waveform")).await.covered > 0.01, "no waveform {index}");
    }
    browser.click(".small .card:nth-child(3)").await;
    browser.wait_for("document.querySelector('.voices input:checked').value === '3'").await;
    let (denoised, _) = browser.download_wav("clean.deep-complex-u-net.wav").await;
    crate::sound::assert_alike(&native("dcunet", &noisy), &denoised, "page and native");
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn a_threshold_is_drawn_where_it_would_be() {
    let browser = Browser::open("?backend=cpu&task=experiment").await;
    browser.pick(&[&browser.write("clean.wav", &clean(24_000), Encoding::Pcm16)]).await;
    browser.state_of("clean.wav", "done").await;
    browser.slide("#step-0-quantile", "0.3").await;
    assert_eq!(browser.text("label[for=step-0-quantile] output").await, "0.3");
    browser.wait_for("document.querySelector('.voices input:checked').value === '1'").await;
    let few = picture_when(&browser, "#stage-spectrogram", |seen| (0.05..0.6).contains(&seen.grey)).await;
    browser.slide("#step-0-quantile", "0.9").await;
    let many = picture_when(&browser, "#stage-spectrogram", |seen| seen.grey > few.grey + 0.2).await;
    println!("grey: {:.2}, then {:.2}", few.grey, many.grey);
    assert!(browser.value("location.search").await.as_str().unwrap().contains("quantile%22%3A0.9"));
    browser.voice(2).await;
    picture_when(&browser, "#stage-spectrogram", |seen| seen.grey < 0.01).await;
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn noise_is_edited_step_by_step_and_as_text() {
    let browser = Browser::open(&query(r#"[{"kind":"white","snr_db":5}]"#, "&seed=1")).await;
    browser.pick(&[&browser.write("clean.wav", &clean(16_000), Encoding::Pcm16)]).await;
    browser.state_of("clean.wav", "done").await;
    let kinds =
        async || browser.value("[...document.querySelectorAll('.steps li')].map((step) => step.dataset.kind)").await;
    let text = async || browser.value("JSON.parse(document.querySelector('#noise').value)").await;
    let is_ready = async || browser.value("document.querySelector('#make').disabled === false").await == json!(true);
    assert_eq!(kinds().await, json!(["white"]));
    assert!(!is_ready().await, "it is made already");
    let first = scores(&browser).await;

    // Another level, and made again.
    browser.slide("#step-0-snr_db", "20").await;
    browser.wait_for("document.querySelector('#make').disabled === false").await;
    assert_eq!(scores(&browser).await, first, "nothing happens before it is wanted");
    browser.click("#make").await;
    browser.wait_for("document.querySelector('#make').disabled === true").await;
    browser.state("done").await;
    let second = scores(&browser).await;
    assert!(second[0].1[0] > first[0].1[0] + 10.0, "{first:?} {second:?}");

    // Another seed gives other noise, and the first one the same again.
    let seed = async |seed: &str| {
        browser.overwrite("#seed", seed).await;
        browser.blur().await;
        browser.wait_for("document.querySelector('#make').disabled === false").await;
        browser.click("#make").await;
        browser.wait_for("document.querySelector('#make').disabled === true").await;
        browser.state("done").await;
        scores(&browser).await
    };
    let other = seed("99").await;
    assert!(other != second && (other[0].1[0] - second[0].1[0]).abs() < 0.2, "{second:?} {other:?}");
    assert_eq!(seed("1").await, second);

    // More steps, in another order, and fewer.
    browser.select("#add-step", "hum").await;
    browser.wait_for("document.querySelectorAll('.steps li').length === 2").await;
    assert_eq!(kinds().await, json!(["white", "hum"]));
    browser.click(".steps li:nth-child(2) button[aria-label$='one step earlier']").await;
    browser.wait_for("document.querySelector('.steps li').dataset.kind === 'hum'").await;
    assert_eq!(text().await.as_array().unwrap().len(), 2);
    browser.click(".steps li:nth-child(1) button[aria-label='Remove Mains hum']").await;
    browser.wait_for("document.querySelectorAll('.steps li').length === 1").await;
    assert!(!is_ready().await, "it is as it was");

    // As text: what is wrong with it is said where it stands.
    browser.click(".editor summary").await;
    browser.overwrite("#noise", r#"[{"kind":"humm"}]"#).await;
    let note = browser.wait_for("document.querySelector('#noise-note').textContent").await;
    let note = note.as_str().unwrap();
    assert!(note.contains("step 1") && note.contains("hum"), "{note}");
    assert_eq!(browser.value("document.querySelector('#noise').ariaInvalid").await, json!("true"));
    assert!(!is_ready().await, "what is no noise cannot be made");
    browser.overwrite("#noise", r#"[{"kind":"recording","path":"x.wav"}]"#).await;
    browser.wait_for("document.querySelector('#noise').ariaInvalid === 'true'").await;
    browser.overwrite("#noise", r#"[{"kind":"pink","snr_db":-3},{"kind":"clip","below_peak_db":12}]"#).await;
    browser.wait_for("document.querySelectorAll('.steps li').length === 2").await;
    assert_eq!(kinds().await, json!(["pink", "clip"]));
    browser.wait_for("document.querySelector('#noise').ariaInvalid === 'false'").await;
    assert_eq!(browser.text("#noise-note").await, "");
    let typing = "document.activeElement.id === 'noise' && document.querySelector('.editor details').open";
    assert_eq!(browser.value(typing).await, json!(true), "the field went away under the hands of who types");
    browser.click("#make").await;
    browser.wait_for("document.querySelector('#make').disabled === true").await;
    browser.state("done").await;
    assert!(scores(&browser).await[0].1[0] < 5.0);
    browser.close().await;
}
