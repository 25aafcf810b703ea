//! Digital silence stays what it is.

/// How long the input must have been digital silence before the output is, in seconds. Shorter gaps are left to the network,
/// which may fill what a transmission lost.
const AFTER_SECONDS: f64 = 0.1;
/// How long it takes to fade out then, in seconds.
const FADE_SECONDS: f64 = 0.01;

/// The gain by which the output follows the input into digital silence: a network's biases would sound on.
pub struct Silence {
    /// Zeros in a row up to now.
    run: usize,
    after: usize,
    fade: usize,
}

impl Silence {
    /// At the start of a signal, before which there was nothing.
    pub fn new(sample_rate_hz: u32) -> Self {
        let samples = |seconds: f64| (seconds * f64::from(sample_rate_hz)) as usize;
        Self { run: usize::MAX, after: samples(AFTER_SECONDS), fade: samples(FADE_SECONDS).max(1) }
    }

    /// The gain of the output sample that belongs to this sample of the input.
    pub fn gain(&mut self, input: f32) -> f32 {
        self.run = if input == 0.0 { self.run.saturating_add(1) } else { 0 };
        let faded = self.run.saturating_sub(self.after).min(self.fade);
        1.0 - faded as f32 / self.fade as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_silence_fades_out_and_short_gaps_stay() {
        let mut silence = Silence::new(1_000);
        assert_eq!((silence.gain(0.0), silence.gain(0.1)), (0.0, 1.0));
        let gains: Vec<f32> = (0..200).map(|_| silence.gain(0.0)).collect();
        assert_eq!((gains[99], gains[104], gains[109], gains[199]), (1.0, 0.5, 0.0, 0.0));
        assert_eq!(silence.gain(-0.1), 1.0);
    }
}
