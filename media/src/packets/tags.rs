//! Tags of any container as entries of a RIFF INFO list.

use symphonia::core::formats::FormatReader;
use symphonia::core::meta::{MetadataRevision, StandardTag};

use crate::metadata::Metadata;

/// The tag in which FLAC keeps a mask of speakers (RFC 9639, section 8.6.2).
const CHANNEL_MASK: &str = "WAVEFORMATEXTENSIBLE_CHANNEL_MASK";

/// The tags of a file, and the mask of its speakers, if a tag has that.
pub fn read(packets: &mut dyn FormatReader) -> (Metadata, Option<u32>) {
    let mut metadata = Metadata::default();
    let mut log = packets.metadata();
    let Some(revision) = log.skip_to_latest() else { return (metadata, None) };
    add(&mut metadata, revision);
    let mut tags = revision.media.tags.iter();
    let mask = tags.find(|tag| tag.raw.key.eq_ignore_ascii_case(CHANNEL_MASK)).and_then(|tag| {
        let text = tag.raw.value.to_string();
        u32::from_str_radix(text.trim_start_matches("0x"), 16).ok()
    });
    (metadata, mask)
}

fn add(metadata: &mut Metadata, revision: &MetadataRevision) {
    for tag in &revision.media.tags {
        let entry = tag.std.as_ref().and_then(|tag| match tag {
            StandardTag::TrackTitle(text) => Some((*b"INAM", text)),
            StandardTag::Artist(text) => Some((*b"IART", text)),
            StandardTag::Album(text) => Some((*b"IPRD", text)),
            StandardTag::Comment(text) | StandardTag::Description(text) => Some((*b"ICMT", text)),
            StandardTag::Copyright(text) => Some((*b"ICOP", text)),
            StandardTag::Genre(text) => Some((*b"IGNR", text)),
            StandardTag::ReleaseDate(text) | StandardTag::RecordingDate(text) => Some((*b"ICRD", text)),
            _ => None,
        });
        match entry {
            Some((name, text)) => metadata.info.push((name, text.to_string())),
            // What the encoder says of itself is not true of the result.
            None if is_about_encoding(&tag.raw.key) => {}
            None => metadata.leave_out(&format!("the tag {}", tag.raw.key)),
        }
    }
    if !revision.media.visuals.is_empty() {
        metadata.leave_out("a picture");
    }
}

fn is_about_encoding(key: &str) -> bool {
    let key = key.to_ascii_uppercase();
    let known = ["TSSE", "\u{a9}TOO", "DURATION", "ISFT", CHANNEL_MASK];
    known.contains(&&*key) || ["ENCODER", "ITUNSMPB"].iter().any(|part| key.contains(part))
}
