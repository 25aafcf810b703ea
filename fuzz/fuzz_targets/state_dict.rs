//! Any bytes as a file of PyTorch, and as the pickle in one: they are refused, or give tensors whose values fit their shapes.
#![no_main]

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use pytorch::read_state_dict;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// An archive with right checksums: this pickle, and storages of 256 bytes.
fn archive(pickle: &[u8]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut add = |name: &str, content: &[u8]| {
        archive.start_file(name, options).expect("a valid name");
        archive.write_all(content).expect("memory");
    };
    add("x/data.pkl", pickle);
    let storage: Vec<u8> = (0..=255).collect();
    (0..20).for_each(|key| add(&format!("x/data/{key}"), &storage));
    archive.finish().expect("memory").into_inner()
}

fn read(bytes: &[u8]) {
    match read_state_dict(bytes) {
        Ok(tensors) => {
            let mut values = 0;
            for tensor in tensors.values() {
                let empty = tensor.shape.contains(&0);
                let expected = if empty { 0 } else { tensor.shape.iter().product() };
                assert_eq!(tensor.values.len(), expected);
                values += tensor.values.len();
            }
            assert!(values <= bytes.len());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fuzz_target!(|data: &[u8]| match data.split_first() {
    Some((0, pickle)) => read(&archive(pickle)),
    _ => read(data),
});
