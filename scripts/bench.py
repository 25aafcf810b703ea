"""Compares the speed and the memory of networks and transforms with PyTorch's, on the same machine, cores, weights and signal.

Run from the repository's root: python scripts/bench.py. It builds `cli/examples/measure.rs`, then runs that and the
PyTorch networks of this folder (eager, in inference mode) in turn, each time in a process of its own, so that what else the
machine does falls on both alike. Times are the best of all repetitions, and their median, for a second of audio. Memory is
what a second of audio more adds to the largest resident size: a difference of two lengths, so that weights, libraries and
code do not count. Both sides run with glibc told to keep freed memory, as the trainer tells it itself.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench_common import KEEP_MEMORY, build, peak_bytes, run

RATE_HZ = 16_000
SECONDS = {"autoencoder": 8, "wavenet-small": 4, "wavenet": 0.5}
SECONDS |= {"dcunet-small": 4, "dcunet-medium": 4, "dcunet-10": 4, "dcunet-20": 2}
"""Presets, and the length of the signal that times are taken on; 4 s for any other preset."""
SECONDS |= {"stft": 30, "raise-small": 30}
"""The transform with its inverse, and the report's noise made on it."""


def worker(weights: str, signal: str, repeats: int, threads: int, output: str | None) -> None:
    """What `measure` does, in PyTorch."""
    import torch

    from reference import load

    torch.set_num_threads(threads)
    transforms = {"stft": lambda spectrum: spectrum, "raise-small": raise_small}
    change = transforms.get(weights)
    network = load(weights) if change is None else lambda x: transform(x, change)
    x = torch.from_numpy(np.fromfile(signal, dtype="<f4"))[None, None]
    seconds = []
    with torch.inference_mode():
        for _ in range(repeats):
            start = time.perf_counter()
            y = network(x)
            seconds.append(time.perf_counter() - start)
    if output:
        y.numpy().astype("<f4").tofile(output)
    print(json.dumps({"seconds": seconds, "peak_bytes": peak_bytes()}))


def transform(x, change):
    """The STFT that noise is made on and its inverse, and in between `change` to the spectrum."""
    import torch

    x = x.flatten()
    window = torch.hann_window(1024)
    padded = torch.nn.functional.pad(x, (0, -len(x) % 256))
    spectrum = torch.stft(padded, 1024, 256, window=window, pad_mode="constant", return_complex=True)
    return torch.istft(change(spectrum), 1024, 256, window=window, length=len(x))


def raise_small(spectrum):
    """Coefficients below the quantile 0.6 raised to it, their phase kept."""
    import torch

    magnitude = spectrum.abs()
    threshold = magnitude.flatten().kthvalue(int(0.6 * magnitude.numel()) + 1).values
    return torch.where(magnitude < threshold, spectrum / magnitude * threshold, spectrum)


def build_measure(profile: str) -> str:
    selection = ["build", "--profile", profile, "-p", "cli", "--example", "measure"]
    if profile == "dev":
        # The features that the rest of the workspace is built with: nothing is built twice.
        selection = ["test", "--workspace", "--no-run", "--example", "measure"]
    return build(selection, "measure")


class Sides:
    """Both programs on one preset."""

    def __init__(self, measure: str, preset: str, folder: Path, form: str):
        self.measure, self.preset, self.folder, self.form = measure, preset, folder, form
        if preset in ("stft", "raise-small"):
            self.weights = preset
            return
        self.weights = folder / f"{preset}.safetensors"
        subprocess.run([measure, preset, "--export", self.weights], check=True, env=os.environ | KEEP_MEMORY)

    def signal(self, seconds: float) -> Path:
        path = self.folder / f"{seconds}.f32"
        noise = np.random.default_rng(1).normal(0, 0.1, round(seconds * RATE_HZ))
        noise.astype("<f4").tofile(path)
        return path

    def ours(self, seconds: float, repeats: int, threads: int, output: Path | None = None) -> dict:
        command = [self.measure, self.preset, "--input", self.signal(seconds), "--repeats", repeats, "--form", self.form]
        return run(command + (["--output", output] if output else []), threads)

    def torch(self, seconds: float, repeats: int, threads: int, output: Path | None = None) -> dict:
        command = [sys.executable, __file__, "--worker", self.weights, self.signal(seconds), repeats, threads]
        return run(command + ([output] if output else []), threads)

    def difference(self) -> float:
        """The largest difference of the outputs, relative to the largest output."""
        a, b = self.folder / "a.f32", self.folder / "b.f32"
        self.ours(0.5, 1, 1, a), self.torch(0.5, 1, 1, b)
        a, b = (np.fromfile(path, dtype="<f4") for path in (a, b))
        return float(np.abs(a - b).max() / np.abs(b).max())

    def memory(self, side) -> float:
        """Bytes that a second of audio more takes, on one thread."""
        length = max(1, 2 * SECONDS.get(self.preset, 4))
        short, long = (side(seconds, 1, 1)["peak_bytes"] for seconds in (length, 2 * length))
        return (long - short) / length


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("presets", nargs="*", default=list(SECONDS), help=f"presets of the registry [{', '.join(SECONDS)}]")
    parser.add_argument("--rounds", type=int, default=5, help="how often the two take turns [5]")
    parser.add_argument("--repeats", type=int, default=6, help="forward passes in a turn [6]")
    parser.add_argument("--form", default="products", choices=["products", "convolutions", "plain"])
    parser.add_argument("--profile", default="release", help="cargo's [release]")
    arguments = parser.parse_args()
    measure = build_measure(arguments.profile)
    print("| what | threads | ours, ms | PyTorch, ms | PyTorch / ours | ours, MB | PyTorch, MB | largest difference |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for preset in arguments.presets:
            sides = Sides(measure, preset, Path(folder), arguments.form)
            difference = sides.difference()
            memory = [sides.memory(side) / 1e6 for side in (sides.ours, sides.torch)]
            for threads in (1, 2):
                times = [[], []]
                for _ in range(arguments.rounds):
                    for kept, side in zip(times, (sides.ours, sides.torch)):
                        # The first pass warms caches and allocators up.
                        kept += side(SECONDS.get(preset, 4), arguments.repeats + 1, threads)["seconds"][1:]
                scale = 1e3 / SECONDS.get(preset, 4)
                (best, median), (torch_best, torch_median) = (
                    (scale * min(kept), scale * statistics.median(kept)) for kept in times
                )
                print(
                    f"| {preset} | {threads} | {best:.2f} ({median:.2f}) | {torch_best:.2f} ({torch_median:.2f}) "
                    f"| {torch_best / best:.2f} ({torch_median / median:.2f}) | {memory[0]:.1f} | {memory[1]:.1f} "
                    f"| {difference:.0e} |",
                    flush=True,
                )


if __name__ == "__main__":
    if "--worker" in sys.argv:
        weights, signal, repeats, threads, *output = sys.argv[2:]
        worker(weights, signal, int(repeats), int(threads), output[0] if output else None)
    else:
        main()
