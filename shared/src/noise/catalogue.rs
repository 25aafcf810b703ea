//! What noises there are, as data: for programs that offer them without having them.

use serde::{Deserialize, Serialize};

use super::step::Noise;

/// A kind of noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseKind {
    /// Its name in chains.
    pub kind: String,
    /// What it is, in a line.
    pub about: String,
    /// What it does to a signal: `stft`, `additive` or `channel`.
    pub group: String,
    /// Whether it needs recordings, named in the chain.
    pub needs_recordings: bool,
    /// Its numbers.
    pub numbers: Vec<NoiseNumber>,
}

/// A number of a noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseNumber {
    /// Its name in chains, which ends in its unit if it has one.
    pub name: String,
    /// The least and the most it may be.
    pub range: [f64; 2],
    /// What it is where a chain says nothing, as `[low, high]` if it is drawn; none if another way to say the same is usual.
    pub usual: Option<[f64; 2]>,
}

/// All kinds.
pub fn catalogue() -> Vec<NoiseKind> {
    let number = |number: super::value::Number| NoiseNumber {
        name: number.name.into(),
        range: [*number.range.start(), *number.range.end()],
        usual: number.value.map(|value| [value.low(), value.high()]),
    };
    let kind = |noise: Noise| NoiseKind {
        kind: noise.kind().into(),
        about: noise.about().into(),
        group: noise.group().to_string(),
        needs_recordings: !noise.recordings().is_empty() || matches!(noise, Noise::Recording(_)),
        numbers: noise.numbers().into_iter().map(number).collect(),
    };
    Noise::kinds().into_iter().map(kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Chain;

    #[test]
    fn what_is_listed_can_be_made() {
        let kinds = catalogue();
        assert_eq!(kinds.len(), Noise::kinds().len());
        for kind in kinds {
            for NoiseNumber { name, range, usual } in kind.numbers {
                assert!(range[0] < range[1], "{} {name}", kind.kind);
                if kind.needs_recordings && kind.kind == "recording" {
                    continue;
                }
                for value in usual.into_iter().flatten() {
                    let value = if value.fract() == 0.0 { format!("{value:.0}") } else { value.to_string() };
                    let json = format!(r#"[{{"kind": "{}", "{name}": {value}}}]"#, kind.kind);
                    Chain::from_json(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
                }
            }
        }
    }
}
