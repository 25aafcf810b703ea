//! The page for everybody: by keyboard, on narrow screens, in either colour scheme, with reduced motion.

use std::{env, fs};

use fantoccini::key::Key;
use media::Encoding;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::sound::noisy;

const NARROW: u32 = 360;
const WIDTHS: [u32; 3] = [NARROW, 768, 1200];

/// What axe-core finds wrong: the rule, and where.
const AXE: &str = "const [tags, done] = arguments;
    axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']}).then(
        ({violations}) => done(violations.map(({id, nodes}) =>
            `${id}: ` + nodes.map((node) => `${node.target.join(' ')} (${node.failureSummary})`).join('; '))),
        (error) => done([String(error)]))";

/// Sets the width of the screen, as high as the page.
async fn resize(browser: &Browser, width: u32) {
    let metrics = |height: u32| json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
    browser.cdp("Emulation.setDeviceMetricsOverride", metrics(900)).await;
    browser.wait_for(&format!("innerWidth === {width}")).await;
    let height = browser.number("document.documentElement.scrollHeight").await as u32;
    browser.cdp("Emulation.setDeviceMetricsOverride", metrics(height.clamp(600, 5000))).await;
    // Pictures are drawn anew for another width.
    let drawn = "[...document.querySelectorAll('canvas.spectrogram')].every((canvas) => canvas.width === Math.max(64, canvas.clientWidth))";
    browser.wait_for(drawn).await;
}

/// Looks at the page as it is, in every scheme and width; what is wrong with it.
async fn look(browser: &Browser, name: &str) -> Vec<String> {
    let axe = fs::read_to_string(env::var("AXE").expect("AXE names axe.min.js")).unwrap();
    browser.call(&axe, vec![]).await;
    let tags = json!(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]);
    let mut wrong = Vec::new();
    for scheme in ["light", "dark"] {
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        browser.cdp("Emulation.setEmulatedMedia", media).await;
        for width in WIDTHS {
            resize(browser, width).await;
            browser.screenshot(&format!("{name}-{width}-{scheme}")).await;
            let wide =
                browser.number("document.documentElement.scrollWidth - document.documentElement.clientWidth").await;
            if wide > 0.0 {
                wrong.push(format!("{name}, {width}: {wide} px too wide"));
            }
            if width != 768 {
                let found = browser.client.execute_async(AXE, vec![tags.clone()]).await.unwrap();
                let found: Vec<String> = serde_json::from_value(found).unwrap();
                wrong.extend(found.into_iter().map(|it| format!("{name}, {width}, {scheme}: {it}")));
            }
        }
    }
    browser.cdp("Emulation.setEmulatedMedia", json!({"features": []})).await;
    browser.cdp("Emulation.clearDeviceMetricsOverride", json!({})).await;
    wrong
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn nothing_keeps_people_from_using_any_state_of_the_page() {
    let browser = Browser::open("?backend=cpu&network=autoencoder").await;
    browser.ready().await;
    let mut wrong = look(&browser, "empty").await;

    browser.click("[data-example=tape]").await;
    browser.state_of("An old tape.wav", "done").await;
    browser.click(".network summary").await;
    wrong.extend(look(&browser, "done").await);

    let [bad, good] =
        [browser.write_bytes("bad.wav", b"no sound"), browser.write("good.wav", &noisy(8_000, 1), Encoding::Pcm16)];
    browser.pick(&[&good, &bad]).await;
    browser.state_of("bad.wav", "failed").await;
    wrong.extend(look(&browser, "failed").await);

    browser.goto("?backend=cpu&task=experiment&example=clean&strength=x").await;
    browser.state("done").await;
    browser.click(".editor summary").await;
    wrong.extend(look(&browser, "experiment").await);

    browser.goto("?backend=cpu&network=autoencoder&task=live").await;
    browser.ready().await;
    wrong.extend(look(&browser, "live").await);

    browser.goto("?backend=cpu&network=autoencoder&embed=1&example=cafe").await;
    browser.state("done").await;
    wrong.extend(look(&browser, "embed").await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    browser.close().await;
}

/// Goes on by Tab until what is focused matches, and sees that every step on the way is visible.
async fn tab_to(browser: &Browser, css: &str) {
    let look = "const at = document.activeElement;
        if (at === document.body) return ['body', true, false];
        // Some show it on what is around them.
        const shows = [at, ...at.closest('.choice, .choose') ? [at.closest('.choice, .choose')] : []].some((element) => {
            const {outlineStyle, outlineWidth} = getComputedStyle(element);
            return outlineStyle !== 'none' && parseFloat(outlineWidth) > 0;
        });
        return [at.id || at.outerHTML.slice(0, 90), shows, at.matches(arguments[0])];";
    let mut way = Vec::new();
    for _ in 0..60 {
        browser.press(Key::Tab).await;
        let seen = browser.call(look, vec![json!(css)]).await;
        assert_eq!(seen[1], json!(true), "the focus on {} cannot be seen", seen[0]);
        if seen[2] == json!(true) {
            return;
        }
        way.push(seen[0].clone());
    }
    panic!("Tab does not lead to {css}: {}", Value::from(way));
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn the_keyboard_is_enough() {
    let browser = Browser::open("?backend=cpu").await;
    browser.ready().await;
    let key = |key: Key| char::from(key).to_string();
    let enter = key(Key::Enter);
    tab_to(&browser, "#file").await;
    tab_to(&browser, "[data-example=tape]").await;
    browser.keys(&enter).await;
    browser.state_of("An old tape.wav", "done").await;
    tab_to(&browser, "#model").await;
    browser.keys("Auto").await;
    browser.wait_for("document.querySelector('#model').value === 'autoencoder'").await;
    browser.wait_for("document.querySelector('#again') !== null").await;
    browser.wait_for_text("#status", "Ready: autoencoder.").await;
    tab_to(&browser, "#play").await;
    browser.keys(" ").await;
    browser.wait_for("Number(document.querySelector('#picture').ariaValueNow) > 0.2").await;
    tab_to(&browser, ".voices input").await;
    browser.keys(&key(Key::Right)).await;
    browser.wait_for("document.querySelector('.voices input:checked').value === '3'").await;
    browser.keys(&key(Key::Left)).await;
    browser.wait_for("document.querySelector('.voices input:checked').value === '2'").await;
    tab_to(&browser, "#strength").await;
    browser.keys(&key(Key::Left)).await;
    browser.wait_for_text(".strength output", "by 40 dB at most").await;
    tab_to(&browser, "#picture").await;
    browser.keys(&key(Key::Home)).await;
    tab_to(&browser, "#zoom-in").await;
    browser.keys(" ").await;
    browser.wait_for("document.querySelector('#whole').disabled === false").await;
    tab_to(&browser, "#again").await;
    browser.keys(&enter).await;
    browser.wait_for("document.querySelector('.stage .note').textContent.startsWith('Denoised by autoencoder')").await;
    tab_to(&browser, ".download").await;
    let path = browser.folder.path().join("files/An old tape.denoised.wav");
    browser.keys(&enter).await;
    let started = std::time::Instant::now();
    while !path.is_file() {
        assert!(started.elapsed().as_secs() < 30, "no file came");
        tokio::time::sleep(std::time::Duration::from_millis(40)).await;
    }
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn nothing_moves_where_that_is_not_wanted() {
    let browser = Browser::open("?backend=cpu&network=autoencoder").await;
    let moving = "[...document.querySelectorAll('*')].filter((element) => {
            const {transitionDuration, animationName} = getComputedStyle(element);
            return /[1-9]/.test(transitionDuration) || animationName !== 'none';
        }).length";
    assert!(browser.number(moving).await > 0.0, "there is nothing to be left out");
    let media = json!({"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]});
    browser.cdp("Emulation.setEmulatedMedia", media).await;
    assert_eq!(browser.number(moving).await, 0.0);
    browser.close().await;
}
