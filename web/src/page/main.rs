//! What people see and do.
//!
//! | module | what it holds |
//! |---|---|
//! | `app`, `msg` | the program: events in, effects out, the state shown |
//! | `view`, `listeners` | what is shown, and what the whole page listens to |
//! | `shell` | what the state wants done, carried out |
//! | `engine`, `painter` | the workers, from the page's side |
//! | `store`, `player`, `microphone` | tracks, and sound out and in |
//! | `files`, `export` | files in and out of the browser |
//! | `address`, `backend_memory`, `offline` | what the browser keeps |

#[cfg(target_arch = "wasm32")]
mod address;
#[cfg(target_arch = "wasm32")]
mod app;
#[cfg(target_arch = "wasm32")]
mod backend_memory;
#[cfg(target_arch = "wasm32")]
mod engine;
#[cfg(target_arch = "wasm32")]
mod export;
#[cfg(target_arch = "wasm32")]
mod files;
#[cfg(target_arch = "wasm32")]
mod listeners;
#[cfg(target_arch = "wasm32")]
mod microphone;
#[cfg(target_arch = "wasm32")]
mod msg;
#[cfg(target_arch = "wasm32")]
mod offline;
#[cfg(target_arch = "wasm32")]
mod painter;
#[cfg(target_arch = "wasm32")]
mod player;
#[cfg(target_arch = "wasm32")]
mod shell;
#[cfg(target_arch = "wasm32")]
mod store;
#[cfg(target_arch = "wasm32")]
mod view;

fn main() {
    #[cfg(target_arch = "wasm32")]
    {
        console_error_panic_hook::set_once();
        let place = files::document().get_element_by_id("app").expect("index.html has a place for the page");
        // What stands there until now says that the page is being loaded.
        place.set_inner_html("");
        yew::Renderer::<app::App>::with_root(place).render();
    }
}
