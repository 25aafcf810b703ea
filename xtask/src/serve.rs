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

/// Serves `folder` until the program ends.
pub fn run(server: &Server, folder: &Path) {
    for request in server.incoming_requests() {
        // A browser that went away is none of our business.
        let _ = answer(folder, request);
    }
}

fn answer(folder: &Path, request: Request) -> std::io::Result<()> {
    let path = request.url().split(['?', '#']).next().unwrap_or_default().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    match fs::read(folder.join(path)) {
        Ok(content) if inside => {
            let kind = match Path::new(path).extension().and_then(|extension| extension.to_str()) {
                Some("html") => "text/html; charset=utf-8",
                Some("js") => "text/javascript",
                Some("css") => "text/css",
                Some("wasm") => "application/wasm",
                Some("json") => "application/json",
                _ => "application/octet-stream",
            };
            let header = Header::from_bytes("Content-Type", kind).expect("a header of ours is valid");
            request.respond(Response::from_data(content).with_header(header))
        }
        _ => request.respond(Response::from_string("not found").with_status_code(404)),
    }
}
