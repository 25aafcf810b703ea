//! Any bytes as a recording: they are refused, or read in blocks of one shape to an end, and written as WAV.
#![no_main]

use std::io::{self, Cursor};

use libfuzzer_sys::fuzz_target;
use media::{Encoding, Reader, Spec, Writer};

/// Samples per channel after which a recording is long enough: damage may stand for an hour of silence.
const ENOUGH: usize = 1 << 22;

fuzz_target!(|data: &[u8]| {
    let Ok(mut reader) = Reader::new(Cursor::new(data.to_vec())) else { return };
    let format = reader.format().clone();
    assert!(format.channels > 0 && format.sample_rate_hz > 0);
    assert!(format.channel_mask.is_none_or(|mask| mask.count_ones() as usize == format.channels));
    let mut writer = Writer::new(Cursor::new(Vec::new()), &Spec::like(&format), format.length).ok();
    let mut position = 0;
    while position < ENOUGH / format.channels {
        let Ok(Some(block)) = reader.read() else { break };
        assert_eq!(block.len(), format.channels);
        assert!(!block[0].is_empty() && block.iter().all(|channel| channel.len() == block[0].len()));
        // Files of floats may hold any; decoders give none that are not finite.
        assert!(format.encoding == Encoding::Float32 || block.iter().flatten().all(|sample| sample.is_finite()));
        position += block[0].len();
        if let Some(writer) = &mut writer {
            writer.write(&block).expect("memory");
        }
    }
    assert!(reader.damage().iter().all(|damage| !damage.reason.is_empty()));
    if let Some(writer) = writer {
        let bytes = writer.finish().expect("memory").into_inner();
        let mut again = Reader::new(Cursor::new(bytes)).expect("own file");
        let mut read = 0;
        while let Some(block) = again.read().map_err(io::Error::other).expect("own file") {
            read += block[0].len();
        }
        assert_eq!((read, again.damage().len()), (position, 0));
    }
});
