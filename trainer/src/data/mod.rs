//! What networks are trained on: recordings or synthetic sound, mixed on the fly.

pub mod corpus;
pub mod item;
pub mod loader;
pub mod recipe;

pub use corpus::Corpus;
pub use item::Item;
