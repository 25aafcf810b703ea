//! Any bytes as a bundle: they are refused, or what they hold can be loaded as a network or refused.
#![no_main]

use burn::backend::Flex;
use libfuzzer_sys::fuzz_target;
use shared::Bundle;

fuzz_target!(|data: &[u8]| {
    if let Ok(bundle) = Bundle::from_bytes(data) {
        let _ = bundle.network::<Flex>(&Default::default());
    }
});
