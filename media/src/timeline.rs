//! Decoded sound in its place in time, with silence where there is none.

use crate::content::Block;
use crate::error::{Error, Result};
use crate::format::Damage;

/// Samples per channel of silence that are given at a time.
const SILENCE_LENGTH: u64 = 1 << 14;
/// Most damages that are listed one by one.
const MAX_DAMAGES: usize = 10_000;

/// Where reading is in a recording.
#[derive(Debug)]
pub struct Timeline {
    channels: usize,
    /// Samples per channel that were given.
    position: u64,
    /// Samples per channel of silence to give before anything else.
    silence: u64,
    /// Sound that comes after that silence.
    sound: Option<Block>,
    damage: Vec<Damage>,
}

impl Timeline {
    /// The start of a recording.
    pub fn new(channels: usize) -> Self {
        Self { channels, position: 0, silence: 0, sound: None, damage: Vec::new() }
    }

    /// Where the next sound belongs, in samples per channel.
    pub fn position(&self) -> u64 {
        self.position + self.silence
    }

    /// As [`crate::Reader::damage`].
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    /// Notes that `length` samples were lost here; [`Timeline::next`] gives silence in their place.
    pub fn lose(&mut self, length: u64, reason: &str) {
        let start = self.position();
        self.silence += length;
        let full = self.damage.len() >= MAX_DAMAGES;
        match self.damage.last_mut() {
            // One stretch may have several reasons; the first will do.
            Some(last) if last.start + last.length == start && last.length > 0 => {
                last.length += length;
            }
            _ if full => {}
            _ => self.damage.push(Damage { start, length, reason: reason.to_owned() }),
        }
    }

    /// Refuses another rate in Hz or number of channels than before.
    pub fn check(&self, before: (u32, usize), now: (u32, usize)) -> Result<()> {
        if before == now {
            return Ok(());
        }
        let said = |(rate_hz, channels)| format!("{channels} channels at {rate_hz} Hz");
        let seconds = self.position() as f64 / f64::from(before.0);
        Err(Error::FormatChange { seconds, from: said(before), to: said(now) })
    }

    /// Notes that the recording is cut off here.
    pub fn cut(&mut self) {
        self.damage.push(Damage::cut(self.position()));
    }

    /// Takes sound that belongs at [`Timeline::position`]; nothing where it is empty. [`Timeline::next`] gives it back.
    pub fn add(&mut self, sound: Block) {
        self.sound = Some(sound).filter(|sound| !sound[0].is_empty());
    }

    /// What is due: silence first, then sound. None when more must be decoded.
    pub fn next(&mut self) -> Option<Block> {
        let length = self.silence.min(SILENCE_LENGTH);
        self.silence -= length;
        self.position += length;
        match length {
            0 => self.sound.take().map(|sound| self.place(sound)),
            length => Some(vec![vec![0.0; length as usize]; self.channels]),
        }
    }

    /// Gives sound its place. Numbers that are not finite, which only broken data decodes to, become silence.
    fn place(&mut self, mut block: Block) -> Block {
        let length = block[0].len() as u64;
        let mut broken = false;
        for sample in block.iter_mut().flatten().filter(|sample| !sample.is_finite()) {
            (*sample, broken) = (0.0, true);
        }
        if broken {
            self.lose(length, "decoded to numbers that are not finite");
            self.silence -= length; // the block takes its place
        }
        self.position += length;
        block
    }
}
