//! The engine: a worker with the networks, which answers what the page asks of it in the messages of [`web::protocol`].
//!
//! | module | what it holds |
//! |---|---|
//! | `requests` | the queue of what is asked, and what is heard at once |
//! | `session`, `gpu`, `loading` | backends and networks |
//! | `source`, `blob_reader` | recordings, read in blocks |
//! | `take`, `denoising`, `track` | denoising one into pieces |
//! | `experiment` | noise, and scores |
//! | `live` | live audio |
//! | `stop` | the end of work that is not done |
//! | `browser` | what the browser does for all of them |

#[cfg(target_arch = "wasm32")]
mod blob_reader;
#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(target_arch = "wasm32")]
mod denoising;
#[cfg(target_arch = "wasm32")]
mod experiment;
#[cfg(target_arch = "wasm32")]
mod gpu;
#[cfg(target_arch = "wasm32")]
mod live;
#[cfg(target_arch = "wasm32")]
mod loading;
#[cfg(target_arch = "wasm32")]
mod requests;
#[cfg(target_arch = "wasm32")]
mod session;
#[cfg(target_arch = "wasm32")]
mod source;
#[cfg(target_arch = "wasm32")]
mod stop;
#[cfg(target_arch = "wasm32")]
mod take;
#[cfg(target_arch = "wasm32")]
mod track;

/// Starts listening; does nothing outside a browser.
fn main() {
    #[cfg(target_arch = "wasm32")]
    requests::listen();
}
