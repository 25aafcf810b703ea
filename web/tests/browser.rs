//! The built page in a real browser, with WebGPU (computed by SwiftShader) and without.
//!
//! Needs the page in `dist`, and Chromium and chromedriver named in `BROWSER` and `CHROMEDRIVER`: `cargo xtask test` sees to
//! that. With `SCREENSHOTS` set to a folder, what the page looks like is kept there.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use fantoccini::{Client, ClientBuilder, Locator};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use shared::metric::si_sdr;
use shared::wav::{self, Encoding};
use shared::{Audio, Bundle, Denoiser, noise, synth};
use tempfile::TempDir;
use xtask::serve;

const SOFTWARE_WEBGPU: [&str; 3] =
    ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];

/// Long enough for SwiftShader on two slow cores.
const PATIENCE: Duration = Duration::from_secs(240);

/// A browser with the page open.
struct Browser {
    client: Client,
    driver: Child,
    downloads: TempDir,
    /// What the page, or its worker, was kept from doing: above all, reaching another origin.
    violations: Arc<Mutex<Vec<String>>>,
}

impl Browser {
    async fn open(arguments: &[&str], query: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf();
        assert!(root.join("dist/index.html").is_file(), "build the page first: cargo xtask build");
        let server = serve::listen(0).unwrap();
        let address = format!("http://{}/", server.server_addr());
        let violations = Arc::new(Mutex::new(Vec::new()));
        let seen = violations.clone();
        let observe = move |request: &mut tiny_http::Request| {
            if request.url() == serve::VIOLATIONS {
                let mut report = String::new();
                request.as_reader().read_to_string(&mut report).unwrap();
                seen.lock().unwrap().push(report);
            }
        };
        thread::spawn(move || serve::run(&server, &root.join("dist"), observe));

        let downloads = TempDir::new().unwrap();
        let (driver, driver_address) = start_driver();
        let profile = format!("--user-data-dir={}", downloads.path().join("profile").display());
        let mut all = vec![
            "--headless=new",
            "--no-sandbox",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            "--window-size=1100,1000",
            &profile,
        ];
        all.extend(arguments);
        let options = json!({
            "binary": env::var("BROWSER").expect("BROWSER names Chromium"),
            "args": all,
            "prefs": {"download.default_directory": downloads.path().join("files"), "download.prompt_for_download": false},
        });
        let capabilities = [("goog:chromeOptions".to_owned(), options)].into_iter().collect();
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&driver_address)
            .await
            .unwrap();
        client.goto(&format!("{address}{query}")).await.unwrap();
        Self { client, driver, downloads, violations }
    }

    /// Waits until a script's value is `expected`.
    async fn wait(&self, script: &str, expected: &str) {
        let started = Instant::now();
        loop {
            let value = self.value(script).await;
            if value == json!(expected) {
                return;
            }
            if started.elapsed() > PATIENCE {
                self.screenshot("timeout").await;
                panic!(
                    "{script} is {value}, not {expected}; the page says {}",
                    self.value("document.body.innerText").await
                );
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn value(&self, expression: &str) -> Value {
        self.client.execute(&format!("return {expression}"), vec![]).await.unwrap()
    }

    async fn wait_until_ready(&self) {
        self.wait("document.querySelector('#status').dataset.state", "ready").await;
    }

    async fn pick(&self, file: &Path) {
        self.client.find(Locator::Id("file")).await.unwrap().send_keys(file.to_str().unwrap()).await.unwrap();
    }

    /// Picks a file, waits for the result, downloads it.
    async fn denoise(&self, file: &Path) -> (Audio, Encoding) {
        self.pick(file).await;
        self.wait("document.querySelector('article').dataset.state", "done").await;
        self.client.find(Locator::Css("article .download")).await.unwrap().click().await.unwrap();
        let stem = file.file_stem().unwrap().to_str().unwrap();
        let path = self.downloads.path().join("files").join(format!("{stem}.denoised.wav"));
        let started = Instant::now();
        while !path.is_file() {
            assert!(started.elapsed() < PATIENCE, "no {} came", path.display());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let result = wav::decode(fs::File::open(&path).unwrap()).unwrap();
        fs::remove_file(path).unwrap();
        result
    }

    async fn screenshot(&self, name: &str) {
        if let Some(folder) = env::var_os("SCREENSHOTS").map(PathBuf::from) {
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(format!("{name}.png")), self.client.screenshot().await.unwrap()).unwrap();
        }
    }

    /// Closes the browser, after seeing that nothing has tried to leave for another origin.
    async fn close(mut self) {
        assert_eq!(*self.violations.lock().unwrap(), Vec::<String>::new());
        // That would have been noticed:
        self.client.execute("fetch('http://elsewhere.invalid/').catch(() => 0)", vec![]).await.unwrap();
        let started = Instant::now();
        while !self.violations.lock().unwrap().iter().any(|report| report.contains("elsewhere.invalid")) {
            assert!(started.elapsed() < PATIENCE, "a request to another origin went unnoticed");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.client.clone().close().await.unwrap();
        self.driver.kill().unwrap();
        self.driver.wait().unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Also when a test fails, the driver and its browser must go.
        let _ = self.driver.kill();
    }
}

fn start_driver() -> (Child, String) {
    let program = env::var("CHROMEDRIVER").expect("CHROMEDRIVER names chromedriver");
    let mut driver = Command::new(program).arg("--port=0").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let started = lines.find_map(|line| {
        let line = line.unwrap();
        line.contains("started successfully on port")
            .then(|| line.trim_end_matches('.').rsplit(' ').next().unwrap().to_owned())
    });
    // Its later words go nowhere, but it must be able to say them.
    thread::spawn(move || lines.for_each(drop));
    (driver, format!("http://127.0.0.1:{}", started.expect("chromedriver says its port")))
}

/// Speech-like sound of an odd length, and the same with white noise at 3 dB.
fn mixture(sample_rate_hz: u32, len: usize, seed: u64) -> (Vec<f32>, Vec<f32>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let clean = synth::speech(len, sample_rate_hz, &mut rng);
    let noisy = noise::mix(&clean, &noise::white(len, &mut rng), 3.0).unwrap();
    (clean, noisy)
}

fn write(folder: &Path, name: &str, audio: &Audio, encoding: Encoding) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, wav::encode(audio, encoding).unwrap()).unwrap();
    path
}

/// Largest difference, as a share of the largest value of `expected`.
fn relative_difference(expected: &[f32], got: &[f32]) -> f32 {
    assert_eq!(expected.len(), got.len());
    let peak = |values: &mut dyn Iterator<Item = f32>| values.fold(0.0, |peak: f32, value| peak.max(value.abs()));
    peak(&mut expected.iter().zip(got).map(|(a, b)| a - b)) / peak(&mut expected.iter().copied())
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn both_backends_denoise_and_agree_with_each_other_and_with_native() {
    let folder = TempDir::new().unwrap();
    let (clean, noisy) = mixture(16_000, 31_417, 7);
    let audio = Audio::mono(16_000, noisy.clone()).unwrap();
    let file = write(folder.path(), "noisy.wav", &audio, Encoding::Float32);
    let before = si_sdr(&clean, &noisy);

    let cpu = Browser::open(&[], "").await;
    cpu.wait_until_ready().await;
    assert_eq!(cpu.value("document.querySelector('#backend').textContent").await, json!("CPU"));
    cpu.screenshot("ready").await;
    let (on_cpu, encoding) = cpu.denoise(&file).await;
    cpu.screenshot("done").await;
    cpu.close().await;

    assert_eq!((on_cpu.sample_rate_hz(), on_cpu.channels().len()), (16_000, 1));
    assert_eq!((on_cpu.len(), encoding), (noisy.len(), Encoding::Float32));
    let after = si_sdr(&clean, &on_cpu.channels()[0]);
    println!("SI-SDR {before:.2} → {after:.2} dB on the CPU");
    assert!(after >= before + 3.0, "SI-SDR {before:.2} → {after:.2} dB");

    let gpu = Browser::open(&SOFTWARE_WEBGPU, "?backend=webgpu").await;
    gpu.wait_until_ready().await;
    assert_eq!(gpu.value("document.querySelector('#backend').textContent").await, json!("WebGPU"));
    let (on_gpu, _) = gpu.denoise(&file).await;
    gpu.close().await;
    let difference = relative_difference(&on_cpu.channels()[0], &on_gpu.channels()[0]);
    println!("WebGPU and CPU differ by {difference:.2e} of the peak");
    assert!(difference < 1e-3, "WebGPU and CPU differ by {difference}");

    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/dcunet.zip");
    let bundle = Bundle::from_bytes(&fs::read(bundle).unwrap()).unwrap();
    let native = Denoiser::<burn::backend::Flex>::new(&bundle, Default::default()).unwrap();
    let native = pollster::block_on(native.denoise(&audio, |_| ())).unwrap();
    let difference = relative_difference(&native.channels()[0], &on_cpu.channels()[0]);
    println!("native and page differ by {difference:.2e} of the peak");
    assert!(difference < 1e-3, "native and page differ by {difference}");
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn software_webgpu_is_not_chosen_and_every_network_runs() {
    let folder = TempDir::new().unwrap();
    let (_, left) = mixture(44_100, 40_001, 8);
    let (_, right) = mixture(44_100, 40_001, 9);
    let audio = Audio::new(44_100, vec![left, right]).unwrap();
    let file = write(folder.path(), "stereo.wav", &audio, Encoding::Pcm24);

    let browser = Browser::open(&SOFTWARE_WEBGPU, "").await;
    browser.wait_until_ready().await;
    assert_eq!(browser.value("document.querySelector('#backend').textContent").await, json!("CPU"));
    let mut results = Vec::new();
    for model in ["dcunet", "wavenet", "autoencoder"] {
        let chooser = browser.client.find(Locator::Id("model")).await.unwrap();
        chooser.select_by_value(model).await.unwrap();
        browser.wait("document.querySelector('#status').textContent", &format!("Ready: {model}.")).await;
        let (result, encoding) = browser.denoise(&file).await;
        let note = browser.value("document.querySelector('article .note').textContent").await;
        assert!(note.as_str().unwrap().starts_with(&format!("Denoised by {model}:")), "{note}");
        assert_eq!((result.sample_rate_hz(), result.channels().len()), (44_100, 2), "{model}");
        assert_eq!((result.len(), encoding), (40_001, Encoding::Pcm24), "{model}");
        results.push(result);
    }
    browser.screenshot("three").await;
    assert!(results[0] != results[1] && results[1] != results[2], "another network, the same result");
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn says_what_is_wrong_and_goes_on() {
    let folder = TempDir::new().unwrap();
    let browser = Browser::open(&["--use-fake-ui-for-media-stream=deny"], "?backend=cpu").await;
    browser.wait_until_ready().await;
    for (name, content) in
        [("empty.wav", b"".as_slice()), ("zip.wav", b"PK\x03\x04 is no sound"), ("note.txt", b"hello")]
    {
        let file = folder.path().join(name);
        fs::write(&file, content).unwrap();
        browser.pick(&file).await;
        browser.wait("document.querySelector('article .name').textContent", name).await;
        browser.wait("document.querySelector('article').dataset.state", "failed").await;
        let note = browser.value("document.querySelector('article .note').textContent").await;
        assert!(note.as_str().unwrap().contains("no sound that can be read"), "{name}: {note}");
    }
    let huge = folder.path().join("huge.wav");
    fs::File::create(&huge).unwrap().set_len(1_700_000_000).unwrap();
    browser.pick(&huge).await;
    browser.wait("document.querySelector('article .name').textContent", "huge.wav").await;
    browser.wait("document.querySelector('article').dataset.state", "failed").await;
    let note = browser.value("document.querySelector('article .note').textContent").await;
    assert!(note.as_str().unwrap().contains("too long"), "{note}");
    browser.client.find(Locator::Id("record")).await.unwrap().click().await.unwrap();
    browser.wait("document.querySelector('#input-note').textContent.slice(0, 14)", "The microphone").await;
    browser.screenshot("failed").await;
    let (_, noisy) = mixture(16_000, 9_000, 3);
    let file = write(folder.path(), "good.wav", &Audio::mono(16_000, noisy).unwrap(), Encoding::Pcm16);
    let (result, _) = browser.denoise(&file).await;
    assert_eq!(result.len(), 9_000);

    // WebGPU where there is none: says so, and how to go on.
    let none = Browser::open(&[], "?backend=webgpu").await;
    none.wait("document.querySelector('#status').dataset.state", "failed").await;
    let status = none.value("document.querySelector('#status').textContent").await;
    assert!(status.as_str().unwrap().contains("WebGPU cannot be used here"), "{status}");
    none.close().await;
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn records_from_the_microphone() {
    // Chromium's fake microphone beeps.
    let browser = Browser::open(&[], "?backend=cpu").await;
    browser.wait_until_ready().await;
    let button = browser.client.find(Locator::Id("record")).await.unwrap();
    button.click().await.unwrap();
    browser.wait("document.querySelector('#record').textContent", "Stop").await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    button.click().await.unwrap();
    browser.wait("document.querySelector('article')?.dataset.state ?? ''", "done").await;
    let seconds = browser.value("document.querySelector('article .after').duration").await;
    assert!(seconds.as_f64().is_some_and(|seconds| (0.5..5.0).contains(&seconds)), "{seconds}");
    browser.close().await;
}

#[tokio::test]
#[ignore = "needs the built page and a browser: run by `cargo xtask test`"]
async fn makes_noise_from_a_chain_and_says_what_is_wrong_with_it() {
    let folder = TempDir::new().unwrap();
    let (clean, _) = mixture(22_050, 30_011, 5);
    let audio = Audio::mono(22_050, clean).unwrap();
    let file = write(folder.path(), "clean.wav", &audio, Encoding::Float32);
    // Not the STFT corruptions: the phase of a coefficient that is almost 0 is a matter of rounding, until it is raised.
    let json = r#"[{"kind":"hum","snr_db":10},{"kind":"pink","snr_db":15}]"#;
    let query: String = url::form_urlencoded::byte_serialize(json.as_bytes()).collect();
    let browser = Browser::open(&[], &format!("?backend=cpu&noise={query}")).await;
    browser.wait_until_ready().await;
    assert_eq!(browser.value("document.querySelector('#noise').value").await, json!(json));
    let (on_page, encoding) = browser.denoise(&file).await;
    browser.screenshot("noise").await;
    let note = browser.value("document.querySelector('article .note').textContent").await;
    assert!(note.as_str().unwrap().ends_with("Noise was added before."), "{note}");
    assert_eq!(encoding, Encoding::Float32);

    let noisy = noise::Chain::from_json(json).unwrap().apply(&audio, 1, &noise::NoRecordings).unwrap();
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/dcunet.zip");
    let bundle = Bundle::from_bytes(&fs::read(bundle).unwrap()).unwrap();
    let native = Denoiser::<burn::backend::Flex>::new(&bundle, Default::default()).unwrap();
    let native = pollster::block_on(native.denoise(&noisy, |_| ())).unwrap();
    let difference = relative_difference(&native.channels()[0], &on_page.channels()[0]);
    assert!(difference < 1e-3, "native and page differ by {difference}");

    // A chain that is none is refused where it stands, and the recording waits for a better one.
    let field = browser.client.find(Locator::Id("noise")).await.unwrap();
    field.clear().await.unwrap();
    field.send_keys(r#"[{"kind":"humm"}]"#).await.unwrap();
    let note = browser.value("document.querySelector('#noise-note').textContent").await;
    assert!(note.as_str().unwrap().contains("step 1") && note.as_str().unwrap().contains("hum"), "{note}");
    assert_eq!(browser.value("document.querySelector('#noise').ariaInvalid").await, json!("true"));
    browser.pick(&file).await;
    browser.wait("document.querySelector('article').dataset.state", "failed").await;
    let example = browser.client.find(Locator::Id("noise-example")).await.unwrap();
    example.select_by_index(0).await.unwrap();
    browser.client.find(Locator::Css("article .again")).await.unwrap().click().await.unwrap();
    browser.wait("document.querySelector('article').dataset.state", "done").await;
    let note = browser.value("document.querySelector('article .note').textContent").await;
    assert!(!note.as_str().unwrap().contains("Noise was added"), "{note}");
    browser.close().await;
}
