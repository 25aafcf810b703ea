//! A browser with the page open, and the server that it comes from.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::key::Key;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use media::Encoding;
use serde_json::{Map, Value, json};
use shared::Audio;
use site::serve;
use tempfile::TempDir;
use url::{ParseError, Url};

use crate::sound;

/// What makes Chromium offer WebGPU where there is no graphics processor.
pub const SOFTWARE_WEBGPU: [&str; 3] =
    ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];

/// Long enough for SwiftShader on two slow cores.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How often it is looked whether something has happened.
const LOOK: Duration = Duration::from_millis(40);

/// A site of a browser's own, in its folder.
const OWN_SITE: &str = "site";

/// The built page on a port of this machine.
struct Site {
    address: String,
    server: Arc<tiny_http::Server>,
    thread: Option<JoinHandle<()>>,
    /// What the page, or its workers, were kept from doing: above all, reaching another origin.
    violations: Arc<Mutex<Vec<String>>>,
}

impl Site {
    fn start(folder: PathBuf) -> Self {
        assert!(folder.join("index.html").is_file(), "build the page first: cargo xtask build");
        let server = Arc::new(serve::listen(0).unwrap());
        let address = format!("http://{}/", server.server_addr());
        let violations = Arc::new(Mutex::new(Vec::new()));
        let thread = {
            let (server, seen) = (server.clone(), violations.clone());
            let observe = move |request: &mut tiny_http::Request| {
                if request.url() == serve::VIOLATIONS {
                    let mut report = String::new();
                    request.as_reader().read_to_string(&mut report).unwrap();
                    seen.lock().unwrap().push(report);
                }
            };
            thread::spawn(move || serve::run(&server, &folder, observe))
        };
        Self { address, server, thread: Some(thread), violations }
    }
}

/// The folder of the built page.
fn built() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join(env::var_os("SITE").unwrap_or("dist".into()))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// How a browser is opened.
#[derive(Default)]
pub struct Setup<'a> {
    /// More arguments for it.
    pub arguments: &'a [&'a str],
    /// What is asked of the page in its address.
    pub query: &'a str,
    /// A script that runs in every page before its own.
    pub before: &'a str,
    /// Whether it gets a copy of the site that may be changed: [`Browser::own_site`].
    pub own_site: bool,
}

/// A browser with the page open.
pub struct Browser {
    /// The way to it.
    pub client: Client,
    driver: Child,
    driver_address: String,
    session: String,
    site: Option<Site>,
    /// Where the page is.
    pub address: String,
    /// A folder that goes with the browser.
    pub folder: TempDir,
}

impl Browser {
    /// Chromium with the page open.
    pub async fn open(query: &str) -> Self {
        Self::open_with(Setup { query, ..Setup::default() }).await
    }

    /// Chromium with the page open, as `setup` says.
    pub async fn open_with(setup: Setup<'_>) -> Self {
        let folder = TempDir::new().unwrap();
        let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
        let mut arguments = vec![
            "--headless=new",
            "--no-sandbox",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--enable-precise-memory-info",
            "--use-fake-device-for-media-stream",
            "--window-size=1100,1000",
            &profile,
        ];
        if !setup.arguments.iter().any(|argument| argument.starts_with("--use-fake-ui")) {
            arguments.push("--use-fake-ui-for-media-stream");
        }
        arguments.extend(setup.arguments);
        let options = json!({
            "binary": env::var("BROWSER").expect("BROWSER names Chromium"),
            "args": arguments,
            "prefs": {
                "download.default_directory": folder.path().join("files"),
                "download.prompt_for_download": false,
                "profile.default_content_setting_values.automatic_downloads": 1,
            },
        });
        if setup.own_site {
            copy(&built(), &folder.path().join(OWN_SITE));
        }
        let driver = env::var("CHROMEDRIVER").expect("CHROMEDRIVER names chromedriver");
        let browser =
            Self::start(&driver, "started successfully on port", json!({"goog:chromeOptions": options}), folder).await;
        if !setup.before.is_empty() {
            browser.cdp("Page.addScriptToEvaluateOnNewDocument", json!({"source": setup.before})).await;
        }
        browser.goto(setup.query).await;
        browser
    }

    /// Firefox with the page open; none, and a word about it, where it is not named.
    pub async fn open_firefox(query: &str) -> Option<Self> {
        let (Ok(firefox), Ok(driver)) = (env::var("FIREFOX"), env::var("GECKODRIVER")) else {
            println!("LEFT OUT: FIREFOX and GECKODRIVER name no Firefox and no driver of it");
            return None;
        };
        let options = json!({
            "binary": firefox,
            "args": ["-headless"],
            "prefs": {"media.autoplay.default": 0, "dom.webgpu.enabled": false},
        });
        let capabilities = json!({"moz:firefoxOptions": options});
        let browser = Self::start(&driver, "Listening on", capabilities, TempDir::new().unwrap()).await;
        browser.goto(query).await;
        Some(browser)
    }

    async fn start(driver: &str, word: &str, capabilities: Value, folder: TempDir) -> Self {
        let (driver, driver_address) = start_driver(driver, word);
        let capabilities: Map<String, Value> = serde_json::from_value(capabilities).unwrap();
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://{driver_address}"))
            .await
            .unwrap();
        let session = client.session_id().await.unwrap().unwrap();
        let own = folder.path().join(OWN_SITE);
        let site = Site::start(if own.is_dir() { own } else { built() });
        let address = site.address.clone();
        Self { client, driver, driver_address, session, site: Some(site), address, folder }
    }

    /// The folder of a site of its own.
    pub fn own_site(&self) -> PathBuf {
        self.folder.path().join(OWN_SITE)
    }

    /// Opens the page with this query, anew.
    pub async fn goto(&self, query: &str) {
        self.client.goto(&format!("{}{query}", self.address)).await.unwrap();
        self.wait_for("document.documentElement.hasAttribute('data-ready')").await;
    }

    /// The value of an expression.
    pub async fn value(&self, expression: &str) -> Value {
        self.call(&format!("return {expression}"), vec![]).await
    }

    /// Runs a script with arguments.
    pub async fn call(&self, script: &str, arguments: Vec<Value>) -> Value {
        match self.client.execute(script, arguments).await {
            Ok(value) => value,
            Err(error) => panic!("{script}: {error}"),
        }
    }

    /// A number.
    pub async fn number(&self, expression: &str) -> f64 {
        let value = self.value(expression).await;
        value.as_f64().unwrap_or_else(|| panic!("{expression} is {value}, no number"))
    }

    /// What an element says.
    pub async fn text(&self, css: &str) -> String {
        let text = self.value(&format!("document.querySelector({css:?})?.textContent ?? null")).await;
        text.as_str().unwrap_or_else(|| panic!("there is no {css}")).to_owned()
    }

    /// How many elements there are.
    pub async fn count(&self, css: &str) -> usize {
        self.number(&format!("document.querySelectorAll({css:?}).length")).await as usize
    }

    /// Waits until an expression's value is neither false nor null nor nothing; that value.
    pub async fn wait_for(&self, expression: &str) -> Value {
        let started = Instant::now();
        loop {
            let value = self.value(expression).await;
            if !matches!(&value, Value::Null | Value::Bool(false)) && value != json!("") && value != json!(0) {
                return value;
            }
            if started.elapsed() > PATIENCE {
                self.screenshot("timeout").await;
                let page = self.value("document.body.innerText").await;
                panic!("{expression} is still {value}; the page says {page}");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until an element says just this.
    pub async fn wait_for_text(&self, css: &str, text: &str) {
        self.wait_for(&format!("document.querySelector({css:?})?.textContent === {text:?}")).await;
    }

    /// Waits until a network is loaded.
    pub async fn ready(&self) {
        self.wait_for("document.querySelector('#status')?.dataset.state === 'ready'").await;
    }

    /// Waits until the open recording is in this state.
    pub async fn state(&self, state: &str) {
        let script = format!("document.querySelector('.stage')?.dataset.state === {state:?}");
        let started = Instant::now();
        while !self.value(&script).await.as_bool().unwrap() {
            let failed = "document.querySelector('.stage[data-state=failed] > .note')?.textContent ?? null";
            let failed = self.value(failed).await;
            assert!(state == "failed" || failed.is_null(), "{failed}");
            if started.elapsed() > PATIENCE {
                self.wait_for(&script).await; // says what there is
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until the recording of this name is open and in this state.
    pub async fn state_of(&self, name: &str, state: &str) {
        self.wait_for_text(".stage .name", name).await;
        self.state(state).await;
    }

    /// Clicks as a hand does: on what can be seen and is not covered.
    pub async fn click(&self, css: &str) {
        let element = self.client.find(Locator::Css(css)).await.unwrap_or_else(|error| panic!("{css}: {error}"));
        element.click().await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Presses keys where the focus is.
    pub async fn keys(&self, keys: &str) {
        self.client.active_element().await.unwrap().send_keys(keys).await.unwrap();
    }

    /// Presses a key as a hand does, wherever the focus is: keys that are sent to a field for files name files.
    pub async fn press(&self, key: Key) {
        let value = char::from(key);
        let keys = KeyActions::new("keys".into()).then(KeyAction::Down { value }).then(KeyAction::Up { value });
        self.client.perform_actions(keys).await.unwrap();
    }

    /// Takes the focus from whatever has it.
    pub async fn blur(&self) {
        self.call("document.activeElement?.blur()", vec![]).await;
    }

    /// Chooses one of the voices.
    pub async fn voice(&self, number: usize) {
        self.blur().await;
        self.keys(&number.to_string()).await;
        self.wait_for(&format!("document.querySelector('.voices input:checked')?.value === '{number}'")).await;
    }

    /// Types a text in place of what a field holds.
    pub async fn overwrite(&self, css: &str, text: &str) {
        self.click(css).await;
        let [control, release] = [Key::Control, Key::Null].map(char::from);
        self.keys(&format!("{control}a{release}{text}")).await;
    }

    /// Chooses an option.
    pub async fn select(&self, css: &str, value: &str) {
        let element = self.client.find(Locator::Css(css)).await.unwrap();
        element.select_by_value(value).await.unwrap_or_else(|error| panic!("{css} {value}: {error}"));
    }

    /// Moves a slider.
    pub async fn slide(&self, css: &str, value: &str) {
        let script = "const slider = document.querySelector(arguments[0]); slider.value = arguments[1];
            slider.dispatchEvent(new InputEvent('input', {bubbles: true}));
            slider.dispatchEvent(new Event('change', {bubbles: true}));";
        self.call(script, vec![json!(css), json!(value)]).await;
    }

    /// Chooses files.
    pub async fn pick(&self, files: &[&Path]) {
        let files: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
        self.client.find(Locator::Id("file")).await.unwrap().send_keys(&files.join("\n")).await.unwrap();
    }

    /// Writes a recording into the browser's folder.
    pub fn write(&self, name: &str, audio: &Audio, encoding: Encoding) -> PathBuf {
        self.write_bytes(name, &sound::wav(audio, encoding))
    }

    /// Writes a file into the browser's folder.
    pub fn write_bytes(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Clicks, and waits for the file that comes.
    pub async fn download(&self, css: &str, name: &str) -> PathBuf {
        let path = self.folder.path().join("files").join(name);
        let _ = fs::remove_file(&path);
        self.click(css).await;
        let started = Instant::now();
        while !path.is_file() {
            if started.elapsed() > PATIENCE {
                let there: Vec<_> = fs::read_dir(path.parent().unwrap())
                    .map(|all| all.flatten().map(|file| file.file_name()).collect())
                    .unwrap_or_default();
                panic!("no {name} came, but {there:?}; the page says {}", self.value("document.body.innerText").await);
            }
            tokio::time::sleep(LOOK).await;
        }
        path
    }

    /// The download of the voice that is heard.
    pub async fn download_wav(&self, name: &str) -> (Audio, Encoding) {
        sound::read(fs::read(self.download(".stage .download", name).await).unwrap())
    }

    /// Chooses a file, waits for the result, downloads it.
    pub async fn denoise(&self, file: &Path) -> (Audio, Encoding) {
        self.pick(&[file]).await;
        self.state_of(file.file_name().unwrap().to_str().unwrap(), "done").await;
        self.download_wav(&format!("{}.denoised.wav", file.file_stem().unwrap().to_str().unwrap())).await
    }

    /// Waits for a notice with these words in it; all of its text.
    pub async fn notice(&self, words: &str) -> String {
        let script = format!(
            "[...document.querySelectorAll('.notices p')].map((p) => p.textContent).find((text) => text.includes({words:?}))"
        );
        self.wait_for(&script).await.as_str().unwrap().to_owned()
    }

    /// A command of Chromium's own protocol.
    pub async fn cdp(&self, method: &str, parameters: Value) -> Value {
        let command = Cdp(json!({"cmd": method, "params": parameters}));
        self.client.issue_cmd(command).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Keeps what the page looks like.
    pub async fn screenshot(&self, name: &str) {
        if let Some(folder) = env::var_os("SCREENSHOTS").map(PathBuf::from) {
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(format!("{name}.png")), self.client.screenshot().await.unwrap()).unwrap();
        }
    }

    /// The server is no more.
    pub fn stop_site(&mut self) {
        let mut site = self.site.take().unwrap();
        assert_eq!(*site.violations.lock().unwrap(), Vec::<String>::new());
        site.server.unblock();
        site.thread.take().unwrap().join().unwrap();
    }

    /// Closes the browser, after seeing that the page has kept to what it may do.
    pub async fn close(self) {
        let elsewhere = "performance.getEntriesByType('resource').map((entry) => entry.name)
            .filter((name) => !name.startsWith(location.origin) && !/^(blob|data):/.test(name))";
        assert_eq!(self.value(elsewhere).await, json!([]), "another origin was asked");
        let inline =
            "[...document.querySelectorAll('script:not([src]), style, [onclick], [onload]')].map((e) => e.outerHTML)";
        assert_eq!(self.value(inline).await, json!([]), "scripts and styles are files");
        assert!(self.client.get_all_cookies().await.unwrap().is_empty(), "a cookie was set");
        let Some(site) = &self.site else { return };
        assert_eq!(*site.violations.lock().unwrap(), Vec::<String>::new());
        // That would have been noticed:
        self.call("fetch('http://elsewhere.invalid/').catch(() => 0)", vec![]).await;
        let started = Instant::now();
        while !site.violations.lock().unwrap().iter().any(|report| report.contains("elsewhere.invalid")) {
            assert!(started.elapsed() < PATIENCE, "a request to another origin went unnoticed");
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Also when a test fails, driver and browser must go, and a driver that is killed leaves its browser behind.
        if let Ok(mut connection) = TcpStream::connect(&self.driver_address) {
            let _ = connection.set_read_timeout(Some(Duration::from_secs(10)));
            let host = &self.driver_address;
            let _ = write!(
                connection,
                "DELETE /session/{} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                self.session
            );
            let _ = connection.read(&mut [0; 64]);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

#[derive(Debug)]
struct Cdp(Value);

impl WebDriverCompatibleCommand for Cdp {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.0.to_string()))
    }
}

/// Starts a driver; it and its host and port.
fn start_driver(program: &str, word: &str) -> (Child, String) {
    let mut driver =
        Command::new(program).arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = lines.find_map(|line| {
        let line = line.unwrap();
        line.contains(word).then(|| line.trim_end_matches('.').rsplit([' ', ':']).next().unwrap().to_owned())
    });
    // Its later words go nowhere, but it must be able to say them.
    thread::spawn(move || lines.for_each(drop));
    (driver, format!("127.0.0.1:{}", port.expect("the driver says its port")))
}
