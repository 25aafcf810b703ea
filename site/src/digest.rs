//! Short names for contents.

use sha2::{Digest, Sha256};

/// Sixteen hexadecimal digits that depend on all parts and on where each ends.
pub fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_tell_contents_apart() {
        let of = |parts: [&str; 2]| digest(parts.map(str::as_bytes));
        assert_eq!(of(["ab", "c"]).len(), 16);
        assert_ne!(of(["ab", "c"]), of(["a", "bc"]));
    }
}
