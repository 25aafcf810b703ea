//! The engine dies, as it does when the browser has no memory for it.

use media::Encoding;

use crate::browser::{Browser, Setup};
use crate::sound::{assert_alike, native, noisy};

/// Keeps every worker at hand, and a way to end the one that denoises.
const WORKERS: &str = "
    const workers = [];
    window.Worker = class extends Worker {
        constructor(address, ...rest) {
            super(address, ...rest);
            if (String(address).includes('worker')) workers.push(this);
        }
    };
    window.kill = () => {
        const worker = workers.at(-1);
        worker.terminate();
        worker.dispatchEvent(new ErrorEvent('error', {message: 'out of memory', cancelable: true}));
    };";

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn what_was_denoised_survives_the_engine() {
    let browser =
        Browser::open_with(Setup { query: "?backend=cpu&network=dcunet", before: WORKERS, ..Setup::default() }).await;
    let audio = noisy(640_000, 81);
    browser.ready().await;
    browser.pick(&[&browser.write("talk.wav", &audio, Encoding::Float32)]).await;
    let share = browser.wait_for("(document.querySelector('.stage progress')?.value ?? 0) > 0.45 && document.querySelector('.stage progress').value").await;
    browser.call("kill()", vec![]).await;
    let notice = browser.notice("The engine stopped").await;
    assert!(notice.contains("continues from where it stood"), "{notice}");
    let after = browser.number("document.querySelector('.stage progress').value").await;
    assert!(after >= share.as_f64().unwrap() - 0.15, "it began anew: {share}, then {after}");
    browser.state("done").await;
    let (result, _) = browser.download_wav("talk.denoised.wav").await;
    assert_alike(&native("dcunet", &audio), &result, "with and without a death");

    // When it dies with nothing to do, it is started again.
    browser.call("kill()", vec![]).await;
    browser.notice("was started again").await;
    browser.ready().await;
    let short = noisy(9_000, 82);
    let (result, _) = browser.denoise(&browser.write("good.wav", &short, Encoding::Float32)).await;
    assert_alike(&native("dcunet", &short), &result, "after a death");

    // An engine that dies of one recording again and again is not started for ever.
    browser.pick(&[&browser.write("deadly.wav", &audio, Encoding::Float32)]).await;
    let dying = "const end = setInterval(() => {
            if (document.querySelector('.stage').dataset.state === 'failed') clearInterval(end);
            else if (document.querySelector('.stage').dataset.state === 'busy') kill();
        }, 50)";
    browser.wait_for_text(".stage .name", "deadly.wav").await;
    browser.call(dying, vec![]).await;
    browser.state("failed").await;
    let note = browser.text(".stage .note").await;
    assert!(note.contains("The engine stopped"), "{note}");
    browser.close().await;
}
