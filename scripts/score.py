"""Scores of denoised recordings by the programs that papers use: PESQ, STOI and ESTOI; the rest in NumPy.

python scripts/score.py --clean CLEAN --noisy NOISY --estimate DENOISED [--files] [--json]

The table is that of `trainer evaluate`, with PESQ: means by kind of noise, by the input's SNR, and over all, before and
after. Files are paired by their paths below the folders, without extensions. The first folder below NOISY is the kind of
noise: the original of NOISY/babble/a.wav is CLEAN/babble/a.wav or else CLEAN/a.wav. Of several recordings that differ only
in their extensions, the one with the extension of the noisy file is taken. Compared is the mean of all channels; PESQ is
wideband (ITU-T P.862.2) and at 16 kHz, to which other rates are brought.

Recordings that cannot be scored are named and left out of every mean: silence, of which there is no SI-SDR, and what cannot be
read or compared. The latter make the exit code 1.
"""

import argparse
import json
import sys
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from math import floor, gcd
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from pesq import PesqError, pesq
from pystoi import stoi
from scipy.signal import resample_poly

EXTENSIONS = {".wav", ".wave", ".flac", ".ogg", ".oga", ".mp3"}
PESQ_RATE_HZ = 16_000
LIMIT_DB = 100.0
# Root mean square up to which a signal without its mean is silent: -100 dBFS, as in the trainer.
SILENCE_RMS = 1e-5
BAND_DB = 5
MOST_ROWS = 20
# Heading, name in JSON, digits after the point.
COLUMNS = [
    ("SI-SDR, dB", "si_sdr_db", 2),
    ("SNR, dB", "snr_db", 2),
    ("wSDR", "wsdr", 3),
    ("STOI", "stoi", 3),
    ("ESTOI", "estoi", 3),
    ("PESQ-WB", "pesq_wb", 2),
]

Scores = dict[str, float | None]


class Pair(NamedTuple):
    """A noisy recording with every recording that may be its original or its estimate: those with its name."""

    name: str
    kind: str
    noisy: Path
    clean: list[Path]
    estimate: list[Path]


class Silent(Exception):
    """There is nothing to score."""


def decibels(signal: float, error: float) -> float:
    """Limited to ±100 dB, so that a perfect or an empty estimate still averages."""
    if signal <= 0:
        return -LIMIT_DB
    return LIMIT_DB if error <= 0 else float(np.clip(10 * np.log10(signal / error), -LIMIT_DB, LIMIT_DB))


def snr(clean: np.ndarray, estimate: np.ndarray) -> float:
    return decibels(np.dot(clean, clean), np.sum((estimate - clean) ** 2))


def si_sdr(clean: np.ndarray, estimate: np.ndarray) -> float:
    """Le Roux et al. 2019, of signals without their means."""
    clean, estimate = clean - clean.mean(), estimate - estimate.mean()
    energy = np.dot(clean, clean)
    target = (np.dot(clean, estimate) / energy if energy > 0 else 0.0) * clean
    return decibels(np.dot(target, target), np.sum((estimate - target) ** 2))


def wsdr(noisy: np.ndarray, clean: np.ndarray, estimate: np.ndarray) -> float:
    """Choi et al. 2019, without the minus sign that makes it a loss."""

    def cosine(a: np.ndarray, b: np.ndarray) -> float:
        norms = np.linalg.norm(a) * np.linalg.norm(b)
        # Nothing asked for and nothing given is perfect; nothing in place of something is worth nothing.
        return float(np.dot(a, b) / norms) if norms > 0 else float(np.any(a) == np.any(b))

    noise = noisy - clean
    total = np.dot(clean, clean) + np.dot(noise, noise)
    alpha = np.dot(clean, clean) / total if total > 0 else 1.0
    return float(alpha * cosine(clean, estimate) + (1 - alpha) * cosine(noise, noisy - estimate))


def intelligibility(clean: np.ndarray, estimate: np.ndarray, rate_hz: int, extended: bool) -> float | None:
    """STOI or ESTOI; none where there are less than 0.4 s of speech, for which pystoi warns and gives 1e-5."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Not enough STFT frames")
        try:
            return float(stoi(clean, estimate, rate_hz, extended=extended))
        except RuntimeWarning:
            return None


def resample(signal: np.ndarray, rate_hz: int, to_hz: int) -> np.ndarray:
    divisor = gcd(rate_hz, to_hz)
    return resample_poly(signal, to_hz // divisor, rate_hz // divisor) if rate_hz != to_hz else signal


def wideband_pesq(clean: np.ndarray, estimate: np.ndarray, rate_hz: int) -> float | None:
    """PESQ; none where it finds no utterance."""
    clean, estimate = (resample(x, rate_hz, PESQ_RATE_HZ) for x in (clean, estimate))
    try:
        return float(pesq(PESQ_RATE_HZ, clean, estimate, "wb"))
    except PesqError:
        return None


def recordings(folder: Path) -> dict[Path, list[Path]]:
    """The recordings below a folder by their paths below it, without extensions."""
    found: dict[Path, list[Path]] = {}
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS):
        found.setdefault(path.relative_to(folder).with_suffix(""), []).append(path)
    if not found:
        sys.exit(f"error: no recordings in {folder}")
    return found


def pairs(clean_folder: Path, noisy_folder: Path, estimate_folder: Path) -> Iterable[Pair]:
    cleans, estimates = recordings(clean_folder), recordings(estimate_folder)
    for name, files in recordings(noisy_folder).items():
        kind, rest = (name.parts[0], Path(*name.parts[1:])) if len(name.parts) > 1 else ("any", name)
        for noisy in files:
            shown = str(name) + (noisy.suffix if len(files) > 1 else "")
            yield Pair(shown, kind, noisy, cleans.get(name, cleans.get(rest, [])), estimates.get(name, []))


def choose(candidates: list[Path], what: str, noisy: Path) -> Path:
    """The one of several recordings of one name that belongs to `noisy`."""
    if not candidates:
        raise ValueError(f"{noisy} has no {what}")
    alike = [path for path in candidates if path.suffix == noisy.suffix] or candidates
    if len(alike) > 1:
        names = " and ".join(map(str, candidates))
        raise ValueError(f"{names} have the same name: which one is the {what} of {noisy}?")
    return alike[0]


def read(path: Path) -> tuple[np.ndarray, int]:
    try:
        samples, rate_hz = soundfile.read(path, always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise ValueError(f"cannot read {path}: {error}") from error
    if not np.all(np.isfinite(samples)):
        raise ValueError(f"{path}: expected finite samples, got others")
    return samples.mean(axis=1), rate_hz


def is_silent(signal: np.ndarray) -> bool:
    return signal.size == 0 or float(np.std(signal)) <= SILENCE_RMS


def score(pair: Pair) -> dict:
    """The scores of one recording before and after, or why there are none."""
    try:
        return {"name": pair.name, "kind": pair.kind, **both_sides(pair)}
    except Silent as reason:
        return {"name": pair.name, "reason": f"{pair.noisy} is left out of the means: {reason}", "failed": False}
    except ValueError as error:
        return {"name": pair.name, "reason": str(error), "failed": True}


def both_sides(pair: Pair) -> dict[str, Scores]:
    """The scores of one recording before and after."""
    clean_path = choose(pair.clean, "clean original", pair.noisy)
    estimate_path = choose(pair.estimate, "estimate", pair.noisy)
    clean, rate_hz = read(clean_path)
    signals = []
    for path in (pair.noisy, estimate_path):
        signal, other_rate_hz = read(path)
        if (len(clean), rate_hz) != (len(signal), other_rate_hz):
            expected, got = f"{len(clean)} samples at {rate_hz} Hz", f"{len(signal)} at {other_rate_hz} Hz"
            raise ValueError(f"{path}: expected {expected} like its clean original, got {got}")
        signals.append(signal)
    noisy, estimate = signals
    if is_silent(clean):
        raise Silent("the clean original is silent")
    if is_silent(noisy):
        raise Silent("the noisy recording is silent")

    def scores(signal: np.ndarray) -> Scores:
        return {
            "si_sdr_db": si_sdr(clean, signal),
            "snr_db": snr(clean, signal),
            "wsdr": wsdr(noisy, clean, signal),
            "stoi": intelligibility(clean, signal, rate_hz, extended=False),
            "estoi": intelligibility(clean, signal, rate_hz, extended=True),
            "pesq_wb": wideband_pesq(clean, signal, rate_hz),
        }

    return {"before": scores(noisy), "after": scores(estimate)}


def group(name: str, items: list[dict]) -> dict:
    """The mean over some recordings, each as important as any other."""

    def mean(side: str) -> Scores:
        figures = {key: [item[side][key] for item in items if item[side][key] is not None] for _, key, _ in COLUMNS}
        return {key: float(np.mean(values)) if values else None for key, values in figures.items()}

    return {"name": name, "items": len(items), "before": mean("before"), "after": mean("after")}


def groups(items: list[dict], key: Callable[[dict], str | int], name: Callable = str) -> list[dict]:
    """One group for each value of `key`, in the order in which they come."""
    values = dict.fromkeys(map(key, items))
    return [group(name(value), [item for item in items if key(item) == value]) for value in values]


def band(item: dict) -> int:
    return floor(item["before"]["snr_db"] / BAND_DB)


def band_name(index: int) -> str:
    return f"{BAND_DB * index} to {BAND_DB * (index + 1)} dB"


def print_table(sets: list[tuple[str, list[dict]]]) -> None:
    sets = [(heading, rows) for heading, rows in sets if rows]
    width = max(len(name) for heading, rows in sets for name in [heading, *(row["name"] for row in rows)])
    print(" " * (width + 7) + "".join(f"  {heading:^15}" for heading, _, _ in COLUMNS))
    for heading, rows in sets:
        print(f"{heading:{width}}  files" + f"  {'before':>7} {'after':>7}" * len(COLUMNS))
        for row in rows:
            print(f"{row['name']:{width}}  {row['items']:5}", end="")
            for _, key, digits in COLUMNS:
                figures = (row["before"][key], row["after"][key])
                before, after = ("-" if figure is None else f"{figure:.{digits}f}" for figure in figures)
                print(f"  {before:>7} {after:>7}", end="")
            print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clean", type=Path, required=True, help="folder of clean recordings")
    parser.add_argument("--noisy", type=Path, required=True, help="folder of the same recordings with noise")
    parser.add_argument("--estimate", type=Path, required=True, help="folder of the noisy recordings, denoised")
    parser.add_argument("--files", action="store_true", help="print a row for every file, even if over 20")
    parser.add_argument("--json", action="store_true", help="print JSON; it has every file")
    arguments = parser.parse_args()

    with ProcessPoolExecutor() as pool:
        results = list(pool.map(score, pairs(arguments.clean, arguments.noisy, arguments.estimate)))
    files = [item for item in results if "reason" not in item]
    left_out = [item for item in results if "reason" in item]
    for item in left_out:
        print(("error: " if item["failed"] else "") + item["reason"], file=sys.stderr)
    if not files:
        sys.exit("error: no file has a score")
    by_kind = groups(files, lambda item: item["kind"])
    by_snr = groups(sorted(files, key=band), band, band_name)
    mean = group("all", files)
    if arguments.json:
        named = [{"name": item["name"], "reason": item["reason"]} for item in left_out]
        report = {"files": files, "by_kind": by_kind, "by_snr": by_snr, "mean": mean, "left_out": named}
        print(json.dumps(report, indent=2))
    else:
        rows = [group(item["name"], [item]) for item in files] if arguments.files or len(files) <= MOST_ROWS else []
        none = {key: None for _, key, _ in COLUMNS}
        empty = [{"name": item["name"], "items": 1, "before": none, "after": none} for item in left_out]
        sets = [("file", rows), ("left out of the means", empty), ("kind of noise", by_kind), ("SNR", by_snr)]
        print_table([*sets, ("mean", [mean])])
    failed = sum(item["failed"] for item in left_out)
    if failed:
        sys.exit(f"error: {failed} of {len(results)} files failed")


if __name__ == "__main__":
    main()
