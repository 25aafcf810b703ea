//! A static file server for one folder, on this machine only.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Result, anyhow};
use tiny_http::{Header, Request, Response, Server};

use crate::policy::POLICY;

/// Takes a port of this machine; 0 for any that is free.
///
/// # Errors
/// When the port is taken.
pub fn listen(port: u16) -> Result<Server> {
    Server::http(("127.0.0.1", port)).map_err(|error| anyhow!("cannot listen on port {port}: {error}"))
}

/// Where browsers report what they refused to do because of [`POLICY`].
pub const VIOLATIONS: &str = "/violations";

/// Serves `folder` until the program ends. `observe` sees every request before it is answered.
pub fn run(server: &Server, folder: &Path, observe: impl Fn(&mut Request)) {
    for mut request in server.incoming_requests() {
        observe(&mut request);
        // A browser that went away is none of our business.
        let _ = answer(folder, request);
    }
}

fn answer(folder: &Path, request: Request) -> std::io::Result<()> {
    let found = file(request.url()).and_then(|path| Some((fs::read(folder.join(&path)).ok()?, path)));
    let Some((content, path)) = found else {
        return request.respond(Response::from_string("not found").with_status_code(404));
    };
    let header = |name, value: &str| Header::from_bytes(name, value).expect("a header of ours is valid");
    // The page has the policy too; only a header covers the worker as well and has the browser report.
    let policy = format!("{POLICY}; report-uri {VIOLATIONS}");
    let response = Response::from_data(content)
        .with_header(header("Content-Type", kind(&path)))
        .with_header(header("Content-Security-Policy", &policy));
    request.respond(response)
}

/// The file that a URL means, relative to the served folder; none for what would lie outside.
fn file(url: &str) -> Option<PathBuf> {
    let path = url.split(['?', '#']).next().unwrap_or_default().trim_start_matches('/');
    let folder = path.is_empty() || path.ends_with('/');
    let path = Path::new(path);
    let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    inside.then(|| if folder { path.join("index.html") } else { path.to_path_buf() })
}

/// The media type of a file, by its name.
fn kind(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("wasm") => "application/wasm",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("wav") => "audio/wav",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::thread;

    use super::*;

    #[test]
    fn urls_name_files_of_the_folder() {
        let expect = |url, path: &str| assert_eq!(file(url), Some(path.into()), "{url}");
        expect("/", "index.html");
        expect("/?network=wavenet", "index.html");
        expect("/sub/", "sub/index.html");
        expect("/sub/?a#b", "sub/index.html");
        expect("/models/dcunet.zip", "models/dcunet.zip");
        assert_eq!(file("/../secret"), None);
        assert_eq!(file("/sub/../../secret"), None);
    }

    #[test]
    fn answers_say_what_they_are_and_what_is_allowed() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        fs::write(folder.path().join("sub/index.html"), "here").unwrap();
        fs::write(folder.path().join("manifest.webmanifest"), "{}").unwrap();
        let server = listen(0).unwrap();
        let address = server.server_addr().to_ip().unwrap();
        thread::spawn(move || run(&server, folder.path(), |_| ()));
        let get = |path: &str| {
            let mut connection = TcpStream::connect(address).unwrap();
            write!(connection, "GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            connection.read_to_string(&mut answer).unwrap();
            answer
        };
        let page = get("/sub/");
        assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("here"), "{page}");
        assert!(page.contains("text/html") && page.contains("default-src 'none'"), "{page}");
        assert!(page.contains("; report-uri /violations\r\n"), "{page}");
        assert!(get("/manifest.webmanifest").contains("application/manifest+json"));
        assert!(get("/elsewhere").starts_with("HTTP/1.1 404"));
    }
}
