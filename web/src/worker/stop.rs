//! When work stops before it is done: somebody asks for it, or something goes wrong.

use std::cell::Cell;
use std::rc::Rc;

use web::protocol::Failure;

use crate::browser::{now, sleep};

/// How long the worker may compute without listening, in seconds, where the computing can be interrupted.
const DEAF_SECONDS: f64 = 0.03;

/// A request that work stop. Clones share it.
#[derive(Clone, Default)]
pub struct Stop {
    stopped: Rc<Cell<bool>>,
    listened: Rc<Cell<f64>>,
}

impl Stop {
    /// Asks it to stop.
    pub fn stop(&self) {
        self.stopped.set(true);
    }

    /// Whether it was asked to.
    pub fn stopped(&self) -> bool {
        self.stopped.get()
    }

    /// Lets the worker hear its messages, if it has not for a while.
    ///
    /// # Errors
    /// When one of them was to stop.
    pub async fn listen(&self) -> Result<(), Failure> {
        if now() - self.listened.get() > DEAF_SECONDS {
            sleep(0).await;
            self.listened.set(now());
        }
        if self.stopped() { Err(Failure::Cancelled) } else { Ok(()) }
    }
}

/// Why work stops.
pub enum Trouble {
    /// For good.
    Failure(Failure),
    /// Because the backend failed; another may not.
    Device(String),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<shared::Error> for Trouble {
    fn from(error: shared::Error) -> Self {
        match error {
            shared::Error::Device(reason) => Self::Device(reason),
            other => Self::Failure(Failure::Other(other.to_string())),
        }
    }
}
