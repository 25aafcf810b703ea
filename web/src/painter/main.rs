//! Makes pictures and files of what can be heard.

#[cfg(target_arch = "wasm32")]
mod gallery;
#[cfg(target_arch = "wasm32")]
mod orders;
#[cfg(target_arch = "wasm32")]
mod writer;

fn main() {
    #[cfg(target_arch = "wasm32")]
    orders::listen();
}
