//! Packets of a call that got lost.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::drawn::DrawnStep;
use super::parameters::{Context, InvalidField, Parameters};
use super::pick::Pick;
use super::value::{Number, Value};
use crate::error::Result;

/// What is heard in place of a lost packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Concealment {
    /// Nothing.
    #[default]
    Silence,
    /// The last packet that arrived, half as loud each time it is repeated; nothing before the first.
    Repeat,
}

/// Which of `count` packets are lost: Gilbert's model (Gilbert 1960, "Capacity of a burst-noise channel"), a chain of two
/// states in which the share of lost packets is `loss` on average and their runs are `burst` packets long on average.
///
/// Runs cannot be shorter than `1 / (1 − loss)` on average, and are longer than asked for where `burst` is less.
pub fn lost(count: usize, loss: f64, burst: f64, rng: &mut impl Rng) -> Vec<bool> {
    let burst = burst.max(1.0 / (1.0 - loss).max(1e-9));
    let (recover, fail) = (1.0 / burst, if loss < 1.0 { loss / (burst * (1.0 - loss)) } else { 1.0 });
    let mut state = rng.random_bool(loss);
    (0..count)
        .map(|_| {
            let now = state;
            state =
                if state { !rng.random_bool(recover.min(1.0)) || loss == 1.0 } else { rng.random_bool(fail.min(1.0)) };
            now
        })
        .collect()
}

/// Which samples of a signal of `len` are heard where, if packets of `packet` samples are lost.
pub fn conceal(len: usize, packet: usize, lost: &[bool], concealment: Concealment) -> Pick {
    let (mut index, mut weight) = (Vec::with_capacity(len), Vec::with_capacity(len));
    let mut last: Option<(usize, f32)> = None;
    for (number, &lost) in lost.iter().enumerate() {
        last = match (lost, last) {
            (false, _) => Some((number, 1.0)),
            (true, Some((arrived, gain))) if concealment == Concealment::Repeat => Some((arrived, gain / 2.0)),
            (true, _) => None,
        };
        for i in number * packet..((number + 1) * packet).min(len) {
            index.push(last.map_or(i, |(arrived, _)| arrived * packet + i % packet) as u32);
            weight.push(last.map_or(0.0, |(_, gain)| gain));
        }
    }
    Pick::one(index, weight)
}

/// Packets that got lost, the same in all channels; see [`lost`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DropPackets {
    /// Length of a packet, 1 to 1000 ms.
    pub packet_ms: Value,
    /// Share of packets that are lost, 0 to 1.
    pub loss: Value,
    /// Packets lost in a row, on average, 1 to 100.
    pub burst: Value,
    /// `silence` (the default) or `repeat`: what is heard in their place.
    pub concealment: Concealment,
}

impl Default for DropPackets {
    fn default() -> Self {
        Self { packet_ms: 20.0.into(), loss: 0.1.into(), burst: 2.0.into(), concealment: Concealment::Silence }
    }
}

impl Parameters for DropPackets {
    fn numbers(&self) -> Vec<Number> {
        vec![
            Number::new("packet_ms", self.packet_ms, 1.0..=1000.0),
            Number::new("loss", self.loss, 0.0..=1.0),
            Number::new("burst", self.burst, 1.0..=100.0),
        ]
    }

    fn draw(&self, context: &mut Context) -> Result<DrawnStep, InvalidField> {
        let packet = (context.number(self.packet_ms) * 1e-3 * f64::from(context.sample_rate_hz)).round() as usize;
        let (loss, burst) = (context.number(self.loss), context.number(self.burst));
        let lost = lost(context.len.div_ceil(packet), loss, burst, &mut context.common);
        Ok(DrawnStep::Picked(conceal(context.len, packet, &lost, self.concealment)))
    }
}
