//! WAV files, also such as are cut short or say a wrong length.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use shared::wav::{self, Encoding};
use web::protocol::{Failure, MAX_CHANNELS};
use web_sys::Blob;

use crate::file::File;
use crate::source::Block;

/// Samples of each channel that are read at a time.
const BLOCK_LENGTH: u64 = 1 << 14;

/// What a header says in place of a length that it cannot say: all that there is. Whole samples of up to 4 bytes in up to 8
/// channels.
const ENDLESS: u32 = u32::MAX / 10_080 * 10_080;

/// A WAV file being read. Its length is that of the samples that are there, whatever its header says.
pub struct WavFile {
    reader: wav::Reader<Endless>,
    length: u64,
    /// What was read to know the length.
    first: Option<Block>,
    /// Samples of each channel that were not read yet.
    left: u64,
}

impl WavFile {
    /// Opens a file. None if it is no WAV file that can be read.
    ///
    /// # Errors
    /// When it is one, but has no samples or too many channels.
    pub fn open(blob: &Blob) -> Result<Option<Self>, Failure> {
        let place = Rc::new(Place::default());
        let mut reader = wav::Reader::new(Endless { file: File::open(blob), place: place.clone() });
        // Programs that cannot go back to the header, or died before they could, leave a length of 0 or one that no file has.
        let data_start = place.position.get();
        if reader.as_ref().map_or(true, |reader| reader.length() == 0) && lies(blob, data_start) {
            place.position.set(0);
            let file = File::patched(blob, data_start - 4, ENDLESS.to_le_bytes());
            reader = wav::Reader::new(Endless { file, place: place.clone() });
        }
        let Ok(mut reader) = reader else { return Ok(None) };
        if reader.channels() > MAX_CHANNELS {
            return Err(Failure::TooManyChannels(reader.channels()));
        }
        let (data_start, size) = (place.position.get(), blob.size() as u64);
        place.endless.set(true);
        let Ok(mut first) = reader.read(BLOCK_LENGTH as usize) else { return Ok(None) };
        let count = first[0].len() as u64;
        if count == 0 {
            return Err(Failure::Empty);
        }
        let sample_bytes = (place.position.get() - data_start) / count; // of all channels
        let length = reader.length().min(size.saturating_sub(data_start) / sample_bytes);
        if length == 0 {
            return Err(Failure::Empty);
        }
        first.iter_mut().for_each(|channel| channel.truncate(length as usize));
        Ok(Some(Self { left: length - count.min(length), reader, length, first: Some(first) }))
    }

    /// Samples per second.
    pub fn sample_rate_hz(&self) -> u32 {
        self.reader.sample_rate_hz()
    }

    /// How many channels there are.
    pub fn channels(&self) -> usize {
        self.reader.channels()
    }

    /// Samples per channel.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Bits per sample, as the protocol wants them.
    pub fn bits(&self) -> u16 {
        match self.reader.encoding() {
            Encoding::Pcm16 => 16,
            Encoding::Pcm24 => 24,
            Encoding::Float32 => 32,
        }
    }

    /// The next samples; none at the end.
    ///
    /// # Errors
    /// When the browser cannot read the file any more.
    pub fn read(&mut self) -> Result<Option<Block>, Failure> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        let count = self.left.min(BLOCK_LENGTH);
        self.left -= count;
        if count == 0 {
            return Ok(None);
        }
        self.reader.read(count as usize).map(Some).map_err(|error| Failure::Other(error.to_string()))
    }
}

/// Whether a file's header says another size than it has, and the header of its samples ends at `data_start`.
fn lies(blob: &Blob, data_start: u64) -> bool {
    let mut file = File::open(blob);
    let mut word = |position: u64| {
        let mut word = [0; 4];
        file.seek(SeekFrom::Start(position)).and_then(|_| file.read_exact(&mut word)).map(|()| word)
    };
    let size = blob.size() as u64;
    let said = word(4).map_or(0, |bytes| u64::from(u32::from_le_bytes(bytes)) + 8);
    let is_data = data_start.checked_sub(8).is_some_and(|start| word(start).is_ok_and(|kind| kind == *b"data"));
    is_data && data_start < size && said != size
}

/// How far a file has been read, to be known outside the reader that has it.
#[derive(Default)]
struct Place {
    position: Cell<u64>,
    /// Whether zeros follow its end.
    endless: Cell<bool>,
}

/// A file after whose end zeros follow, so that a reader gives what comes before it and not an error.
struct Endless {
    file: File,
    place: Rc<Place>,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = self.file.read(buffer)?;
        if count == 0 && self.place.endless.get() {
            buffer.fill(0);
            count = buffer.len();
        }
        self.place.position.set(self.place.position.get() + count as u64);
        Ok(count)
    }
}
