"""Scores of denoised recordings by the programs that papers use: PESQ, STOI and ESTOI; SI-SDR and wSDR in NumPy.

python scripts/score.py --clean CLEAN --estimate DENOISED [--noisy NOISY] [--json]

Files are paired by their paths below the folders, without extensions. Compared is the mean of all channels; PESQ is
wideband (ITU-T P.862.2) and at 16 kHz, to which other rates are brought. SI-SDR is in dB; wSDR, 1 at best, needs the
noisy recordings.
"""

import argparse
import json
import sys
from math import gcd
from pathlib import Path

import numpy as np
import soundfile
from pesq import PesqError, pesq
from pystoi import stoi
from scipy.signal import resample_poly

EXTENSIONS = {".wav", ".flac", ".ogg", ".mp3"}
PESQ_RATE_HZ = 16_000


def si_sdr(clean: np.ndarray, estimate: np.ndarray) -> float:
    """Le Roux et al. 2019, of signals without their means, in dB."""
    clean, estimate = clean - clean.mean(), estimate - estimate.mean()
    target = np.dot(clean, estimate) / np.dot(clean, clean) * clean
    return float(10 * np.log10(np.dot(target, target) / np.sum((estimate - target) ** 2)))


def wsdr(noisy: np.ndarray, clean: np.ndarray, estimate: np.ndarray) -> float:
    """Choi et al. 2019, without the minus sign that makes it a loss."""

    def cosine(a: np.ndarray, b: np.ndarray) -> float:
        norms = np.linalg.norm(a) * np.linalg.norm(b)
        return float(np.dot(a, b) / norms) if norms > 0 else 0.0

    noise = noisy - clean
    alpha = np.dot(clean, clean) / (np.dot(clean, clean) + np.dot(noise, noise))
    return float(alpha * cosine(clean, estimate) + (1 - alpha) * cosine(noise, noisy - estimate))


def wideband_pesq(clean: np.ndarray, estimate: np.ndarray, rate_hz: int) -> float:
    if rate_hz != PESQ_RATE_HZ:
        divisor = gcd(PESQ_RATE_HZ, rate_hz)
        up, down = PESQ_RATE_HZ // divisor, rate_hz // divisor
        clean, estimate = (resample_poly(x, up, down) for x in (clean, estimate))
    return float(pesq(PESQ_RATE_HZ, clean, estimate, "wb"))


def recordings(folder: Path) -> dict[Path, Path]:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS)
    if not files:
        sys.exit(f"error: no recordings in {folder}")
    return {path.relative_to(folder).with_suffix(""): path for path in files}


def read(path: Path) -> tuple[np.ndarray, int]:
    samples, rate_hz = soundfile.read(path, always_2d=True)
    return samples.mean(axis=1), rate_hz


def score(clean: Path, estimate: Path, noisy: Path | None) -> dict[str, float]:
    (reference, rate_hz), (signal, other_rate_hz) = read(clean), read(estimate)
    if (len(reference), rate_hz) != (len(signal), other_rate_hz):
        expected, got = f"{len(reference)} samples at {rate_hz} Hz", f"{len(signal)} at {other_rate_hz} Hz"
        sys.exit(f"error: {estimate}: expected {expected} like the clean recording, got {got}")
    try:
        quality = wideband_pesq(reference, signal, rate_hz)
    except PesqError:  # no utterance found
        quality = float("nan")
    scores = {
        "PESQ-WB": quality,
        "STOI": float(stoi(reference, signal, rate_hz)),
        "ESTOI": float(stoi(reference, signal, rate_hz, extended=True)),
        "SI-SDR": si_sdr(reference, signal),
    }
    if noisy is not None:
        scores["wSDR"] = wsdr(read(noisy)[0], reference, signal)
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clean", type=Path, required=True, help="folder of clean recordings")
    parser.add_argument("--estimate", type=Path, required=True, help="folder of the same recordings, denoised")
    parser.add_argument("--noisy", type=Path, help="folder of the same recordings with noise, for wSDR")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()

    clean = recordings(arguments.clean)
    noisy = recordings(arguments.noisy) if arguments.noisy else {}
    rows = {}
    for name, path in recordings(arguments.estimate).items():
        if name not in clean or (noisy and name not in noisy):
            sys.exit(f"error: {path} has no clean or no noisy recording of its name")
        rows[str(name)] = score(clean[name], path, noisy.get(name))
    columns = list(next(iter(rows.values())))
    rows["mean"] = {column: float(np.nanmean([row[column] for row in rows.values()])) for column in columns}
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    width = max(len(name) for name in rows)
    print(" " * width + "".join(f"{column:>9}" for column in columns))
    for name, row in rows.items():
        print(f"{name:{width}}" + "".join(f"{row[column]:9.3f}" for column in columns))


if __name__ == "__main__":
    main()
