//! A static file server for one folder, on this machine only.

use std::fs;
use std::path::{Component, Path};

use anyhow::{Result, anyhow};
use tiny_http::{Header, Request, Response, Server};

/// Takes a port of this machine; 0 for any that is free.
///
/// # Errors
/// When the port is taken.
pub fn listen(port: u16) -> Result<Server> {
    Server::http(("127.0.0.1", port)).map_err(|error| anyhow!("cannot listen on port {port}: {error}"))
}

/// Where browsers report what they refused to do because of [`POLICY`].
pub const VIOLATIONS: &str = "/violations";

/// What the page may do: nothing reaches another origin.
pub const POLICY: &str = "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'self'; \
                      img-src 'self' data:; media-src 'self' blob:; report-uri /violations";

/// Serves `folder` until the program ends. `observe` sees every request before it is answered.
pub fn run(server: &Server, folder: &Path, observe: impl Fn(&mut Request)) {
    for mut request in server.incoming_requests() {
        observe(&mut request);
        // A browser that went away is none of our business.
        let _ = answer(folder, request);
    }
}

fn answer(folder: &Path, request: Request) -> std::io::Result<()> {
    let path = request.url().split(['?', '#']).next().unwrap_or_default().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    match inside.then(|| fs::read(folder.join(path))) {
        Some(Ok(content)) => {
            let kind = match Path::new(path).extension().and_then(|extension| extension.to_str()) {
                Some("html") => "text/html; charset=utf-8",
                Some("js") => "text/javascript",
                Some("css") => "text/css",
                Some("wasm") => "application/wasm",
                Some("json") => "application/json",
                _ => "application/octet-stream",
            };
            let header = |name, value| Header::from_bytes(name, value).expect("a header of ours is valid");
            let response = Response::from_data(content).with_header(header("Content-Type", kind));
            request.respond(response.with_header(header("Content-Security-Policy", POLICY)))
        }
        _ => request.respond(Response::from_string("not found").with_status_code(404)),
    }
}
