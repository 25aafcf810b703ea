"""Scores of denoised recordings by the programs that papers use: PESQ, STOI and ESTOI; the rest in NumPy.

python scripts/score.py --clean CLEAN --noisy NOISY --estimate DENOISED [--files] [--json]

The table is that of `trainer evaluate`, with PESQ: means by kind of noise, by the input's SNR, and over all, before and
after. Files are paired by their paths below the folders, without extensions. The first folder below NOISY is the kind of
noise: the original of NOISY/babble/a.wav is CLEAN/babble/a.wav or else CLEAN/a.wav. Compared is the mean of all channels;
PESQ is wideband (ITU-T P.862.2) and at 16 kHz, to which other rates are brought.
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
    name: str
    kind: str
    clean: Path
    noisy: Path
    estimate: Path


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


def recordings(folder: Path) -> dict[Path, Path]:
    """The recordings below a folder by their paths below it, without extensions."""
    found: dict[Path, Path] = {}
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS):
        name = path.relative_to(folder).with_suffix("")
        if name in found:
            sys.exit(f"error: {found[name]} and {path} have the same name: which one is meant?")
        found[name] = path
    if not found:
        sys.exit(f"error: no recordings in {folder}")
    return found


def pairs(clean_folder: Path, noisy_folder: Path, estimate_folder: Path) -> Iterable[Pair]:
    cleans, estimates = recordings(clean_folder), recordings(estimate_folder)
    for name, noisy in recordings(noisy_folder).items():
        kind, rest = (name.parts[0], Path(*name.parts[1:])) if len(name.parts) > 1 else ("any", name)
        clean, estimate = cleans.get(name, cleans.get(rest)), estimates.get(name)
        if clean is None or estimate is None:
            sys.exit(f"error: {noisy} has no {'clean original' if clean is None else 'estimate'}")
        yield Pair(str(name), kind, clean, noisy, estimate)


def read(path: Path) -> tuple[np.ndarray, int]:
    samples, rate_hz = soundfile.read(path, always_2d=True)
    return samples.mean(axis=1), rate_hz


def score(pair: Pair) -> dict:
    """The scores of one recording before and after, or what is wrong with it."""
    (clean, rate_hz), *others = (read(path) for path in (pair.clean, pair.noisy, pair.estimate))
    for path, (signal, other_rate_hz) in zip((pair.noisy, pair.estimate), others, strict=True):
        if (len(clean), rate_hz) != (len(signal), other_rate_hz):
            expected, got = f"{len(clean)} samples at {rate_hz} Hz", f"{len(signal)} at {other_rate_hz} Hz"
            return {"error": f"{path}: expected {expected} like its clean original, got {got}"}
    noisy, estimate = (signal for signal, _ in others)

    def scores(signal: np.ndarray) -> Scores:
        return {
            "si_sdr_db": si_sdr(clean, signal),
            "snr_db": snr(clean, signal),
            "wsdr": wsdr(noisy, clean, signal),
            "stoi": intelligibility(clean, signal, rate_hz, extended=False),
            "estoi": intelligibility(clean, signal, rate_hz, extended=True),
            "pesq_wb": wideband_pesq(clean, signal, rate_hz),
        }

    return {"name": pair.name, "kind": pair.kind, "before": scores(noisy), "after": scores(estimate)}


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
        files = list(pool.map(score, pairs(arguments.clean, arguments.noisy, arguments.estimate)))
    errors = [item["error"] for item in files if "error" in item]
    if errors:
        sys.exit("\n".join(f"error: {error}" for error in errors))
    by_kind = groups(files, lambda item: item["kind"])
    by_snr = groups(sorted(files, key=band), band, band_name)
    mean = group("all", files)
    if arguments.json:
        print(json.dumps({"files": files, "by_kind": by_kind, "by_snr": by_snr, "mean": mean}, indent=2))
        return
    rows = [group(item["name"], [item]) for item in files] if arguments.files or len(files) <= MOST_ROWS else []
    print_table([("file", rows), ("kind of noise", by_kind), ("SNR", by_snr), ("mean", [mean])])


if __name__ == "__main__":
    main()
