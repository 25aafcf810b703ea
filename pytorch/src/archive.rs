//! The zip archive that `torch.save` writes, all of its files in one folder.

use std::collections::HashMap;
use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::error::{Error, Result};

/// Largest pickle in bytes: about 10 000 tensors.
const MAX_PICKLE_BYTES: u64 = 1 << 22;
/// Largest text in bytes.
const MAX_TEXT_BYTES: u64 = 64;

/// An open archive.
pub struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    folder: String,
    /// Storages by key, as they were read.
    storages: HashMap<String, Vec<u8>>,
    /// Bytes that storages may still have.
    budget: u64,
}

impl<'a> Archive<'a> {
    /// # Errors
    /// When the bytes are not an archive of `torch.save`, or its numbers are not little-endian.
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(Error::Archive)?;
        let mut names = zip.file_names().filter_map(|name| name.ok());
        let folder = names.find_map(|name| name.strip_suffix("data.pkl").map(String::from)).ok_or(Error::NoPickle)?;
        drop(names);
        // PyTorch compresses nothing, so all storages together are smaller than the file.
        let mut archive = Self { zip, folder, storages: HashMap::new(), budget: bytes.len() as u64 };
        if archive.zip.index_for_name(&format!("{}byteorder", archive.folder)).is_some() {
            let order = archive.entry("byteorder", MAX_TEXT_BYTES)?;
            if order != b"little" {
                return Err(Error::ByteOrder(String::from_utf8_lossy(&order).into()));
            }
        }
        Ok(archive)
    }

    /// The pickled object.
    ///
    /// # Errors
    /// When it is damaged or too large.
    pub fn pickle(&mut self) -> Result<Vec<u8>> {
        self.entry("data.pkl", MAX_PICKLE_BYTES)
    }

    /// The memory of the tensors that name this key, read once however many do.
    ///
    /// # Errors
    /// When there is none, it is damaged, or all of them together are larger than the file.
    pub fn storage(&mut self, key: &str) -> Result<&[u8]> {
        if !self.storages.contains_key(key) {
            let bytes = self.entry(&format!("data/{key}"), self.budget)?;
            self.budget -= bytes.len() as u64;
            self.storages.insert(key.into(), bytes);
        }
        Ok(&self.storages[key])
    }

    fn entry(&mut self, name: &str, limit: u64) -> Result<Vec<u8>> {
        let failed = |reason: String| Error::Entry { name: name.into(), reason };
        let path = format!("{}{name}", self.folder);
        let entry = self.zip.by_name(&path).map_err(|error| failed(error.to_string()))?;
        if entry.size() > limit {
            return Err(Error::TooLarge { name: name.into(), limit, got: entry.size() });
        }
        let mut content = Vec::new();
        entry.take(limit).read_to_end(&mut content).map_err(|error| failed(error.to_string()))?;
        Ok(content)
    }
}
