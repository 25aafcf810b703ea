//! What networks are trained on: recordings or synthetic sound, mixed on the fly.

pub mod corpus;
pub mod equaliser;
pub mod item;
pub mod loader;
pub mod manifest;
pub mod order;
pub mod playback;
pub mod room;
pub mod speed;
pub mod store;
pub mod variation;

pub use corpus::{Corpus, Split};
pub use item::{Item, Maker};
pub use loader::Loader;
