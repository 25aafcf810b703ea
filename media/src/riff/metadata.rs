//! Text in a WAV file: the INFO list and the broadcast extension are kept, the rest is named.

use crate::bytes::u32_le;
use crate::metadata::Metadata;

/// Whether the content of a chunk is needed.
pub fn is_kept(name: &[u8; 4]) -> bool {
    matches!(name, b"LIST" | b"bext")
}

/// Adds a chunk, or its name where it is not kept or `too_large`.
pub fn add(metadata: &mut Metadata, name: &[u8; 4], content: Vec<u8>, too_large: bool) {
    match name {
        _ if too_large => metadata.leave_out(&format!("the chunk {:?}", String::from_utf8_lossy(name))),
        b"bext" => metadata.bext = Some(content),
        b"LIST" if content.starts_with(b"INFO") => metadata.info.extend(entries(&content[4..])),
        b"LIST" if content.starts_with(b"adtl") => metadata.leave_out("labels of cue points"),
        b"cue " => metadata.leave_out("cue points"),
        b"smpl" | b"inst" => metadata.leave_out("sampler settings"),
        b"id3 " | b"ID3 " => metadata.leave_out("ID3 tags"),
        b"iXML" => metadata.leave_out("iXML"),
        b"axml" => metadata.leave_out("AXML"),
        b"chna" => metadata.leave_out("the assignment of channels (chna)"),
        b"_PMX" => metadata.leave_out("XMP"),
        // Filling, peaks and what other programs keep for themselves say nothing about the sound.
        _ => {}
    }
}

/// Names and texts of an INFO list. Text is UTF-8, or else Latin-1.
fn entries(mut list: &[u8]) -> Vec<([u8; 4], String)> {
    let mut entries = Vec::new();
    while let Some((name, rest)) = list.split_first_chunk::<4>() {
        let size = u32_le(rest, 0) as usize;
        let Some(bytes) = rest.get(4..).and_then(|rest| rest.get(..size)) else { break };
        let bytes = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
        };
        if !text.is_empty() {
            entries.push((*name, text));
        }
        list = rest.get(4 + size.next_multiple_of(2)..).unwrap_or_default();
    }
    entries
}
