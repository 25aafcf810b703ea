//! Networks that people bring.

use std::fs;
use std::io::{Cursor, Read, Write};

use media::Encoding;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::browser::Browser;
use crate::sound::{assert_alike, bundle, native, noisy};

/// A bundle with other numbers in its configuration.
fn with_config(bytes: &[u8], change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut old = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut new = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..old.len() {
        let mut file = old.by_index(index).unwrap();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        let name = file.name().unwrap().into_owned();
        if name == "config.json" {
            let mut config = serde_json::from_slice(&content).unwrap();
            change(&mut config);
            content = serde_json::to_vec(&config).unwrap();
        }
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        new.start_file(name, options).unwrap();
        new.write_all(&content).unwrap();
    }
    new.finish().unwrap().into_inner()
}

/// Doubles every whole number, at any depth.
fn double(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_u64() => *value = json!(2 * number.as_u64().unwrap()),
        Value::Array(values) => values.iter_mut().for_each(double),
        Value::Object(fields) => fields.values_mut().for_each(double),
        _ => {}
    }
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn a_bundle_of_ones_own_is_used_and_a_broken_one_refused() {
    let browser = Browser::open("?backend=cpu&network=wavenet").await;
    browser.ready().await;
    let bytes = fs::read(bundle("autoencoder")).unwrap();
    let audio = noisy(20_000, 51);
    let networks = "[...document.querySelectorAll('#model option')].map((option) => option.value)";
    let site = browser.value(networks).await;

    let mut cut = bytes.clone();
    cut.truncate(bytes.len() / 2);
    let wider = with_config(&bytes, |config| double(&mut config["network"]));
    let newer = with_config(&bytes, |config| config["version"] = json!(99));
    let huge = with_config(&bytes, |config| (0..24).for_each(|_| double(&mut config["network"])));
    for (name, content) in [
        ("garbage", b"PK\x03\x04 no bundle".as_slice()),
        ("nothing", b""),
        ("cut", &cut),
        ("wider", &wider),
        ("newer", &newer),
        ("huge", &huge),
        // Named as the network that is in use, which stays.
        ("wavenet", &cut),
    ] {
        browser.pick(&[&browser.write_bytes(&format!("{name}.zip"), content)]).await;
        let notice = browser.notice(&format!("“{name}” was not added.")).await;
        println!("{notice}");
        assert!(notice.contains("The network could not be loaded: "), "{notice}");
        browser.ready().await;
        assert_eq!(browser.value(networks).await, site, "{name}");
        assert_eq!(browser.value("document.querySelector('#model').value").await, json!("wavenet"), "{name}");
    }
    let (result, _) = browser.denoise(&browser.write("talk.wav", &audio, Encoding::Float32)).await;
    assert_alike(&native("wavenet", &audio), &result, "after broken bundles");

    browser.pick(&[&browser.write_bytes("mine.zip", &bytes)]).await;
    browser.wait_for_text("#status", "Ready: mine.").await;
    assert_eq!(browser.value("document.querySelector('#model').value").await, json!("mine"));
    assert_eq!(browser.count("#model option").await, 4);
    browser.click("#again").await;
    browser.wait_for("document.querySelector('.stage .note').textContent.startsWith('Denoised by mine')").await;
    let (result, _) = browser.download_wav("talk.denoised.wav").await;
    assert_alike(&native("autoencoder", &audio), &result, "by one's own bundle");
    browser.close().await;
}
