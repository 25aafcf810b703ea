//! An hour.

use std::fs;

use media::{Encoding, Reader, Spec, Writer};

use crate::browser::Browser;
use crate::sound::mixture;

const RATE_HZ: u32 = 8_000;
const BLOCK_SECONDS: usize = 20;
const BLOCKS: usize = 180;

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn an_hour_is_heard_before_it_is_done_and_needs_no_memory_of_its_length() {
    let browser = Browser::open("?backend=cpu&network=autoencoder").await;
    let path = browser.folder.path().join("hour.wav");
    let block = [mixture(RATE_HZ, BLOCK_SECONDS * RATE_HZ as usize, 21).1];
    let file = std::io::BufWriter::new(fs::File::create(&path).unwrap());
    let (channels, channel_mask, encoding) = (1, None, Encoding::Pcm16);
    let spec = Spec { sample_rate_hz: RATE_HZ, channels, channel_mask, encoding, metadata: Default::default() };
    let mut writer = Writer::new(file, &spec, None).unwrap();
    (0..BLOCKS).for_each(|_| writer.write(&block).unwrap());
    writer.finish().unwrap();
    browser.ready().await;

    // It is heard and seen long before the end, and how long it will take is said.
    browser.pick(&[&path]).await;
    browser.wait_for("/\\d+ %, .* left/.test(document.querySelector('.stage .note')?.textContent)").await;
    let share = browser.number("document.querySelector('.stage progress').value").await;
    assert!(share < 0.9, "the test is of no use if it is done so soon");
    browser.blur().await;
    browser.keys(" ").await;
    browser.wait_for("Number(document.querySelector('#picture').ariaValueNow) > 0.4").await;
    assert_eq!(browser.value("document.querySelector('.stage').dataset.state").await, "busy");
    assert_eq!(browser.text(".clock").await.split(" / ").last(), Some("1:00:00.0"));
    browser.keys(" ").await;
    browser.wait_for(&format!("document.querySelector('.stage progress').value > {share} + 0.01")).await;

    // It can be given up, keeps what is there, and can be made after all.
    browser.click("#stop").await;
    browser.state("failed").await;
    assert_eq!(browser.text(".stage .note").await, "Stopped.");
    assert_eq!(browser.text("#again").await, "Try again");
    browser.click("#again").await;
    let mut heap: f64 = 0.0;
    while !browser.value("document.querySelector('.stage').dataset.state === 'done'").await.as_bool().unwrap() {
        heap = heap.max(browser.number("performance.memory.usedJSHeapSize").await);
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        assert_ne!(browser.value("document.querySelector('.stage').dataset.state").await, "failed");
    }
    let engine = browser.number("Number(document.documentElement.dataset.engineBytes)").await;
    println!(
        "an hour: {}; {:.0} MB of engine, {:.0} MB of page",
        browser.text(".stage .note").await,
        engine / 1e6,
        heap / 1e6
    );
    assert!(engine < 150e6, "the engine holds {engine} bytes");
    assert!(heap < 150e6, "the page's scripts hold {heap} bytes");

    // Anywhere in it is heard at once.
    browser.click("#picture").await;
    browser.keys(" ").await;
    browser.wait_for("Number(document.querySelector('#picture').ariaValueNow) > 1800.3").await;
    browser.keys(" ").await;
    let result = browser.download(".stage .download", "hour.denoised.wav").await;
    let reader = Reader::new(fs::File::open(result).unwrap()).unwrap();
    let length = (BLOCKS * BLOCK_SECONDS) as u64 * u64::from(RATE_HZ);
    assert_eq!((reader.format().length, reader.format().encoding), (Some(length), Encoding::Pcm16));
    browser.close().await;
}
