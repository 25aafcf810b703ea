//! Entry point of the worker.

fn main() {
    #[cfg(target_arch = "wasm32")]
    web::worker::main();
}
