"""Draws what the three networks make of the report's two corruptions and of ordinary noise: docs/networks.png.

apt-get install espeak-ng
python scripts/draw_networks.py [--trainer PROGRAM] [--speech FILE.wav] [--out FILE.png]

The voice is espeak-ng's unless another recording is given; it was not trained on. Each picture has the SI-SDR of what it shows, in dB.
"""

import argparse
import subprocess
import tempfile
import tomllib
from pathlib import Path

import matplotlib
import numpy as np
import soundfile

from score import si_sdr

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

SENTENCE = "She had your dark suit in greasy wash water all year."
NOISES = {
    "small coefficients zeroed": ["--noise", "zero-small", "--amount", "0.9"],
    "small coefficients raised": ["--noise", "raise-small", "--amount", "0.8"],
    "pink noise at 5 dB": ["--noise", "pink", "--snr-db", "5"],
}
LIST = Path(__file__).parents[1] / "models/models.toml"
MODELS = [model["name"] for model in tomllib.loads(LIST.read_text())["model"]][::-1]
N_FFT, HOP_LENGTH = 512, 128
RANGE_DB = 70


def spectrogram(signal: np.ndarray) -> np.ndarray:
    """Levels in dB, `[bins, frames]`."""
    frames = np.lib.stride_tricks.sliding_window_view(signal, N_FFT)[::HOP_LENGTH]
    return 20 * np.log10(np.abs(np.fft.rfft(frames * np.hanning(N_FFT))).T + 1e-9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trainer", default="trainer", help="the program")
    parser.add_argument("--speech", type=Path, help="a clean recording in place of espeak-ng's voice")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "docs/networks.png")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clean_path = arguments.speech or folder / "clean.wav"
        if arguments.speech is None:
            subprocess.run(["espeak-ng", "-v", "en-us", "-s", "150", "-w", clean_path, SENTENCE], check=True)

        def run(*words: str | Path) -> None:
            subprocess.run([arguments.trainer, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def read(path: Path) -> np.ndarray:
            samples, rate = soundfile.read(path, always_2d=True)
            rates.add(rate)
            return samples.mean(axis=1)

        rates: set[int] = set()
        clean = read(clean_path)
        rows = []
        for number, (title, options) in enumerate(NOISES.items()):
            noisy = folder / f"noisy-{number}.wav"
            run("corrupt", clean_path, "-o", noisy, *options)
            row = [("clean", clean), (title, read(noisy))]
            for model in MODELS:
                denoised = folder / f"{model}-{number}.wav"
                run("denoise", noisy, "-o", denoised, "--model", model)
                row.append((model, read(denoised)))
            rows.append(row)

    (rate_hz,) = rates
    top = spectrogram(clean).max()
    figure, axes = plt.subplots(len(rows), 2 + len(MODELS), figsize=(15, 7.5), sharex=True, sharey=True, layout="constrained")
    for row, signals in zip(axes, rows, strict=True):
        for axis, (title, signal) in zip(row, signals, strict=True):
            picture = axis.imshow(
                spectrogram(signal), origin="lower", aspect="auto", cmap="magma", vmin=top - RANGE_DB, vmax=top,
                extent=(0, len(signal) / rate_hz, 0, rate_hz / 2000),
            )  # fmt: skip
            axis.set_ylim(0, 8)
            score = "" if title == "clean" else f": {si_sdr(clean, signal):.1f} dB"
            axis.set_title(title + score, fontsize=9)
        row[0].set_ylabel("kHz")
    for axis in axes[-1]:
        axis.set_xlabel("s")
    figure.colorbar(picture, ax=axes, label="dB", shrink=0.6)
    figure.savefig(arguments.out, dpi=80)
    print(arguments.out)


if __name__ == "__main__":
    main()
