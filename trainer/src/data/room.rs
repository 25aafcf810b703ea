//! Random rooms around the speaker: echoes that belong to the speech, so that a network learns to leave them as they are.
//!
//! A room in the mixture of noises is another thing: there the dry speech is what is asked for.

use anyhow::Result;
use rand::Rng;
use shared::noise::room::Room;
use shared::noise::{Chain, NoRecordings, Noise, Value};

use crate::SAMPLE_RATE_HZ;

/// From a booth to the living room of a house, furnished or not.
fn rooms() -> Room {
    Room {
        length_m: Value::Range([2.0, 8.0]),
        width_m: Value::Range([2.0, 6.0]),
        height_m: Value::Range([2.2, 3.5]),
        rt60_s: Value::Range([0.1, 0.6]),
        ..Room::default()
    }
}

/// The speech as a microphone somewhere in such a room hears it, as long as before; the direct sound stays where it was.
///
/// # Errors
/// None, unless there are no samples.
pub fn reverberate(speech: &[f32], rng: &mut impl Rng) -> Result<Vec<f32>> {
    let chain = Chain::new(vec![Noise::Room(rooms()).into()])?;
    Ok(chain.draw(speech.len(), SAMPLE_RATE_HZ, 0, rng.next_u64(), &NoRecordings)?.apply(speech))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn rooms_differ_and_come_after_the_direct_sound() -> Result<()> {
        let mut click = vec![0.0; 8_000];
        click[2_000] = 1.0;
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let heard = (0..10).map(|_| reverberate(&click, &mut rng)).collect::<Result<Vec<_>>>()?;
        for heard in &heard {
            assert_eq!(heard.len(), click.len());
            assert!((heard[2_000] - 1.0).abs() < 0.1, "{}", heard[2_000]);
            let energy = |from: usize, to: usize| heard[from..to].iter().map(|sample| sample * sample).sum::<f32>();
            // Nothing but the ripple of a windowed sinc before it.
            assert!(energy(0, 1_990) < 1e-2, "{}", energy(0, 1_990));
            assert!(energy(2_100, 8_000) > 1e-3, "{}", energy(2_100, 8_000));
        }
        assert!(heard.windows(2).all(|pair| pair[0] != pair[1]));
        Ok(())
    }
}
