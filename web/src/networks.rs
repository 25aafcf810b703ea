//! The networks that people can choose from.

use serde::{Deserialize, Serialize};

use crate::protocol::Failure;
use crate::protocol::engine::Facts;

/// A line of `models.json`, the list of networks beside the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkListing {
    /// Its name, as in links.
    pub name: String,
    /// Where its bundle is, from the page.
    pub file: String,
    /// Size of the bundle in bytes.
    pub bytes: usize,
    /// Its name for people.
    pub title: String,
    /// Whether it is the one to begin with.
    pub default: bool,
    /// What it is, in a sentence.
    pub summary: String,
    /// Learned numbers in it.
    pub parameters: usize,
}

/// Where the bundle of a network comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// A file beside the page.
    Site(String),
    /// A file that somebody dropped on the page, which is kept under this number.
    Dropped(u32),
}

/// How far a network is.
#[derive(Clone, Debug, PartialEq)]
pub enum Loading {
    /// Not asked for.
    Unloaded,
    /// On its way, this share of it if known.
    Loading(Option<f64>),
    /// Ready.
    Loaded(Box<Facts>),
    /// It cannot be used.
    Failed(Failure),
}

/// A network that people can choose.
#[derive(Clone, Debug, PartialEq)]
pub struct OfferedNetwork {
    /// Its name for the engine. No other network has it, not even one of the same name that it replaces.
    pub model: String,
    /// What is known of it beforehand.
    pub listed: NetworkListing,
    /// Where it comes from.
    pub origin: Origin,
    /// How far it is.
    pub loading: Loading,
}

impl OfferedNetwork {
    /// A network of the site.
    pub fn of_site(listed: NetworkListing) -> Self {
        let origin = Origin::Site(listed.file.clone());
        Self { model: listed.name.clone(), listed, origin, loading: Loading::Unloaded }
    }

    /// A bundle that somebody dropped, kept under the number `id`, for the engine under the name `model`.
    pub fn dropped(id: u32, model: String, name: String, bytes: usize) -> Self {
        let listed = NetworkListing {
            title: name.clone(),
            name,
            file: String::new(),
            bytes,
            default: false,
            summary: String::new(),
            parameters: 0,
        };
        Self { model, listed, origin: Origin::Dropped(id), loading: Loading::Unloaded }
    }

    /// What there is to know about it once it is loaded.
    pub fn facts(&self) -> Option<&Facts> {
        match &self.loading {
            Loading::Loaded(facts) => Some(facts),
            _ => None,
        }
    }
}
