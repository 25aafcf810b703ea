//! From what trunk builds to a site that any static host can serve: finished, measured, and served on this machine.
//!
//! | module | what it does |
//! |---|---|
//! | [`finish`] | fills the site's folder: the page, the lists of networks and noises, the service worker |
//! | [`html`], [`policy`] | the page under its Content-Security-Policy |
//! | [`networks`] | the networks that the page offers |
//! | [`folder`] | the site's folder, replaced whole or not at all |
//! | [`sizes`] | what people fetch, held to a budget |
//! | [`serve`] | a server on this machine |

mod digest;
pub mod finish;
pub mod folder;
pub mod html;
pub mod networks;
pub mod policy;
pub mod serve;
pub mod sizes;
