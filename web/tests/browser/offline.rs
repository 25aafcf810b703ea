//! The page without a network.

use shared::wav::Encoding;

use crate::browser::Browser;
use crate::sound::{assert_alike, native, noisy};

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn once_it_was_there_the_page_needs_no_network() {
    let mut browser = Browser::open("?backend=cpu&network=autoencoder").await;
    browser.wait_for_text("#offline", "Works without a network from now on.").await;
    browser.stop_site();
    browser.goto("?backend=cpu&network=wavenet&strength=40").await;
    browser.ready().await;
    assert_eq!(browser.value("document.querySelector('#model').value").await, "wavenet");
    let audio = noisy(16_000, 61);
    browser.pick(&[&browser.write("talk.wav", &audio, Encoding::Float32)]).await;
    browser.state_of("talk.wav", "done").await;
    browser.slide("#strength", "41").await;
    let (result, _) = browser.download_wav("talk.denoised.wav").await;
    assert_alike(&native("wavenet", &audio), &result, "page and native");
    browser.goto("?example=tape&backend=cpu&network=autoencoder").await;
    browser.state_of("An old tape.wav", "done").await;
    browser.close().await;
}
