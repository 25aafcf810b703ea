//! Any bytes as a pickle: they are read or refused, and what is read can be looked into.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pytorch::pickle::{self, Object};

/// Objects in it, as far as a look into its containers goes: shared ones would count without end.
fn look(object: &Object, left: &mut usize) {
    assert!(!object.kind().is_empty());
    let (Object::Tuple(items) | Object::Dictionary(items) | Object::Persistent(items) | Object::Call(_, items)) = object
    else {
        return;
    };
    for item in items.iter() {
        let Some(less) = left.checked_sub(1) else { return };
        *left = less;
        look(item, left);
    }
}

fuzz_target!(|data: &[u8]| match pickle::read(data) {
    Ok(object) => {
        let _ = object.get("state_dict");
        look(&object, &mut 10_000);
    }
    Err(error) => assert!(!error.to_string().is_empty()),
});
