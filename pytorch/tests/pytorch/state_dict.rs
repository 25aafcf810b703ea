//! Files as `torch.save` writes them, and files that only look like that.

use std::io::{Cursor, Read, Write};
use std::time::{Duration, Instant};

use half::{bf16, f16};
use pytorch::{Error, Tensor, TensorError, pickle, read_state_dict};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Written by PyTorch: `scripts/generate_fixtures.py`.
const FILE: &[u8] = include_bytes!("../../../shared/tests/fixtures/tiny-dcunet.pt");

/// What a state dict says about a tensor.
struct Entry<'a> {
    name: &'a str,
    kind: &'a str,
    key: &'a str,
    offset: i32,
    shape: &'a [i32],
    strides: &'a [i32],
}

/// A vector of single-precision numbers at the start of storage `0`.
const VECTOR: Entry = Entry { name: "x", kind: "FloatStorage", key: "0", offset: 0, shape: &[2], strides: &[1] };

fn push_text(pickle: &mut Vec<u8>, text: &str) {
    pickle.push(b'X');
    pickle.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
    pickle.extend(text.as_bytes());
}

fn push_integer(pickle: &mut Vec<u8>, value: i32) {
    pickle.push(b'J');
    pickle.extend(value.to_le_bytes());
}

fn push_tuple(pickle: &mut Vec<u8>, values: &[i32]) {
    pickle.push(b'(');
    values.iter().for_each(|&value| push_integer(pickle, value));
    pickle.push(b't');
}

/// A pickled dictionary of tensors.
fn pickled(entries: &[Entry]) -> Vec<u8> {
    let mut pickle = b"\x80\x02}".to_vec();
    for entry in entries {
        push_text(&mut pickle, entry.name);
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        push_text(&mut pickle, "storage");
        pickle.extend(format!("ctorch\n{}\n", entry.kind).bytes());
        push_text(&mut pickle, entry.key);
        push_text(&mut pickle, "cpu");
        push_integer(&mut pickle, 0);
        pickle.extend(b"tQ");
        push_integer(&mut pickle, entry.offset);
        push_tuple(&mut pickle, entry.shape);
        push_tuple(&mut pickle, entry.strides);
        pickle.extend(b"\x89ccollections\nOrderedDict\n)RtRs");
    }
    pickle.push(b'.');
    pickle
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, content) in files {
        archive.start_file(format!("file/{name}"), options).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn floats(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}

/// A file with one storage of the numbers 0 to 5.
fn file(entries: &[Entry]) -> Vec<u8> {
    archive(&[("data.pkl", &pickled(entries)), ("data/0", &floats((0..6).map(|value| value as f32)))])
}

#[track_caller]
fn refused(bytes: &[u8], words: &str) -> Error {
    let error = read_state_dict(bytes).expect_err("should be refused");
    assert!(error.to_string().contains(words), "`{error}` does not mention `{words}`");
    error
}

fn tensor(shape: &[usize], values: &[f32]) -> Tensor {
    Tensor { shape: shape.to_vec(), values: values.to_vec() }
}

#[test]
fn reads_a_file_of_pytorch() {
    let tensors = read_state_dict(FILE).unwrap();
    assert_eq!(tensors.len(), 20);
    // 282 parameters of the network and 30 running statistics; some storages have more.
    let values: usize = tensors.values().map(|tensor| tensor.values.len()).sum();
    assert_eq!(values, 282 + 30);
    for (name, shape) in [("encoder.0.norm.gamma", vec![3, 2]), ("encoder.0.convolution.kernel.real", vec![2, 1, 3, 3])]
    {
        assert_eq!(tensors[name].shape, shape, "{name}");
    }
}

#[test]
fn refuses_files_cut_anywhere() {
    for length in 0..FILE.len() {
        assert!(read_state_dict(&FILE[..length]).is_err(), "cut after {length} bytes");
    }
}

/// Checksums find most of it; nothing else may panic.
#[test]
fn survives_any_changed_byte() {
    for index in 0..FILE.len() {
        let mut bytes = FILE.to_vec();
        bytes[index] ^= 0x15;
        let _ = read_state_dict(&bytes);
    }
    let mut archive = ZipArchive::new(Cursor::new(FILE)).unwrap();
    let mut pickled = Vec::new();
    archive.by_name("tiny-dcunet/data.pkl").unwrap().read_to_end(&mut pickled).unwrap();
    for index in 0..pickled.len() {
        for change in [0x01, 0x15, 0x80] {
            let mut bytes = pickled.clone();
            bytes[index] ^= change;
            let _ = pickle::read(&bytes);
        }
    }
}

#[test]
fn tensors_may_share_memory_in_any_order() {
    let bytes = file(&[
        Entry { name: "all", shape: &[2, 3], strides: &[3, 1], ..VECTOR },
        Entry { name: "transposed", shape: &[3, 2], strides: &[1, 3], ..VECTOR },
        Entry { name: "part", offset: 4, ..VECTOR },
        Entry { name: "scalar", offset: 5, shape: &[], strides: &[], ..VECTOR },
        Entry { name: "empty", shape: &[i32::MAX, 0], strides: &[0, 0], ..VECTOR },
    ]);
    let tensors = read_state_dict(&bytes).unwrap();
    assert_eq!(tensors["all"], tensor(&[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
    assert_eq!(tensors["transposed"], tensor(&[3, 2], &[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]));
    assert_eq!(tensors["part"], tensor(&[2], &[4.0, 5.0]));
    assert_eq!(tensors["scalar"], tensor(&[], &[5.0]));
    assert_eq!(tensors["empty"], tensor(&[i32::MAX as usize, 0], &[]));
}

#[test]
fn numbers_of_every_precision_become_single() {
    let numbers = [0.5f32, -2.0];
    let half: Vec<u8> = numbers.iter().flat_map(|&number| f16::from_f32(number).to_le_bytes()).collect();
    let brain: Vec<u8> = numbers.iter().flat_map(|&number| bf16::from_f32(number).to_le_bytes()).collect();
    let double: Vec<u8> = numbers.iter().flat_map(|&number| f64::from(number).to_le_bytes()).collect();
    for (kind, storage) in [
        ("HalfStorage", half),
        ("BFloat16Storage", brain),
        ("FloatStorage", floats(numbers)),
        ("DoubleStorage", double),
    ] {
        let pickle = pickled(&[Entry { kind, ..VECTOR }]);
        let bytes = archive(&[("data.pkl", &pickle), ("byteorder", b"little"), ("data/0", &storage)]);
        assert_eq!(read_state_dict(&bytes).unwrap()["x"], tensor(&[2], &numbers), "{kind}");
    }
    refused(&file(&[Entry { kind: "LongStorage", ..VECTOR }]), "floating point numbers, got torch.LongStorage");
    let big = archive(&[("data.pkl", &pickled(&[VECTOR])), ("byteorder", b"big"), ("data/0", &floats(numbers))]);
    refused(&big, "little-endian numbers, got byte order \"big\"");
}

/// 20 000 tensors of one number each in a storage of 4 MB: read for each of them, that would be 80 GB.
#[test]
fn a_storage_is_read_once_however_many_tensors_share_it() {
    let names: Vec<String> = (0..20_000).map(|index| index.to_string()).collect();
    let entry = |(offset, name)| Entry { name, offset, shape: &[1], ..VECTOR };
    let entries: Vec<Entry> = (0..).zip(names.iter().map(String::as_str)).map(entry).collect();
    let storage = floats((0..1 << 20).map(|value| value as f32));
    let bytes = archive(&[("data.pkl", &pickled(&entries)), ("data/0", &storage)]);
    let started = Instant::now();
    let tensors = read_state_dict(&bytes).unwrap();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(tensors["19999"], tensor(&[1], &[19_999.0]));
}

/// A small file must not take much memory, however often tensors name the same numbers.
#[test]
fn values_and_storages_are_bounded_by_the_file() {
    let names: Vec<String> = (0..40).map(|index| index.to_string()).collect();
    let views = |count: usize| {
        let view = |name| Entry { name, shape: &[1 << 16], ..VECTOR };
        let entries: Vec<Entry> = names[..count].iter().map(|name| view(name)).collect();
        archive(&[("data.pkl", &pickled(&entries)), ("data/0", &floats(vec![0.5; 1 << 16]))])
    };
    // Two names for one tensor are common.
    assert_eq!(read_state_dict(&views(2)).unwrap()["1"].values.len(), 1 << 16);
    let error = refused(&views(40), "as many numbers in all tensors as the file has bytes");
    assert!(matches!(error, Error::Tensor { reason: TensorError::TooMany(_), .. }), "{error:?}");

    // Entries of the archive's directory that all name the same bytes.
    let storages: Vec<String> = (0..4).map(|index| format!("data/{index}")).collect();
    let entries: Vec<Entry> = (0..4).map(|index| Entry { name: &names[index], key: &names[index], ..VECTOR }).collect();
    let (pickle, storage) = (pickled(&entries), vec![0; 1 << 16]);
    let mut files: Vec<(&str, &[u8])> = vec![("data.pkl", &pickle), (&storages[0], &storage)];
    files.extend(storages[1..].iter().map(|name| (name.as_str(), b"".as_slice())));
    let mut bytes = archive(&files);
    let starts: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(b"PK\x01\x02")).collect();
    let original = bytes[starts[1]..][..46].to_vec();
    for start in &starts[2..] {
        for field in [16..28, 42..46] {
            // Checksum and sizes; where the entry lies.
            bytes[start + field.start..start + field.end].copy_from_slice(&original[field]);
        }
    }
    refused(&bytes, "data/1 in the archive: expected at most");
}

#[test]
fn broken_tensors_are_named() {
    for (entry, words) in [
        (Entry { shape: &[7], ..VECTOR }, "x: expected all elements of shape [7] within its storage of 6 numbers"),
        (Entry { offset: 5, ..VECTOR }, "x: expected all elements"),
        (Entry { shape: &[6, 6], strides: &[0, 0], ..VECTOR }, "x: expected all elements"),
        (Entry { offset: -1, ..VECTOR }, "x: expected the arguments of a tensor"),
        (Entry { shape: &[-2], ..VECTOR }, "x: expected the arguments of a tensor"),
        (Entry { strides: &[1, 1], ..VECTOR }, "got 2 strides and 1 dimensions"),
        (Entry { shape: &[1; 65], strides: &[1; 65], ..VECTOR }, "at most 64, got 65"),
        (Entry { key: "1", ..VECTOR }, "x: cannot read data/1 in the archive"),
    ] {
        refused(&file(&[entry]), words);
    }
    refused(&file(&[VECTOR, VECTOR]), "x: expected one tensor of this name, got two");
    for (pickle, words) in [
        (b"K\x01.".as_slice(), "expected a state dict, which is a dictionary of tensors by name, got an integer"),
        (b"}K\x01K\x02s.", "keys that are no names"),
        (b"}X\x05\0\0\0epochK\x02s.", "epoch: expected a tensor, got an integer"),
        (b"}X\x01\0\0\0xcos\nsystem\n)Rs.", "x: expected a tensor, got a call of os.system"),
        (b"\x95", "data.pkl: unsupported pickle opcode 0x95"),
    ] {
        refused(&archive(&[("data.pkl", pickle)]), words);
    }
    refused(&archive(&[("data/0", b"")]), "without data.pkl");
    refused(b"PK and then nothing", "expected a zip archive");
    refused(&archive(&[("data.pkl", &vec![b'('; 5 << 20])]), "data.pkl in the archive: expected at most 4194304 bytes");
}

/// What fuzzing of state dicts starts from (`fuzz/fuzz_targets`): `cargo test -p pytorch -- --ignored`
#[test]
#[ignore = "writes files into the source tree"]
fn fuzz_seeds() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let write = |path: &str, content: &[u8]| {
        let path = corpus.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    let views = pickled(&[
        Entry { name: "all", shape: &[2, 3], strides: &[3, 1], ..VECTOR },
        Entry { name: "half", kind: "HalfStorage", key: "1", offset: 3, ..VECTOR },
        Entry { name: "double", kind: "DoubleStorage", key: "2", shape: &[], strides: &[], ..VECTOR },
    ]);
    let mut pytorchs = Vec::new();
    ZipArchive::new(Cursor::new(FILE))
        .unwrap()
        .by_name("tiny-dcunet/data.pkl")
        .unwrap()
        .read_to_end(&mut pytorchs)
        .unwrap();
    for (name, pickle) in [("views", &views), ("pytorch", &pytorchs)] {
        write(&format!("pickle/{name}.seed"), pickle);
        // A pickle beside storages, and a whole archive.
        write(&format!("state_dict/{name}.seed"), &[b"\0", pickle.as_slice()].concat());
    }
    write("state_dict/archive.seed", &file(&[VECTOR]));
}
