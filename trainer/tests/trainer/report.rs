//! `trainer report`: a run's folder in, one page out.

use std::fs;
use std::path::Path;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use shared::{metric, noise, synth};
use tempfile::tempdir;

use crate::common::{read, trainer, write};

/// Writes the report of `run` in `root`, which must succeed; the page.
fn report(root: &Path) -> String {
    let output = trainer(root, "report run --overwrite");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(root.join("run/report.html")).unwrap()
}

/// Asks for the report of `run` in `root`, which must fail with exit code 2; the message.
fn fail(root: &Path) -> String {
    let output = trainer(root, "report run");
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(!root.join("run/report.html").exists());
    message
}

fn training(step: usize) -> Value {
    let done = step as f64 / 800.0;
    json!({"kind": "training", "step": step, "loss": 0.2 + 0.8 * (-4.0 * done).exp() + 0.02 * (step as f64).sin(),
        "learning_rate": 1e-3 * (step as f64 / 100.0).min(1.0) * (1.0 - 0.99 * done), "gradient_norm": 3.0 - 2.0 * done,
        "skipped": step / 400, "steps_per_second": 2.5 + 0.1 * (step as f64).cos(), "waiting": 0.02})
}

/// SI-SDR, and all else in step with it.
fn scores(si_sdr_db: f64) -> Value {
    json!({"si_sdr_db": si_sdr_db, "snr_db": si_sdr_db + 0.5, "wsdr": 0.5 + 0.03 * si_sdr_db,
        "stoi": 0.7 + 0.02 * si_sdr_db, "estoi": 0.5 + 0.03 * si_sdr_db})
}

fn validation(step: usize, after_db: f64, best: bool) -> Value {
    let all = json!({"name": "all", "items": 6, "before": scores(4.25), "after": scores(after_db)});
    json!({"kind": "validation", "step": step, "all": all, "by_kind": [all], "best": best})
}

fn write_lines(run: &Path, lines: &[Value]) {
    fs::create_dir_all(run).unwrap();
    fs::write(run.join("metrics.jsonl"), lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}

/// A run of 800 steps with everything in its folder.
fn write_run(run: &Path) {
    let mut lines: Vec<_> = (1..=80).map(|index| training(10 * index)).collect();
    for (step, after_db, best) in
        [(200, 6.0, true), (400, 8.5, true), (600, 9.75, true), (800, 9.5, false)].into_iter().rev()
    {
        lines.insert(step / 10, validation(step, after_db, best));
    }
    write_lines(run, &lines);
    let data = json!({"speech_hours": 12.5, "kinds": ["babble", "street"], "licence": "CC BY 4.0 <&>"});
    let plan = json!({"name": "quiet <one>", "network": "dcunet-small", "steps": 1600, "data": data, "seed": 7});
    fs::write(run.join("plan.json"), plan.to_string()).unwrap();
    fs::write(run.join("recipe.toml"), "network = \"dcunet-small\" # <b>small</b>\nsteps = 1600\n").unwrap();
    // Two kinds of three items: the noisiest of babble gets worse.
    let item = |kind: &str, before: f64, after: f64| json!({"name": "x", "kind": kind, "before": scores(before), "after": scores(after)});
    let mut items = vec![
        item("babble", -1.5, -2.5),
        item("babble", 3.0, 5.0),
        item("babble", 6.0, 8.0),
        item("street", 2.0, 9.0),
        item("street", 7.0, 12.0),
        item("street", 9.0, 14.25),
    ];
    for item in &mut items[3..] {
        for when in ["before", "after"] {
            item[when]["estoi"] = Value::Null;
        }
    }
    fs::write(run.join("scores.json"), json!(items).to_string()).unwrap();
    for number in 0..2 {
        write_example(run, number);
    }
}

/// An example whose denoised form has 12 dB less noise than the noisy one.
fn write_example(run: &Path, number: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(number);
    let clean = synth::speech(64_000, 16_000, &mut rng);
    let hiss = noise::pink(64_000, 16_000, &mut rng);
    let [noisy, denoised] = [3.0, 15.0].map(|snr_db| noise::mix(&clean, &hiss, snr_db).unwrap());
    fs::create_dir_all(run.join("examples")).unwrap();
    for (name, samples) in [("clean", clean), ("noisy", noisy), ("denoised", denoised)] {
        write(&run.join(format!("examples/{number}-{name}.wav")), 16_000, samples);
    }
}

/// Follows the tags of a page, which must be balanced, and fails where one is not.
fn check_tags(page: &str) {
    const VOID: [&str; 4] = ["meta", "link", "img", "input"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page.split_once("<!DOCTYPE html>").expect("a page begins with its type").1;
    while let Some((_, tag)) = rest.split_once('<') {
        let (tag, after) = tag.split_once('>').expect("a tag ends");
        rest = after;
        let name = tag.trim_start_matches('/').split_whitespace().next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "before {:?}", &rest.chars().take(80).collect::<String>());
        } else if !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name);
            if ["style", "script"].contains(&name) {
                let end = rest.find(&format!("</{name}>")).expect("style and script end");
                rest = &rest[end..];
            }
        }
    }
    assert!(open.is_empty(), "not closed: {open:?}");
}

/// The text of the table row that begins with the heading `name`, its cells separated by bars.
fn row(page: &str, name: &str) -> String {
    let start = page.find(&format!("<th scope=\"row\">{name}</th>")).unwrap_or_else(|| panic!("no row {name}"));
    let row = &page[start..start + page[start..].find("</tr>").unwrap()];
    let mut text = String::new();
    for piece in row.replace("</td>", " |").split('<') {
        text += piece.split_once('>').map_or(piece, |(_, text)| text);
        text.push(' ');
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_run_becomes_a_page() {
    let root = tempdir().unwrap();
    write_run(&root.path().join("run"));
    let page = report(root.path());
    check_tags(&page);

    assert!(page.contains("<h1>quiet &lt;one&gt;</h1>"));
    for figure in ["4.25 → 9.75 dB", "+5.50 dB", "<dd>600</dd>", "<dd>800<small>of 1600</small></dd>"] {
        assert!(page.contains(figure), "{figure}");
    }
    for title in ["Training loss", "SI-SDR", "STOI", "Learning rate", "Gradient norm", "Speed", "Waiting for data"] {
        assert!(page.contains(title), "{title}");
    }
    assert_eq!(page.matches("<svg class=\"chart\"").count(), 7);
    assert_eq!(page.matches("best: ").count(), 2);
    assert!(page.contains("before 4.25 at step 200, 4.25 at step 800"));

    // Means by hand. SNR is 0.5 dB above SI-SDR, so that the bands hold 1, 2 and 3 items.
    let babble = row(&page, "babble");
    assert!(babble.contains("| 2.50 → 3.50 +1.00 | 3.00 → 4.00 +1.00 | 0.575 → 0.605 +0.030 |"), "{babble}");
    let street = row(&page, "street");
    assert!(street.contains("street 3 | 6.00 → 11.75 +5.75 |") && street.ends_with("| – |"), "{street}");
    let noisiest = row(&page, "-5 to 0 dB");
    assert!(noisiest.contains("dB 1 | -1.50 → -2.50 -1.00 |"), "{noisiest}");
    for (band, items) in [("0 to 5 dB", 2), ("5 to 10 dB", 3), ("all", 6)] {
        assert!(row(&page, band).contains(&format!("{band} {items} |")), "{}", row(&page, band));
    }
    assert_eq!(page.matches("class=\"bar worse\"").count(), 5);

    assert!(row(&page, "data.kinds").contains("babble, street"));
    assert!(row(&page, "data.licence").contains("CC BY 4.0 &lt;&amp;&gt;"));
    assert!(page.contains("# &lt;b&gt;small&lt;/b&gt;\nsteps = 1600"));
}

#[test]
fn examples_are_seen_and_heard() {
    let root = tempdir().unwrap();
    let run = root.path().join("run");
    write_run(&run);
    // Of a third one, something is missing.
    fs::copy(run.join("examples/0-clean.wav"), run.join("examples/2-clean.wav")).unwrap();
    let page = report(root.path());
    assert_eq!(page.matches("<audio controls").count(), 6);
    assert_eq!(page.matches("src=\"data:audio/wav;base64,").count(), 6);
    // Three waveforms and three spectrograms for each of the two examples.
    assert_eq!(page.matches("src=\"data:image/png;base64,").count(), 12);
    for name in ["Clean", "Noisy", "Denoised"] {
        assert_eq!(page.matches(&format!("alt=\"Spectrogram: Example 1, {name}\"")).count(), 1, "{name}");
        assert_eq!(page.matches(&format!("aria-label=\"Example 1, {name}\"")).count(), 1, "{name}");
    }
    assert_eq!(page.matches("Colours from dark at -80 dB to bright at 0 dB").count(), 2);
    assert!(page.contains("Level in dB; 0 is the loudest of the three."));
    let read = |name: &str| read(&run.join(format!("examples/1-{name}.wav"))).to_mono();
    for name in ["noisy", "denoised"] {
        let si_sdr_db = metric::si_sdr(&read("clean"), &read(name));
        assert!(page.contains(&format!("SI-SDR {si_sdr_db:.2} dB")), "{name}: {si_sdr_db}");
    }
}

#[test]
fn the_page_loads_nothing() {
    let root = tempdir().unwrap();
    write_run(&root.path().join("run"));
    let page = report(root.path());
    assert!(page.contains("http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:;"));
    for outside in ["http:", "https:", "url(", "@import", "//cdn"] {
        assert!(!page.contains(outside), "{outside}");
    }
    for attribute in ["src=\"", "href=\""] {
        for (index, _) in page.match_indices(attribute) {
            assert!(page[index + attribute.len()..].starts_with("data:"), "{}", &page[index..index + 40]);
        }
    }
}

#[test]
fn the_page_goes_where_it_is_asked_to() {
    let root = tempdir().unwrap();
    write_lines(&root.path().join("run"), &[training(10)]);
    let output = trainer(root.path(), "report run/ -o pages/a.html");
    assert!(output.status.success());
    // Without a plan, the folder gives the name.
    assert!(fs::read_to_string(root.path().join("pages/a.html")).unwrap().contains("<h1>run</h1>"));
    assert!(!root.path().join("run/report.html").exists());
}

#[test]
fn what_is_missing_is_said() {
    let root = tempdir().unwrap();
    let run = root.path().join("run");
    write_lines(&run, &[]);
    let page = report(root.path());
    check_tags(&page);
    for words in ["Nothing logged yet", "No validation yet", "No scores yet", "No examples yet", "no plan.json"] {
        assert!(page.contains(words), "{words}");
    }
    write_lines(&run, &[training(10)]);
    let page = report(root.path());
    assert!(page.contains("No figures yet") && page.contains("No validation yet") && page.contains("<dd>10</dd>"));
    write_lines(&run, &[training(10), validation(10, 5.0, true)]);
    assert!(report(root.path()).contains("4.25 → 5.00 dB"));
}

#[test]
fn a_killed_run_has_a_report() {
    let root = tempdir().unwrap();
    let run = root.path().join("run");
    let lines = format!("{}\n{}\n", training(10), training(20));
    fs::create_dir_all(&run).unwrap();
    fs::write(run.join("metrics.jsonl"), format!("{lines}{{\"kind\": \"training\", \"st")).unwrap();
    assert!(report(root.path()).contains("<dd>20</dd>"));
    fs::remove_file(run.join("report.html")).unwrap();
    fs::write(run.join("metrics.jsonl"), format!("{lines}{{\"kind\": \"training\", \"st\n{}\n", training(30))).unwrap();
    let message = fail(root.path());
    assert!(message.contains("metrics.jsonl, line 3: "), "{message}");
}

#[test]
fn what_a_resumed_run_did_again_counts_once() {
    let root = tempdir().unwrap();
    let mut lines =
        vec![training(10), validation(10, 6.0, true), training(20), validation(20, 99.0, true), training(30)];
    // It goes on from step 10.
    lines.extend([training(20), validation(20, 5.0, false)]);
    write_lines(&root.path().join("run"), &lines);
    let page = report(root.path());
    assert!(page.contains("4.25 → 6.00 dB") && page.contains("<dd>20</dd>"));
    assert!(page.contains("after 6 at step 10, 5 at step 20"));
}

#[test]
fn other_folders_and_broken_files_are_explained() {
    let root = tempdir().unwrap();
    let run = root.path().join("run");
    assert!(fail(root.path()).contains("expected the folder of a training run, with metrics.jsonl in it"));
    fs::create_dir(&run).unwrap();
    assert!(fail(root.path()).contains("there is none in run"));
    write_lines(&run, &[training(10)]);
    for (file, expected) in
        [("plan.json", "expected a JSON object"), ("scores.json", "expected a list of scored items")]
    {
        fs::write(run.join(file), "3").unwrap();
        let message = fail(root.path());
        assert!(message.contains(file) && message.contains(expected), "{message}");
        fs::remove_file(run.join(file)).unwrap();
    }
    write_example(&run, 0);
    write(&run.join("examples/0-noisy.wav"), 16_000, vec![0.0; 1_000]);
    let message = fail(root.path());
    assert!(
        message.contains("0-noisy.wav: expected 64000 samples at 16000 Hz like the clean one, got 1000"),
        "{message}"
    );
    fs::write(run.join("examples/0-noisy.wav"), "no sound").unwrap();
    assert!(fail(root.path()).contains("0-noisy.wav"));
}

#[test]
fn a_change_of_data_is_said_and_the_best_score_is_the_latest() {
    let root = tempdir().unwrap();
    let best = json!({"step": 10, "all": validation(10, 3.5, true)["all"]});
    let changes = ["validation speech: 1 added (a.wav)"];
    let resumed = json!({"kind": "resumed", "step": 20, "changes": changes, "best": best});
    let mut lines = vec![training(10), validation(10, 6.0, true), training(20), validation(20, 5.0, false), resumed];
    lines.extend([training(30), validation(30, 3.0, false)]);
    write_lines(&root.path().join("run"), &lines);
    let page = report(root.path());
    check_tags(&page);
    assert!(page.contains("4.25 → 3.50 dB") && page.contains("<dd>10</dd>"));
    assert!(page.contains("The data changed after step 20: validation speech: 1 added (a.wav)."));
    assert!(page.contains("after 6 at step 10, 3 at step 30") && !page.contains("best: "));
}

#[test]
fn a_page_that_exists_is_not_replaced_unasked() {
    let root = tempdir().unwrap();
    let run = root.path().join("run");
    fs::create_dir(&run).unwrap();
    fs::write(run.join("report.html"), "mine").unwrap();
    let output = trainer(root.path(), "report run");
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("run/report.html exists already; use --overwrite"), "{message}");
    assert_eq!(fs::read_to_string(run.join("report.html")).unwrap(), "mine");
}
