//! Pickles, opcode by opcode.

use pytorch::pickle::{Object, PickleError, read};

#[test]
fn dictionaries_keep_what_was_put_in() {
    let object =
        read(b"\x80\x02}(X\x01\0\0\0aK\x01X\x01\0\0\0bM\x01\x01X\x01\0\0\0cJ\xff\xff\xff\xffu.").expect("a dictionary");
    let integer = |key| match object.get(key) {
        Some(Object::Integer(value)) => Some(*value),
        _ => None,
    };
    assert_eq!(["a", "b", "c", "d"].map(integer), [Some(1), Some(257), Some(-1), None]);
}

#[test]
fn calls_are_noted_and_not_made() {
    let Ok(Object::Call(name, arguments)) = read(b"cos\nsystem\nX\x04\0\0\0exit\x85R.") else { panic!("a call") };
    assert_eq!(&*name, "os.system");
    assert!(matches!(&arguments[..], [Object::Text(text)] if &**text == "exit"));
}

#[test]
fn long_integers_have_a_sign() {
    for (bytes, expected) in [(b"\x8a\x00.".as_slice(), 0), (b"\x8a\x02\x00\x01.", 256), (b"\x8a\x01\xff.", -1)] {
        assert!(matches!(read(bytes), Ok(Object::Integer(value)) if value == expected), "{expected}");
    }
    assert!(matches!(read(b"\x8a\x09123456789."), Ok(Object::Other)));
}

#[test]
fn errors_say_what_was_expected() {
    let operand = |opcode, expected| PickleError::Operand { opcode, expected };
    let nested = [b")".as_slice(), &[0x85; 17], b"."].concat();
    for (bytes, error) in [
        (b"".as_slice(), PickleError::CutShort),
        (b"K", PickleError::CutShort),
        (b"X\xff\xff\xff\xffa", PickleError::CutShort),
        (b"cos\nsystem", PickleError::CutShort),
        (b"\x95", PickleError::Opcode(0x95)),
        (b"X\x01\0\0\0\xff.", PickleError::NotUtf8),
        (b".", operand(b'.', "an object on the stack")),
        (b"\x85", operand(0x85, "an object on the stack")),
        (b"t", operand(b't', "a mark on the stack")),
        (b"h\x01", operand(b'h', "an object that was memorised")),
        (b"NNNs", operand(b's', "a dictionary on the stack")),
        (b"}(Nu", operand(b'u', "a value for every key")),
        (b"NQ", operand(b'Q', "a tuple")),
        (b"N)R", operand(b'R', "a function and its arguments")),
        (&nested, PickleError::TooDeep),
    ] {
        assert_eq!(read(bytes).expect_err("broken"), error, "{bytes:?}");
    }
    assert_eq!(PickleError::Opcode(0x95).to_string(), "unsupported pickle opcode 0x95");
}
