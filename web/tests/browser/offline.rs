//! The page without a network.

use std::fs;
use std::path::Path;

use media::Encoding;

use crate::browser::{Browser, Setup};
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

/// Makes another version of a site: other words in it, and whatever `change` does to the list of its files.
fn update(site: &Path, version: &str, change: impl Fn(&str) -> String) {
    let rewrite = |name: &str, change: &dyn Fn(&str) -> String| {
        let path = site.join(name);
        let old = fs::read_to_string(&path).unwrap();
        let new = change(&old);
        assert_ne!(old, new, "{name} is as it was");
        fs::write(path, new).unwrap();
    };
    rewrite("models.json", &|list| list.replace("Deep Complex U-Net", version).replace("broken", version));
    rewrite("sw.js", &|worker| {
        change(&worker.replacen("const VERSION = \"", &format!("const VERSION = \"{version}"), 1))
    });
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn an_update_replaces_all_of_the_page_or_nothing() {
    let query = "?backend=cpu&network=autoencoder";
    let browser = Browser::open_with(Setup { query, own_site: true, ..Setup::default() }).await;
    let title = "document.querySelector('#model option')?.textContent";
    let old = "Deep Complex U-Net";
    browser.wait_for_text("#offline", "Works without a network from now on.").await;
    browser.wait_for("navigator.serviceWorker.controller !== null").await;

    // One file of it is not to be had: nothing changes.
    update(&browser.own_site(), "broken", |worker| {
        worker.replacen("const FILES = [", "const FILES = [\"missing.js\",", 1)
    });
    browser.goto(query).await;
    let look = "navigator.serviceWorker.getRegistration().then((it) => it.update()).then(() => true, () => true)";
    assert_eq!(browser.value(look).await, true);
    browser.wait_for("navigator.serviceWorker.getRegistration().then((it) => !it.installing && !it.waiting)").await;
    browser.ready().await;
    assert_eq!(browser.value(title).await, old);

    // All of it is there: once no page is open that uses the old one, it is used.
    update(&browser.own_site(), "Another", |worker| worker.replacen("\"missing.js\",", "", 1));
    browser.goto(query).await;
    assert_eq!(browser.value(look).await, true);
    browser.wait_for("navigator.serviceWorker.getRegistration().then((it) => it.waiting !== null)").await;
    browser.ready().await;
    assert_eq!(browser.value(title).await, old);
    browser.client.goto("about:blank").await.unwrap();
    let started = std::time::Instant::now();
    loop {
        browser.goto(query).await;
        browser.ready().await;
        if browser.value(title).await == "Another" {
            break;
        }
        assert!(started.elapsed() < crate::browser::PATIENCE, "the update is not used");
        browser.client.goto("about:blank").await.unwrap();
    }
    browser.close().await;
}
