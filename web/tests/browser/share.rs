//! Links, snippets, and pages of their own.

use std::fs;

use serde_json::json;

use crate::browser::Browser;

/// What a person sees of the settings.
const SEEN: &str = "({
    network: document.querySelector('#model')?.value ?? null,
    strength: document.querySelector('#strength')?.value ?? null,
    noise: document.querySelector('#noise')?.value ?? null,
    seed: document.querySelector('#seed')?.value ?? null,
    name: document.querySelector('.stage .name')?.textContent ?? null,
    voice: document.querySelector('.voices input:checked')?.value ?? null,
    times: [...document.querySelectorAll('.time')].map((mark) => mark.textContent),
    depth: document.querySelector('#depth')?.value ?? null,
    matched: document.querySelector('#matched')?.checked ?? null,
})";

/// Opens the address that the page has in a new window, where it must look the same.
async fn opens_alike(browser: &Browser) {
    let seen = browser.value(SEEN).await;
    let address = browser.value("location.href").await.as_str().unwrap().to_owned();
    let first = browser.client.window().await.unwrap();
    let second = browser.client.new_window(false).await.unwrap();
    browser.client.switch_to_window(second.handle).await.unwrap();
    browser.client.goto(&address).await.unwrap();
    browser.state("done").await;
    assert_eq!(browser.value(SEEN).await, seen, "{address}");
    assert_eq!(browser.value("location.href").await, json!(address));
    assert_eq!(browser.count(".notices p").await, 0);
    browser.client.close_window().await.unwrap();
    browser.client.switch_to_window(first).await.unwrap();
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn a_link_opens_the_page_as_it_is() {
    let browser = Browser::open("").await;
    browser.ready().await;
    browser.select("#model", "autoencoder").await;
    browser.click("[data-example=tape]").await;
    browser.state_of("An old tape.wav", "done").await;
    browser.slide("#strength", "12").await;
    browser.voice(3).await;
    browser.keys("+").await;
    browser.select("#depth", "24").await;
    browser.click("label:has(#matched)").await;
    let query = browser.wait_for("location.search.includes('levels') && location.search").await;
    for part in ["network=autoencoder", "strength=12", "example=tape", "voice=3", "window=", "depth=24", "levels=own"] {
        assert!(query.as_str().unwrap().contains(part), "{query} lacks {part}");
    }
    opens_alike(&browser).await;

    browser.click("#task-experiment").await;
    browser.wait_for("document.querySelector('[data-example=clean]') !== null").await;
    browser.click("[data-example=clean]").await;
    browser.state_of("A clean voice.wav", "done").await;
    browser.select("#add-step", "hum").await;
    browser.call("const seed = document.querySelector('#seed'); seed.value = 12; seed.dispatchEvent(new Event('change', {bubbles: true}))", vec![]).await;
    browser.click("#make").await;
    browser.wait_for("document.querySelector('#make').disabled").await;
    browser.state("done").await;
    browser.voice(4).await;
    let query = browser.wait_for("location.search.includes('voice=4') && location.search").await;
    for part in ["task=experiment", "noise=", "seed=12", "example=clean"] {
        assert!(query.as_str().unwrap().contains(part), "{query} lacks {part}");
    }
    opens_alike(&browser).await;
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn nonsense_in_a_link_is_told_and_left_out() {
    let browser = Browser::open("?strength=loud&noise=%5B%7B&seed=-1&network=opera&backend=cpu").await;
    browser.ready().await;
    for words in ["strength=loud", "noise=[{", "seed=-1", "“opera”"] {
        browser.notice(words).await;
    }
    assert_eq!(browser.value("document.querySelector('#model').value").await, json!("dcunet"));
    browser.click(".notices button").await;
    browser.wait_for("document.querySelectorAll('.notices p').length === 0").await;
    browser.goto("?%FF=%FE&x=<script>alert(1)</script>&task=%00&backend=cpu").await;
    browser.ready().await;
    browser.notice("denoise, experiment or live").await;
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn link_and_snippet_are_copied_or_shown() {
    let browser = Browser::open("?network=autoencoder&strength=9&example=tape&backend=cpu").await;
    browser.state("done").await;
    let address = browser.value("location.href").await.as_str().unwrap().to_owned();
    let origin = browser.address.trim_end_matches('/');
    let clipboard = async || {
        let read =
            "const done = arguments[0]; navigator.clipboard.readText().then(done, (error) => done(String(error)))";
        browser.client.execute_async(read, vec![]).await.unwrap().as_str().unwrap().to_owned()
    };
    let permissions = json!({"origin": origin, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]});
    browser.cdp("Browser.grantPermissions", permissions).await;
    browser.click("#copy-link").await;
    browser.notice("The link is copied.").await;
    assert_eq!(clipboard().await, address);
    browser.click("#copy-embed").await;
    browser.notice("The snippet is copied.").await;
    let snippet = clipboard().await;
    assert!(snippet.starts_with("<iframe src=\"http") && snippet.contains("&amp;embed=1\""), "{snippet}");

    // Where the browser does not allow it, one can copy it oneself.
    browser
        .call("navigator.clipboard.writeText = () => Promise.reject(new DOMException('no', 'NotAllowedError'))", vec![])
        .await;
    browser.click("#copy-link").await;
    let notice = browser.notice("does not let pages copy").await;
    assert!(notice.contains(&address), "{notice}");

    // The snippet, in a narrow page of somebody else's.
    let page = format!("<!doctype html><meta charset=utf-8><body style='margin:0;width:360px'>{snippet}");
    let page = browser.write_bytes("host.html", page.as_bytes());
    browser.client.goto(&format!("file://{}", page.display())).await.unwrap();
    browser.client.enter_frame(0).await.unwrap();
    browser.wait_for("document.documentElement.hasAttribute('data-ready')").await;
    browser.state_of("An old tape.wav", "done").await;
    assert_eq!(browser.number("innerWidth").await, 360.0);
    assert_eq!(browser.count("header").await, 0);
    assert_eq!(browser.value("document.querySelector('#strength').value").await, json!("9"));
    let overflow = browser.number("document.documentElement.scrollWidth - document.documentElement.clientWidth").await;
    assert!(overflow <= 0.0, "{overflow} px too wide");
    browser.click("#play").await;
    browser.wait_for("Number(document.querySelector('#picture').ariaValueNow) > 0.3").await;
    browser.client.clone().enter_parent_frame().await.unwrap();
    browser.goto("").await;
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn a_saved_page_needs_nothing_else() {
    let browser = Browser::open("?backend=cpu&task=experiment&example=clean").await;
    browser.state_of("A clean voice.wav", "done").await;
    let saved = browser.download("#save-page", "A clean voice.denoised.html").await;
    let scores = "[...document.querySelectorAll('table tbody td')].map((cell) => parseFloat(cell.textContent))";
    let expected = browser.value(scores).await;
    let size = fs::metadata(&saved).unwrap().len();
    println!("a saved page of {size} bytes");

    browser.client.goto(&format!("file://{}", saved.display()).replace(' ', "%20")).await.unwrap();
    assert_eq!(browser.value("document.querySelectorAll('audio').length").await, json!(5));
    browser
        .wait_for(
            "[...document.images].length === 10 && [...document.images].every((image) => image.naturalWidth > 60)",
        )
        .await;
    assert_eq!(browser.value(scores).await, expected);
    assert_eq!(browser.text("h1").await, "A clean voice.wav");
    browser.click(".play").await;
    browser.wait_for("[...document.querySelectorAll('audio')].every((audio) => audio.currentTime > 0.3)").await;
    browser.blur().await;
    browser.keys("4").await;
    browser.wait_for("[...document.querySelectorAll('audio')].findIndex((audio) => !audio.muted) === 3").await;
    let muted = browser.number("[...document.querySelectorAll('audio')].filter((audio) => audio.muted).length").await;
    assert_eq!(muted, 4.0);
    browser.keys(" ").await;
    browser.wait_for("[...document.querySelectorAll('audio')].every((audio) => audio.paused)").await;
    let fetched = "performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => !name.startsWith('data:'))";
    assert_eq!(browser.value(fetched).await, json!([]));
    browser.screenshot("saved-page").await;
    browser.goto("").await;
    browser.close().await;
}
