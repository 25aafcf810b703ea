//! Speed of this crate's parts, each with a module of its own: `cargo bench -p shared`, or `cargo bench -p shared -- noise` for
//! those with `noise` in their names. `cli/examples/measure.rs` is for comparing whole networks with other programs.

mod complex;
mod input;
mod networks;
mod noise;
mod transform;

fn main() {
    divan::main();
}
