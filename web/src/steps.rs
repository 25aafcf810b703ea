//! A chain of noise as the page has it: JSON that looks like one. Whether it can be made is for those to say who have
//! the noises.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Steps of noise, each an object with a `kind`; see [`shared::noise::chain`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Steps(Vec<Map<String, Value>>);

impl Steps {
    /// Reads a list of objects with a `kind`.
    ///
    /// # Errors
    /// When it is none: what was expected.
    pub fn from_json(json: &str) -> Result<Self, String> {
        let expected =
            |why: String| format!("a JSON list of steps such as [{{\"kind\": \"white\"}}] is expected: {why}");
        let steps: Self = serde_json::from_str(json).map_err(|error| expected(error.to_string()))?;
        match steps.0.iter().position(|step| !step.get("kind").is_some_and(Value::is_string)) {
            Some(index) => Err(expected(format!("step {} has no kind", index + 1))),
            None => Ok(steps),
        }
    }

    /// The steps as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("JSON is JSON")
    }

    /// The kinds of the steps.
    pub fn kinds(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|step| step.get("kind").and_then(Value::as_str).unwrap_or_default())
    }

    /// A number of a step, if it says one; a range `[low, high]` from which one is drawn counts.
    pub fn number(&self, index: usize, name: &str) -> Option<[f64; 2]> {
        match self.0.get(index)?.get(name)? {
            Value::Array(range) => Some([range.first()?.as_f64()?, range.get(1)?.as_f64()?]),
            number => number.as_f64().map(|number| [number; 2]),
        }
    }

    /// The same with one more step of this kind at its end.
    pub fn with(&self, kind: &str) -> Self {
        let mut steps = self.clone();
        steps.0.push(Map::from_iter([("kind".to_owned(), Value::from(kind))]));
        steps
    }

    /// The same without a step.
    pub fn without(&self, index: usize) -> Self {
        let mut steps = self.clone();
        if index < steps.0.len() {
            steps.0.remove(index);
        }
        steps
    }

    /// The same with a step one place earlier.
    pub fn with_earlier(&self, index: usize) -> Self {
        let mut steps = self.clone();
        if (1..steps.0.len()).contains(&index) {
            steps.0.swap(index - 1, index);
        }
        steps
    }

    /// The same with another number in a step, to a thousandth.
    pub fn with_number(&self, index: usize, name: &str, number: f64) -> Self {
        let mut steps = self.clone();
        let number = (number * 1000.0).round() / 1000.0;
        // Counts are whole numbers, which JSON tells from others.
        let value = if number.fract() == 0.0 { Value::from(number as i64) } else { Value::from(number) };
        if let Some(step) = steps.0.get_mut(index) {
            step.insert(name.to_owned(), value);
        }
        steps
    }

    /// The first step alone.
    pub fn first(&self) -> Self {
        Self(self.0.iter().take(1).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use shared::noise::Chain;

    use super::*;

    #[test]
    fn what_is_edited_stays_a_chain() {
        let steps = Steps::from_json(r#"[{"kind": "raise-small", "quantile": [0.5, 0.7]}]"#).expect("steps");
        assert_eq!(steps.number(0, "quantile"), Some([0.5, 0.7]));
        let steps =
            steps.with("babble").with_number(1, "talkers", 3.0).with_number(0, "quantile", 0.123_456).with_earlier(1);
        assert_eq!(steps.kinds().collect::<Vec<_>>(), ["babble", "raise-small"]);
        assert_eq!((steps.number(1, "quantile"), steps.number(1, "nothing")), (Some([0.123; 2]), None));
        Chain::from_json(&steps.to_json()).expect("a chain");
        assert_eq!(steps.without(0).kinds().collect::<Vec<_>>(), ["raise-small"]);
        assert_eq!((steps.without(7), steps.with_earlier(0)), (steps.clone(), steps.clone()));
        assert_eq!(steps.first().kinds().len(), 1);
    }

    #[test]
    fn what_cannot_be_a_chain_is_refused() {
        for json in ["", "[", "{}", "[1]", "[{}]", r#"[{"kind": 1}]"#, r#"[{"kind": "white"}, {"snr_db": 1}]"#] {
            assert!(Steps::from_json(json).expect_err(json).contains("is expected"));
        }
    }
}
