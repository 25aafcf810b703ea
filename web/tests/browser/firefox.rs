//! The page in Firefox.

use serde_json::json;

use crate::browser::Browser;

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn firefox_denoises_and_plays_an_example() {
    let Some(browser) = Browser::open_firefox("?network=autoencoder").await else { return };
    browser.ready().await;
    assert_eq!(browser.text("#backend").await, "CPU");
    browser.click("[data-example=tape]").await;
    browser.state_of("An old tape.wav", "done").await;
    browser.click("#play").await;
    browser.wait_for_text("#play", "Pause").await;
    let runs = "const done = arguments[0]; const context = new AudioContext();
        context.resume().then(() => done(true)); setTimeout(() => done(false), 3000);";
    if browser.client.execute_async(runs, vec![]).await.unwrap() == json!(true) {
        browser.wait_for("Number(document.querySelector('#picture').getAttribute('aria-valuenow')) > 0.3").await;
    } else {
        println!("LEFT OUT: Firefox plays nothing where there is no sound device");
    }
    let covered = crate::listen::picture(&browser, "#stage-spectrogram").await.covered;
    assert!(covered > 0.99, "{covered}");
    browser.voice(3).await;
    browser.screenshot("firefox").await;
    browser.close().await;
}
