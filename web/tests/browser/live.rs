//! The microphone, live.

use crate::browser::Browser;

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn live_sound_flows_or_it_is_said_that_the_network_is_too_slow() {
    let browser = Browser::open("?backend=cpu&network=autoencoder&task=live").await;
    browser.ready().await;
    browser.wait_for("document.querySelector('#live').disabled === false").await;
    browser.click("#live").await;
    // In the first second it is not known yet how long the network takes.
    browser.wait_for("/% of the time|does not keep up/.test(document.querySelector('#live-note').textContent)").await;
    let note = browser.text("#live-note").await;
    println!("{note}");
    if browser.value("document.querySelector('.live').dataset.state").await == "on" {
        let numbers: Vec<f64> = note.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        assert!(note.contains("ms late") && note.contains("% of the time"), "{note}");
        assert!((10.0..5_000.0).contains(&numbers[0]) && numbers.len() == 2, "{note}");
        browser.wait_for("document.querySelector('.meter > span').style.transform.match(/[.\\d]+/)?.[0] > 0.3").await;
        assert_eq!(browser.text("#live").await, "Stop");
        browser.click("#live").await;
        browser.wait_for("document.querySelector('.live').dataset.state === 'off'").await;
    } else {
        assert!(note.contains("does not keep up"), "{note}");
    }
    assert_eq!(browser.text("#live").await, "Start");

    // Again; what else the page does ends it.
    browser.click("#live").await;
    browser.wait_for("document.querySelector('.live').dataset.state !== 'off'").await;
    browser.click("#task-denoise").await;
    browser.wait_for("document.querySelector('[data-example=tape]') !== null").await;
    browser.click("[data-example=tape]").await;
    browser.state_of("An old tape.wav", "done").await;
    browser.click("#task-live").await;
    browser.wait_for("document.querySelector('.live')?.dataset.state === 'off'").await;
    browser.close().await;
}
