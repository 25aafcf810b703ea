"""Compares the speed and the memory of training with PyTorch's, on the same device, from the same weights, on the same batch.

Run from the repository's root: python scripts/bench_training.py. It builds `trainer`, then lets `trainer bench` and the PyTorch
networks of this folder (eager, in training mode) do the same training steps in turn, each time in a process of its own, so that
what else the machine does falls on both alike. A step is forward pass, loss, backward pass, clipping of the gradient's norm
to 3, and AdamW. Both sides run with glibc told to keep freed memory, as the trainer tells it itself.

Steps per second are the best of all steps, and in brackets the median; the first two of a process are not counted. Memory is
the largest resident size less that of a batch of 10 ms, so that weights, libraries and code do not count. The last column is
how far the losses of the first three steps are apart at most: it says whether the two did the same.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench_common import build, peak_bytes, run

BATCHES = {"autoencoder": (4, 1), "wavenet-small": (4, 1), "dcunet-small": (4, 1)}
"""Presets, with the items of a batch and their length in seconds."""
BATCHES |= {"dcunet-medium": (4, 1), "dcunet-10": (4, 1), "wavenet": (1, 0.25), "dcunet-20": (2, 0.5)}
WARM_UP = 2
"""Steps that `trainer bench` does before those it times."""
COMPARED = 3
"""Steps whose losses are compared; rounding drives the two apart with every one."""
TOLERANCE = 1e-3


def worker(folder: Path, batch_size: int, loss: str, device: str, threads: int, steps: int) -> None:
    """What `trainer bench` does, in PyTorch, from what that wrote to `folder`."""
    import torch

    from reference import load
    from reference.losses import LOSSES

    torch.set_num_threads(threads)
    network = load(folder / "weights.safetensors").to(device).train()
    noisy, clean = (
        torch.from_numpy(np.fromfile(folder / f"{side}.f32", dtype="<f4")).reshape(batch_size, 1, -1).to(device)
        for side in ("noisy", "clean")
    )
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-5, weight_decay=1e-4)
    losses, seconds = [], []
    for _ in range(WARM_UP + steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        value = LOSSES[loss](noisy, clean, network(noisy))
        losses.append(value.item())
        value.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 3.0)
        optimizer.step()
        if device != "cpu":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"losses": losses, "seconds": seconds[WARM_UP:], "peak_bytes": peak_bytes()}))


class Sides:
    """Both programs on one preset, with one loss, on one device."""

    def __init__(self, trainer: str, preset: str, loss: str, device: str, folder: Path):
        self.trainer, self.preset, self.loss, self.device, self.folder = trainer, preset, loss, device, folder

    def ours(self, batch: tuple[int, float], steps: int, threads: int) -> dict:
        """Also writes what the other side starts from."""
        command = [self.trainer, "bench", "--json", "--network", self.preset, "--loss", self.loss]
        command += ["--batch-size", batch[0], "--crop-seconds", batch[1], "--steps", steps, "--device", self.device]
        return run(command + ["--dump", self.folder], threads)

    def torch(self, batch: tuple[int, float], steps: int, threads: int) -> dict:
        command = [sys.executable, __file__, "--worker", self.folder, batch[0], self.loss, self.device, threads, steps]
        return run(command, threads)

    def memory(self, batch: tuple[int, float], threads: int) -> list[float]:
        """Bytes that a batch takes on either side, without what the program takes anyway."""

        def peaks(batch: tuple[int, float]) -> list[int]:
            return [side(batch, 1, threads)["peak_bytes"] for side in (self.ours, self.torch)]

        return [large - small for large, small in zip(peaks(batch), peaks((1, 0.01)))]

    def row(self, batch: tuple[int, float], rounds: int, steps: int, threads: int) -> str:
        """A line of the table."""
        turns = [(self.ours(batch, steps, threads), self.torch(batch, steps, threads)) for _ in range(rounds)]
        ours, torch = ([second for turn in side for second in turn["seconds"]] for side in zip(*turns))
        (best, median), (torch_best, torch_median) = (
            (1 / min(seconds), 1 / statistics.median(seconds)) for seconds in (ours, torch)
        )
        first = zip(*(side["losses"][:COMPARED] for side in turns[0]))
        difference = max(abs(a - b) for a, b in first)
        on_cpu = self.device == "cpu"
        memory = [f"{size / 1e6:.0f}" for size in self.memory(batch, threads)] if on_cpu else ["–", "–"]
        apart = f"{difference:.0e}" + (" **too far**" if difference > TOLERANCE else "")
        return (
            f"| {self.preset} | {batch[0]} × {batch[1]} s | {threads if on_cpu else self.device} "
            f"| {best:.2f} ({median:.2f}) | {torch_best:.2f} ({torch_median:.2f}) "
            f"| {best / torch_best:.2f} ({median / torch_median:.2f}) | {memory[0]} | {memory[1]} | {apart} |"
        )


def has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("presets", nargs="*", default=list(BATCHES), help="any that trainer has [%(default)s]")
    parser.add_argument("--device", choices=["cpu", "cuda"], help="[the CPU, then the GPU if there is one]")
    parser.add_argument("--loss", default="wsdr", help="l1, mse, wsdr or multi-resolution-stft [wsdr]")
    parser.add_argument("--rounds", type=int, default=3, help="how often the two take turns [3]")
    parser.add_argument("--steps", type=int, default=8, help="steps in a turn that are timed [8]")
    parser.add_argument("--threads", default="1,2", help="on the CPU [1,2]")
    parser.add_argument("--profile", default="release", help="cargo's [release]")
    parser.add_argument("--trainer", help="a program that is built already")
    arguments = parser.parse_args()
    devices = [arguments.device] if arguments.device else ["cpu", "cuda"]
    if "cuda" in devices and not has_gpu():
        devices.remove("cuda")
        print("No figures for a GPU: PyTorch sees none.", file=sys.stderr)
    if not devices:
        return
    features = ["--features", "cuda"] if "cuda" in devices else []
    trainer = arguments.trainer or build(["build", "--profile", arguments.profile, "-p", "trainer", *features], "trainer")
    print(f"Loss {arguments.loss}, steps per second:\n")
    print("| network | batch | threads | ours | PyTorch | ours / PyTorch | ours, MB | PyTorch, MB | losses apart |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for device in devices:
            threads = [int(count) for count in arguments.threads.split(",")] if device == "cpu" else [1]
            for preset in arguments.presets:
                sides = Sides(trainer, preset, arguments.loss, device, Path(folder))
                for count in threads:
                    try:
                        batch = BATCHES.get(preset, (1, 0.5))
                        print(sides.row(batch, arguments.rounds, arguments.steps, count), flush=True)
                    except subprocess.CalledProcessError as error:
                        # It said why itself: no such backend in this build, say, or no such preset.
                        print(f"No figures for {preset} on {device}: {error}", file=sys.stderr)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        folder, batch_size, loss, device, threads, steps = sys.argv[2:]
        worker(Path(folder), int(batch_size), loss, device, int(threads), int(steps))
    else:
        main()
