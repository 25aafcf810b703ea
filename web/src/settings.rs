//! What shapes the page, and the link that opens it again as it is.

use serde::{Deserialize, Serialize};
use shared::stream::MAX_ATTENUATION_DB;

use crate::example::ExampleRecording;
use crate::protocol::engine::{Backend, BackendChoice};
use crate::steps::Steps;

/// The last position of the slider for strength, which stands for no limit; those before are decibels.
pub const UNLIMITED_DB: u8 = 41;

/// What people came to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageTask {
    /// Remove noise from recordings.
    #[default]
    Denoise,
    /// Make noise, remove it with every network, and see the scores.
    Experiment,
    /// Hear the microphone without noise.
    Live,
}

impl PageTask {
    /// All of them, in the order of their tabs.
    pub const ALL: [Self; 3] = [Self::Denoise, Self::Experiment, Self::Live];

    /// Its name in links.
    pub fn key(self) -> &'static str {
        match self {
            Self::Denoise => "denoise",
            Self::Experiment => "experiment",
            Self::Live => "live",
        }
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Denoise => "Denoise",
            Self::Experiment => "Make noise",
            Self::Live => "Live",
        }
    }
}

/// How samples of a download are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Depth {
    /// As the recording's were.
    #[default]
    Same,
    /// 16-bit integers.
    Pcm16,
    /// 24-bit integers.
    Pcm24,
    /// 32-bit floats.
    Float32,
}

impl Depth {
    /// All of them, with their names in links and for people.
    pub const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Same, "same", "WAV as it came"),
        (Self::Pcm16, "16", "WAV 16 bit"),
        (Self::Pcm24, "24", "WAV 24 bit"),
        (Self::Float32, "float", "WAV float"),
    ];

    /// Its name in links.
    pub fn key(self) -> &'static str {
        Self::ALL.iter().find(|(depth, ..)| *depth == self).map_or("same", |(_, key, _)| key)
    }

    /// The depth of this name.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == key).map(|(depth, ..)| *depth)
    }
}

/// Everything that shapes what is on the page, but for people's own recordings. A link holds all that is not as usual.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What people came to do.
    pub task: PageTask,
    /// The chosen network.
    pub network: Option<String>,
    /// By how many dB noise may be attenuated, 0 to [`UNLIMITED_DB`].
    pub strength_db: u8,
    /// The noise that is made.
    pub chain: Steps,
    /// What all that is random in it depends on.
    pub seed: u32,
    /// The example that is open.
    pub example: Option<ExampleRecording>,
    /// Which of the voices is heard and seen, from 0.
    pub voice: usize,
    /// The stretch that is seen, in seconds; all if none.
    pub window: Option<[f64; 2]>,
    /// Whether voices are played equally loud.
    pub matched: bool,
    /// How downloads are stored.
    pub depth: Depth,
    /// Whether the page is part of another.
    pub embed: bool,
    /// Which backend to take.
    pub backend: Option<BackendChoice>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            task: PageTask::Denoise,
            network: None,
            strength_db: UNLIMITED_DB,
            chain: Self::usual_chain(),
            seed: 1,
            example: None,
            voice: 1,
            window: None,
            matched: true,
            depth: Depth::Same,
            embed: false,
            backend: None,
        }
    }
}

impl Settings {
    /// The noise that the page proposes: the report's first.
    fn usual_chain() -> Steps {
        Steps::default().with("raise-small")
    }

    /// The limit that [`shared::stream::Options::attenuation_limit_db`] would have.
    pub fn attenuation_limit_db(&self) -> f32 {
        if self.strength_db >= UNLIMITED_DB { MAX_ATTENUATION_DB } else { self.strength_db.into() }
    }

    /// The share of what a network removes that stays all the same.
    pub fn kept(&self) -> f32 {
        if self.strength_db >= UNLIMITED_DB {
            0.0
        } else {
            shared::audio::db_to_amplitude(-f32::from(self.strength_db))
        }
    }

    /// Reads the query of a link. What it does not understand is left as usual, and told: a sentence each.
    pub fn from_query(query: &str) -> (Self, Vec<String>) {
        let mut settings = Self::default();
        let mut notes = Vec::new();
        for (key, value) in form_urlencoded::parse(query.trim_start_matches('?').as_bytes()) {
            if let Some(expected) = settings.take(&key, &value) {
                let value: String = value.chars().take(40).collect();
                notes.push(format!("The link says {key}={value}, where {expected} is expected; that was left out."));
            }
        }
        (settings, notes)
    }

    /// Takes one field of a link; what was expected, if that is not it.
    fn take(&mut self, key: &str, value: &str) -> Option<String> {
        let mut expected = None;
        let mut refuse = |what: &str| expected = Some(what.to_owned());
        match key {
            "task" => match PageTask::ALL.into_iter().find(|task| task.key() == value) {
                Some(task) => self.task = task,
                None => refuse("denoise, experiment or live"),
            },
            "network" if !value.is_empty() => self.network = Some(value.to_owned()),
            "network" => refuse("the name of a network"),
            "strength" => match value.parse::<u8>() {
                Ok(db) if db < UNLIMITED_DB => self.strength_db = db,
                _ => refuse("a whole number of dB from 0 to 40"),
            },
            "noise" => match Steps::from_json(value) {
                Ok(chain) => self.chain = chain,
                Err(error) => refuse(&format!("a chain of noise ({error})")),
            },
            "seed" => match value.parse() {
                Ok(seed) => self.seed = seed,
                Err(_) => refuse("a whole number from 0 to 4294967295"),
            },
            "example" => match ExampleRecording::of_key(value) {
                Some(example) => self.example = Some(example),
                None => refuse("the name of an example"),
            },
            "voice" => match value.parse::<usize>() {
                Ok(voice @ 1..=9) => self.voice = voice - 1,
                _ => refuse("a number from 1 to 9"),
            },
            "window" => match parse_window(value) {
                Some(window) => self.window = Some(window),
                None => refuse("two times in seconds such as 1.5,4"),
            },
            "levels" => match value {
                "matched" => self.matched = true,
                "own" => self.matched = false,
                _ => refuse("matched or own"),
            },
            "depth" => match Depth::of_key(value) {
                Some(depth) => self.depth = depth,
                None => refuse("same, 16, 24 or float"),
            },
            "embed" => self.embed = value == "1",
            "backend" => match value {
                "webgpu" => self.backend = Some(BackendChoice::Only(Backend::Webgpu)),
                "cpu" => self.backend = Some(BackendChoice::Only(Backend::Cpu)),
                "probe" => self.backend = Some(BackendChoice::ProbeAll),
                _ => refuse("webgpu or cpu"),
            },
            // Others may add to links what is theirs.
            _ => {}
        }
        expected
    }

    /// The query of the link that opens the page as it is; empty if all is as usual.
    pub fn to_query(&self) -> String {
        let usual = Self::default();
        let mut query = form_urlencoded::Serializer::new(String::new());
        let mut put = |changed: bool, key: &str, value: String| {
            if changed {
                query.append_pair(key, &value);
            }
        };
        put(self.task != usual.task, "task", self.task.key().into());
        put(self.network.is_some(), "network", self.network.clone().unwrap_or_default());
        put(self.strength_db != usual.strength_db, "strength", self.strength_db.to_string());
        put(self.chain != usual.chain, "noise", self.chain.to_json());
        put(self.seed != usual.seed, "seed", self.seed.to_string());
        put(self.example.is_some(), "example", self.example.map(ExampleRecording::key).unwrap_or_default().into());
        put(self.voice != usual.voice, "voice", (self.voice + 1).to_string());
        let window = self.window.map(|[from, to]| format!("{},{}", round(from), round(to)));
        put(self.window.is_some(), "window", window.unwrap_or_default());
        put(!self.matched, "levels", "own".into());
        put(self.depth != usual.depth, "depth", self.depth.key().into());
        put(self.embed, "embed", "1".into());
        let backend = self.backend.map(|choice| match choice {
            BackendChoice::Only(Backend::Cpu) | BackendChoice::Prefer(Backend::Cpu) => "cpu",
            BackendChoice::Only(Backend::Webgpu) | BackendChoice::Prefer(Backend::Webgpu) => "webgpu",
            BackendChoice::Probe | BackendChoice::ProbeAll => "probe",
        });
        put(self.backend.is_some(), "backend", backend.unwrap_or_default().into());
        query.finish()
    }
}

/// To milliseconds: finer than anybody sees.
fn round(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

fn parse_window(text: &str) -> Option<[f64; 2]> {
    let (from, to) = text.split_once(',')?;
    let (from, to): (f64, f64) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
    (0.0 <= from && from < to && to < 1e6).then_some([from, to])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_empty_link_is_the_usual_page_and_the_usual_page_has_an_empty_link() {
        assert_eq!(Settings::from_query(""), (Settings::default(), Vec::new()));
        assert_eq!(Settings::from_query("?"), (Settings::default(), Vec::new()));
        assert_eq!(Settings::default().to_query(), "");
        assert_eq!(Settings::from_query("?utm_source=elsewhere").1, Vec::<String>::new());
    }

    #[test]
    fn nonsense_is_left_out_and_told() {
        for query in [
            "task=dance",
            "network=",
            "strength=41",
            "strength=-1",
            "strength=ten",
            "noise=[",
            "noise=%5B%7B%7D%5D",
            "seed=-1",
            "example=opera",
            "voice=0",
            "voice=10",
            "window=4,1",
            "window=1",
            "window=nan,inf",
            "levels=loud",
            "depth=8",
            "backend=cuda",
            "%FF=%FE&seed=x",
        ] {
            let (settings, notes) = Settings::from_query(query);
            assert_eq!((settings, notes.len()), (Settings::default(), 1), "{query}");
        }
    }

    #[test]
    fn strength_is_an_attenuation_limit() {
        let at = |strength_db| Settings { strength_db, ..Settings::default() };
        assert_eq!((at(UNLIMITED_DB).kept(), at(0).kept()), (0.0, 1.0));
        assert!((at(20).kept() - 0.1).abs() < 1e-6);
        assert_eq!(at(UNLIMITED_DB).attenuation_limit_db(), MAX_ATTENUATION_DB);
    }

    proptest! {
        #[test]
        fn links_open_what_they_were_made_of(
            task in 0..3usize, strength_db in 0..=UNLIMITED_DB, seed: u32, voice in 0..9usize, matched: bool, embed: bool,
            depth in 0..4usize, kind in 0..16usize, window in prop::option::of((0u32..10_000, 1u32..10_000)),
            network in prop::option::of("[a-zä&=%+# ]{1,12}"), example in prop::option::of(0..ExampleRecording::ALL.len()),
        ) {
            let kinds = ["white", "room", "drop-packets", "made up"];
            let chain = Steps::default().with("raise-small").with_number(0, "quantile", 0.25).with(kinds[kind % 4]);
            let settings = Settings {
                task: PageTask::ALL[task], network, strength_db, seed, voice, matched, embed,
                chain,
                example: example.map(|index| ExampleRecording::ALL[index]),
                window: window.map(|(from, len)| [f64::from(from) / 1000.0, f64::from(from + len) / 1000.0]),
                depth: Depth::ALL[depth].0,
                backend: None,
            };
            let (again, notes) = Settings::from_query(&settings.to_query());
            prop_assert_eq!((again, notes), (settings, Vec::new()));
        }

        #[test]
        fn no_link_breaks_the_page(query in ".{0,200}") {
            Settings::from_query(&query);
        }
    }
}
