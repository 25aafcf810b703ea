//! What can go wrong with what people hand us.

/// The result of everything in this crate that can fail on user input.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// An input this crate cannot work with. Each says what was expected and what came.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A recording with a property outside what can be processed.
    #[error("{what}: expected {expected}, got {got}")]
    Audio {
        /// Which property of the recording.
        what: &'static str,
        /// What would have been accepted.
        expected: String,
        /// What came.
        got: String,
    },

    /// A configuration with a field outside its range.
    #[error("{field}: expected {expected}, got {got}")]
    Config {
        /// The field's name.
        field: &'static str,
        /// What would have been accepted.
        expected: String,
        /// What came.
        got: String,
    },

    /// A noise chain that cannot be read.
    #[error("not a usable noise chain: {0}")]
    Chain(String),

    /// A step of a noise chain with a field that cannot be used.
    #[error("step {step} ({kind}), {field}: expected {expected}, got {got}")]
    Noise {
        /// The step's number in its chain, from 1.
        step: usize,
        /// The step's kind.
        kind: &'static str,
        /// The field's name.
        field: &'static str,
        /// What would have been accepted.
        expected: String,
        /// What came.
        got: String,
    },

    /// A bundle of another version of the layout, probably from a newer program.
    #[error("not a usable bundle: expected version {expected}, got {got}")]
    BundleVersion {
        /// The version that this crate reads.
        expected: u32,
        /// The version of the bundle.
        got: u32,
    },

    /// A bundle that cannot be loaded.
    #[error("not a usable bundle: {0}")]
    Bundle(String),

    /// Weights from another program that are not those of the network.
    #[error("not usable weights: {0}")]
    Weights(String),

    /// A network whose output is not a finite number. Its weights are too large.
    #[error("the network's output is not finite: its weights are too large")]
    NotFinite,

    /// The backend could not hand back what it computed (a lost device, for instance).
    #[error("the device failed: {0}")]
    Device(String),
}

impl Error {
    pub(crate) fn audio(what: &'static str, expected: impl Into<String>, got: impl ToString) -> Self {
        Self::Audio { what, expected: expected.into(), got: got.to_string() }
    }

    pub(crate) fn config(field: &'static str, expected: impl Into<String>, got: impl ToString) -> Self {
        Self::Config { field, expected: expected.into(), got: got.to_string() }
    }
}
