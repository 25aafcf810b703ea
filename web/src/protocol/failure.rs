//! What can go wrong, and the words for it.

use serde::{Deserialize, Serialize};

use super::take::{MAX_CHANNELS, MAX_MINUTES};

/// What can go wrong, in the classes that people can do something about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// We cannot read the file, for this reason; the browser may.
    NotAudio(String),
    /// The file has no samples.
    Empty,
    /// The recording has more than [`MAX_SAMPLES`](super::MAX_SAMPLES).
    TooLong,
    /// Noise was to be made on more than [`MAX_NOISY_SAMPLES`](super::MAX_NOISY_SAMPLES).
    TooLongForNoise,
    /// The recording has more than [`MAX_CHANNELS`].
    TooManyChannels(usize),
    /// The microphone may not be used.
    MicrophoneRefused,
    /// There is no microphone, or it cannot be used.
    NoMicrophone,
    /// The network could not be fetched, or is broken.
    NoModel(String),
    /// The backend that was asked for is not available.
    NoBackend(String),
    /// The worker died, most likely because memory ran out.
    Died,
    /// The text that describes noise cannot be used.
    NoNoise(String),
    /// The network takes longer than the sound plays: computing time over playing time, in percent.
    TooSlow(u32),
    /// The browser has no room left for the result.
    NoRoom,
    /// It was asked for.
    Cancelled,
    /// Anything else, as the engine puts it.
    Other(String),
}

impl Failure {
    /// The failure in words for people.
    pub fn message(&self) -> String {
        match self {
            Self::NotAudio(reason) => format!("This file has no sound that can be read ({reason})."),
            Self::Empty => "There is no sound in this file: it ends before its first sample.".into(),
            Self::TooLong => format!(
                "This recording is too long for a page: at most {MAX_MINUTES} minutes of stereo at 48 kHz. Cut it into parts, \
                 or use the command line, which takes any length."
            ),
            Self::TooLongForNoise => {
                "Noise can be made on 5 minutes of stereo at 48 kHz at most. Choose a shorter recording.".into()
            }
            Self::TooManyChannels(channels) => {
                format!("This recording has {channels} channels; the page takes {MAX_CHANNELS} at most.")
            }
            Self::MicrophoneRefused => {
                "The browser did not allow the microphone. Allow it for this page in the address bar, then try again."
                    .into()
            }
            Self::NoMicrophone => "No microphone could be used. Check that one is connected, then try again.".into(),
            Self::NoModel(reason) => format!("The network could not be loaded: {reason}."),
            Self::NoBackend(reason) => {
                format!("WebGPU cannot be used here: {reason}. Remove “backend=webgpu” from the address.")
            }
            Self::Died => {
                "The engine stopped, most likely because the browser gave it no more memory. Try a shorter recording."
                    .into()
            }
            Self::NoNoise(reason) => format!("The noise cannot be made: {reason}."),
            Self::TooSlow(percent) => format!(
                "This network needs {percent} % of the time that the sound plays, so it does not keep up on this device. Choose \
                 a faster one."
            ),
            Self::NoRoom => {
                "The browser has no room left for the result. Remove recordings from the page, and try again.".into()
            }
            Self::Cancelled => "Stopped.".into(),
            Self::Other(reason) => format!("This did not work: {reason}."),
        }
    }
}

impl From<media::Error> for Failure {
    fn from(error: media::Error) -> Self {
        use media::Error;
        match error {
            Error::Empty => Self::Empty,
            Error::UnknownFormat | Error::Malformed { .. } | Error::UnsupportedCodec { .. } | Error::NoSound { .. } => {
                Self::NotAudio(error.to_string())
            }
            // The browser knows no better what to do about these.
            error => Self::Other(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_tries_what_the_engine_does_not_know_and_nothing_else() {
        let read = |bytes: &[u8]| media::decode(std::io::Cursor::new(bytes.to_vec())).map_err(Failure::from);
        assert_eq!(read(b"").expect_err("empty"), Failure::Empty);
        for bytes in [b"hello".as_slice(), b"RIFF\x04\0\0\0WAVE", b"fLaC and no more"] {
            assert!(matches!(read(bytes), Err(Failure::NotAudio(_))), "{bytes:?}");
        }
        let error = media::Error::FormatChange { seconds: 1.0, from: "one".into(), to: "another".into() };
        assert!(matches!(Failure::from(error), Failure::Other(_)));
    }

    #[test]
    fn failures_have_words_for_people() {
        let failures = [
            Failure::NotAudio("not a recording".into()),
            Failure::Empty,
            Failure::TooLong,
            Failure::TooLongForNoise,
            Failure::TooManyChannels(64),
            Failure::MicrophoneRefused,
            Failure::NoMicrophone,
            Failure::NoModel("status 404".into()),
            Failure::NoBackend("no adapter".into()),
            Failure::Died,
            Failure::NoNoise("step 1: no such kind".into()),
            Failure::TooSlow(140),
            Failure::NoRoom,
            Failure::Cancelled,
            Failure::Other("x".into()),
        ];
        for failure in failures {
            let message = failure.message();
            assert!(message.len() > 7 && message.ends_with('.'), "{message}");
        }
    }
}
