//! The names of a recipe's fields: refusing those that there are not, and setting one from the command line.

use anyhow::{Result, bail, ensure};
use shared::loss::Loss;
use toml::{Table, Value};

use super::Recipe;

/// Sections whose own fields are checked where they are read, because what they may be depends on their values.
const FREE: [&str; 2] = ["noise.chains", "network.shape"];

/// Refuses fields that a recipe does not have.
pub fn check(table: &Table) -> Result<()> {
    // Every field there is: those of a recipe that leaves nothing out. Optional ones are not none in it.
    let mut known = Table::try_from(Recipe::default())?;
    known.insert("loss".into(), Table::from_iter(Loss::ALL.map(|loss| (loss.name().into(), Value::Float(0.0)))).into());
    compare(table, &known, "")
}

fn compare(table: &Table, known: &Table, prefix: &str) -> Result<()> {
    for (name, value) in table {
        let path = format!("{prefix}{name}");
        let Some(expected) = known.get(name) else {
            let nearest = nearest(name, known.keys().map(String::as_str));
            let names = known.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            match nearest {
                Some(nearest) => bail!("{path}: there is no such field; did you mean {prefix}{nearest}?"),
                None => bail!("{path}: there is no such field; expected one of {names}"),
            }
        };
        if FREE.contains(&path.as_str()) {
            continue;
        }
        match (value, expected) {
            (Value::Table(value), Value::Table(expected)) => compare(value, expected, &format!("{path}."))?,
            (value, Value::Table(_)) => bail!("{path}: expected a section, got {value}"),
            (Value::Table(_), _) => bail!("{path}: expected a value, got a section"),
            _ => {}
        }
    }
    Ok(())
}

/// The fields in which two recipes differ, with the values of both.
pub fn differences(a: &Table, b: &Table) -> Vec<String> {
    fn compare(a: &Table, b: &Table, prefix: &str, differences: &mut Vec<String>) {
        let only_in_b = b.keys().filter(|name| !a.contains_key(*name));
        for name in a.keys().chain(only_in_b) {
            let path = format!("{prefix}{name}");
            match (a.get(name), b.get(name)) {
                (Some(Value::Table(a)), Some(Value::Table(b))) => compare(a, b, &format!("{path}."), differences),
                (a, b) if a == b => {}
                (Some(Value::Array(_) | Value::Table(_)), _) | (_, Some(Value::Array(_) | Value::Table(_))) => {
                    differences.push(format!("{path} differs"));
                }
                (a, b) => {
                    let [a, b] = [a, b].map(|value| value.map_or("not set".into(), Value::to_string));
                    differences.push(format!("{path} is {a}, not {b}"));
                }
            }
        }
    }
    let mut differences = Vec::new();
    compare(a, b, "", &mut differences);
    differences
}

/// The name that was probably meant.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Does an override: `section.field=value`, the value as in TOML, or a word without its quotes.
pub fn set(table: &mut Table, text: &str) -> Result<()> {
    let Some((path, value)) = text.split_once('=') else {
        bail!("expected key=value, such as schedule.steps=500, got {text:?}");
    };
    let value = value.trim();
    let parsed = format!("value = {value}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    let value = parsed.unwrap_or_else(|| Value::String(value.to_owned()));
    let names: Vec<&str> = path.trim().split('.').collect();
    ensure!(names.iter().all(|name| !name.is_empty()), "expected key=value, such as schedule.steps=500, got {text:?}");
    let (last, sections) = names.split_last().expect("a split gives at least one part");
    let mut place = table;
    for (depth, section) in sections.iter().enumerate() {
        let next = place.entry(*section).or_insert_with(|| Table::new().into());
        match next {
            Value::Table(next) => place = next,
            other => bail!("{} is {other} and has no fields", names[..=depth].join(".")),
        }
    }
    place.insert((*last).to_owned(), value);
    Ok(())
}
