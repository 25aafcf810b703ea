//! Titles, dates and other text in a recording.

/// Text of a recording that a WAV file can carry, and the names of what it cannot.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Metadata {
    /// Entries of a RIFF INFO list: four-character code, such as `INAM` for a title, and text.
    pub info: Vec<([u8; 4], String)>,
    /// The broadcast extension chunk (EBU Tech 3285), as it was.
    pub bext: Option<Vec<u8>>,
    /// Names of what is not carried over, such as "cue points" or "a picture".
    pub left_out: Vec<String>,
}

impl Metadata {
    /// Notes that something is not carried over.
    pub(crate) fn leave_out(&mut self, what: &str) {
        if !self.left_out.iter().any(|known| known == what) {
            self.left_out.push(what.into());
        }
    }
}
