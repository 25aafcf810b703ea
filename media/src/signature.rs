//! Formats that are known by their first bytes, and not read here.

use crate::error::Error;

/// What to say about a file that starts with these bytes and is in no format that is read here.
pub fn refusal(start: &[u8]) -> Error {
    let known: [(usize, &[u8], &'static str); 14] = [
        (0, &[0x30, 0x26, 0xb2, 0x75], "Windows Media (WMA)"),
        (0, b"#!AMR", "AMR"),
        (0, b"wvpk", "WavPack"),
        (0, b"MAC ", "Monkey's Audio"),
        (0, b"MPCK", "Musepack"),
        (0, b"MP+", "Musepack"),
        (0, b"TTA1", "True Audio"),
        (0, b"DSD ", "DSD"),
        (0, b"FRM8", "DSD"),
        (0, b"#!SILK", "SILK"),
        (0, &[0x0b, 0x77], "AC-3"),
        (0, b"RIFX", "big-endian WAV (RIFX)"),
        (0, b"MThd", "MIDI, which has no sound in it"),
        (8, b"AVI ", "AVI"),
    ];
    let found = known.iter().find(|(at, bytes, _)| start.get(*at..).is_some_and(|rest| rest.starts_with(bytes)));
    found.map_or(Error::UnknownFormat, |(.., name)| Error::UnsupportedFormat { name })
}
