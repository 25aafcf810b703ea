"""Writes the fixtures of shared/tests/shared/golden.rs: what the PyTorch networks of this folder give for fixed weights.

Run from the repository's root: python scripts/generate_fixtures.py. Everything is computed in double precision from
single precision inputs and weights, and stored in single precision. Seeded, so that a second run writes the same files
on the same version of PyTorch.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
from pystoi import stoi
from safetensors.torch import save_file
from torch import Tensor, nn

from reference import build
from reference.complex import ComplexBatchNorm, ComplexConv2d, ComplexConvTranspose2d
from reference.losses import LOSSES

FOLDER = Path(__file__).parent.parent / "shared/tests/fixtures"


RNNFORMER = {
    "network": "rnnformer",
    "stft": {"n_fft": 64, "hop_length": 32},
    "channels": 6,
    "blocks": 2,
    "inner_channels": 8,
    "bands": 5,
    "heads": 2,
    "compression": 0.3,
}


def layer(channels: int, kernel_size: list[int], stride: list[int]) -> dict:
    return {"channels": channels, "kernel_size": kernel_size, "stride": stride}


def dcunet(n_fft: int, layers: list[dict], **powers: float) -> dict:
    stft = {"n_fft": n_fft, "hop_length": n_fft // 4}
    return {"network": "dcunet", "stft": stft, "layers": layers, "compression": 1.0, **powers}


def wavenet(stacks: int, blocks_per_stack: int, residual_channels: int, skip_channels: int) -> dict:
    sizes = {"stacks": stacks, "blocks_per_stack": blocks_per_stack, "kernel_size": 3}
    channels = {"residual_channels": residual_channels, "skip_channels": skip_channels, "final_channels": [6, 5]}
    return {"network": "wavenet", **sizes, **channels, "frame_length": 1, "estimate": "speech"}


NETWORKS = {
    # name: (configuration, samples, loss)
    "autoencoder": ({"network": "autoencoder", "channels": 3, "kernel_size": 2048, "stride": 32}, 3000, "l1"),
    # The paper's dilations, 1 to 512 three times over, on more samples than the receptive field of 6145.
    "wavenet": (wavenet(3, 10, 4, 3), 6500, "mse"),
    # One whole gated residual block and a last one.
    "gated-residual-block": (wavenet(1, 2, 3, 2), 50, "mse"),
    # The papers' kernels and strides at a reduced width; the transform is as small as the strides allow.
    "dcunet-10": (
        dcunet(
            64,
            [
                layer(2, [7, 5], [2, 2]),
                layer(4, [7, 5], [2, 2]),
                layer(4, [5, 3], [2, 2]),
                layer(4, [5, 3], [2, 2]),
                layer(4, [5, 3], [2, 1]),
            ],
        ),
        1500,
        "wsdr",
    ),
    "dcunet-20": (
        dcunet(
            512,
            [
                layer(2, [7, 1], [1, 1]),
                layer(2, [1, 7], [1, 1]),
                layer(2, [7, 5], [2, 2]),
                layer(2, [7, 5], [2, 1]),
                layer(2, [5, 3], [2, 2]),
                layer(2, [5, 3], [2, 1]),
                layer(2, [5, 3], [2, 2]),
                layer(2, [5, 3], [2, 1]),
                layer(2, [5, 3], [2, 2]),
                layer(3, [5, 3], [2, 1]),
            ],
        ),
        6000,
        "wsdr",
    ),
    "compressed-dcunet": (
        dcunet(64, [layer(2, [3, 3], [2, 2]), layer(3, [5, 3], [2, 1])], compression=0.5, mask_exponent=0.75),
        700,
        "wsdr",
    ),
    # Two 1x1 layers, the second so loud that tanh holds half of the mask at 1.
    "bounded-mask": (dcunet(32, [layer(2, [1, 1], [1, 1])]), 300, "l1"),
}


def single(x: Tensor) -> Tensor:
    return x.detach().float().contiguous()


def write(name: str, tensors: dict[str, Tensor], config: object = None) -> None:
    metadata = {} if config is None else {"config": json.dumps(config)}
    save_file({key: single(value).clone() for key, value in tensors.items()}, FOLDER / f"{name}.safetensors", metadata)


def randomise(network: nn.Module) -> None:
    """Weights loud enough for every non-linearity to matter, as doubles that single precision holds exactly."""
    for name, parameter in network.named_parameters():
        if name.endswith("gamma"):
            nn.init.uniform_(parameter[:2], 0.4, 1.0)
            nn.init.uniform_(parameter[2], -0.3, 0.3)
        elif name.endswith(("beta", "bias")) or ".bias_" in name:
            nn.init.uniform_(parameter, -0.2, 0.2)
        elif name.endswith("norm.weight"):
            nn.init.uniform_(parameter, 0.5, 1.5)
        else:
            fan_in = parameter[0].numel()
            nn.init.normal_(parameter, std=1.3 * fan_in**-0.5)
    network.float().double()


def signals(samples: int, batch: int = 2) -> tuple[Tensor, Tensor]:
    """A chord whose loudness changes, and the same with noise."""
    time = torch.arange(samples) / 16_000
    tones = [torch.sin(math.tau * (hz * time + torch.rand(batch, 1))) for hz in (220.0, 610.0, 1730.0)]
    clean = 0.15 * sum(tones) * (1 + 0.8 * torch.sin(math.tau * 40 * time + torch.rand(batch, 1)))
    noisy = clean + 0.1 * torch.randn(batch, samples)
    return tuple(single(x)[:, None].double() for x in (noisy, clean))


def network_fixture(name: str, config: dict, samples: int, loss: str) -> nn.Module:
    """Inference, then one step of training: output, loss, gradients, statistics."""
    network = build(config)
    randomise(network)
    if name == "bounded-mask":
        nn.init.normal_(network.decoder[0].convolution.kernel.real, std=8.0)
        network.float().double()
    if name == "rnnformer":  # A mask around 1: expansion would let the loudest bins of another dwarf all others.
        nn.init.normal_(network.output.weight, std=0.05)
        nn.init.constant_(network.output.bias[:1], 1.0)
        network.float().double()
    for _ in range(10):  # realistic running statistics
        with torch.no_grad():
            network(signals(samples)[0])
    network.float().double()

    noisy, clean = signals(samples)
    tensors = {"noisy": noisy, "clean": clean}
    tensors |= {f"weights.{key}": value.clone() for key, value in network.state_dict().items()}
    with torch.no_grad():
        tensors["output"] = network.eval()(noisy)
        if name == "bounded-mask":
            spectrum = torch.stft(noisy[:, 0], 32, 8, window=network.window, return_complex=True)
            share = (network.mask(spectrum).abs() > 0.99).double().mean()
            assert 0.3 < share < 0.9, f"tanh holds {share:.0%} of the mask"
    assert tensors["output"].std() > 0.1 * tensors["output"].abs().max(), f"{name}: the output hardly varies"
    tensors["training_output"] = network.train()(noisy)
    tensors["loss"] = LOSSES[loss](noisy, clean, tensors["training_output"])
    tensors["loss"].backward()
    tensors["loss"] = tensors["loss"][None]
    gradients = {key: value.grad for key, value in network.named_parameters()}
    largest = max(gradient.abs().max() for gradient in gradients.values())
    for key, gradient in gradients.items():
        # A bias that the next normalisation subtracts again. Rounding leaves a gradient that nobody can reproduce.
        tensors[f"gradients.{key}"] = gradient * (gradient.abs().max() > 1e-8 * largest)
    tensors |= {f"updated.{key}": value for key, value in network.named_buffers() if "running" in key}
    write(name, tensors, {"network": config, "loss": loss})
    return network.eval()


def stream_fixture(name: str, network: nn.Module, samples: int) -> None:
    """One signal frame by frame: its frames, their estimates, and the recurrent states after each of them."""
    noisy, _ = signals(samples, 1)
    with torch.no_grad():
        frames, state = network.spectrum(noisy), network.initial_state(1)
        at_once, last_state = network.frames(frames, state)
        estimates, states = [], []
        for frame in frames.unbind(1):
            estimate, state = network.step(frame, state)
            estimates.append(estimate)
            states.append(state)
        estimates, output = torch.stack(estimates, dim=1), network(noisy)
        for got, expected in [
            (estimates, at_once),
            (states[-1], last_state),
            (network.waveform(estimates, samples), output),
        ]:
            torch.testing.assert_close(got, expected, rtol=0, atol=1e-12 * expected.abs().max().item())
    tensors = {"noisy": noisy, "output": output, "spectrum": frames[0], "estimate": estimates[0]}
    tensors["states"] = torch.stack(states)[:, :, 0]  # [frames, blocks, bands, inner channels]
    tensors |= {f"weights.{key}": value for key, value in network.state_dict().items()}
    write(name, tensors, {"network": RNNFORMER})


def stacked(x: tuple[Tensor, Tensor]) -> Tensor:
    """Real parts above imaginary parts along the channels, as Rust has them."""
    return torch.cat(x, dim=1)


def layer_fixtures() -> None:
    """Complex convolutions and the batch normalisation, each with the gradients of a weighted sum."""
    cases = [([3, 3], [1, 1]), ([7, 5], [2, 2]), ([5, 3], [2, 1]), ([1, 7], [1, 3])]
    kinds = {"complex-convolution": ComplexConv2d, "complex-transposed-convolution": ComplexConvTranspose2d}
    for name, kind in kinds.items():
        tensors, configs = {}, []
        for case, (kernel_size, stride) in enumerate(cases):
            module = kind(2, 3, kernel_size, stride)
            randomise(module)
            tensors |= layer_case(f"{case}.", module, torch.randn(2, 4, 9, 9).double(), torch.randn)
            configs.append({"channels": [2, 3], "kernel_size": kernel_size, "stride": stride})
        write(name, tensors, configs)

    norm = ComplexBatchNorm(3)
    randomise(norm)
    real, imaginary = torch.randn(2, 2, 3, 4, 5)
    x = torch.cat([1.5 * real + 0.7, 0.8 * real - 0.5 * imaginary - 0.3], dim=1)
    with torch.no_grad():
        norm((x[:, :3].double().flip(0), 1.2 * x[:, 3:].double()))
    norm.float().double()
    tensors = layer_case("", norm.train(), x.double(), torch.randn)
    tensors |= {f"updated.{key}": value.clone() for key, value in norm.named_buffers()}
    with torch.no_grad():
        tensors["evaluated"] = stacked(norm.eval()(tuple(tensors["input"].chunk(2, dim=1))))
    write("complex-batch-norm", tensors)


def layer_case(prefix: str, module: nn.Module, x: Tensor, random) -> dict[str, Tensor]:
    tensors = {f"weights.{key}": value.detach().clone() for key, value in module.state_dict().items()}
    x = single(x).double().requires_grad_()
    output = stacked(module(tuple(x.chunk(2, dim=1))))
    direction = single(random(output.shape)).double()
    (output * direction).sum().backward()
    tensors |= {"input": x, "output": output, "direction": direction, "input_gradient": x.grad}
    tensors |= {f"gradients.{key}": value.grad for key, value in module.named_parameters()}
    return {prefix + key: value for key, value in tensors.items()}


def stft_fixture() -> None:
    """Transforms of signals whose length is no multiple of the hop, and inverses of spectra that no signal has."""
    tensors, configs = {}, []
    for case, (n_fft, hop_length, frames) in enumerate([(64, 16, 9), (30, 5, 12), (512, 128, 6)]):
        samples = (frames - 1) * hop_length - 3
        signal = single(torch.randn(2, samples)).double()
        window = torch.hann_window(n_fft, periodic=True).double()
        settings = {"n_fft": n_fft, "hop_length": hop_length, "window": window}
        padded = nn.functional.pad(signal, (0, 3))
        spectrum = torch.stft(padded, **settings, center=True, pad_mode="constant", return_complex=True)
        changed = single(torch.randn(2, 2, *spectrum.shape[1:])).double()
        inverse = torch.istft(torch.complex(changed[:, 0], changed[:, 1]), **settings, length=samples)
        spectrum = torch.stack([spectrum.real, spectrum.imag], dim=1)
        case_tensors = {"signal": signal, "spectrum": spectrum, "changed": changed, "inverse": inverse}
        tensors |= {f"{case}.{key}": value for key, value in case_tensors.items()}
        configs.append({"n_fft": n_fft, "hop_length": hop_length})
    write("stft", tensors, configs)


def si_sdr(clean: Tensor, estimate: Tensor) -> Tensor:
    """Le Roux et al. 2019, equation 5, of signals without their means; in dB."""
    clean, estimate = clean - clean.mean(), estimate - estimate.mean()
    target = torch.dot(clean, estimate) / torch.dot(clean, clean) * clean
    return 10 * torch.log10(target.square().sum() / (estimate - target).square().sum())


def loss_fixture() -> None:
    """Every loss with its gradient at the estimate, and SI-SDR of every item."""
    noisy, clean = signals(2500)
    estimate = single(0.8 * clean + 0.3 * (noisy - clean) + 0.02 * torch.randn(noisy.shape)).double()
    tensors = {"noisy": noisy, "clean": clean, "estimate": estimate}
    for name, loss in LOSSES.items():
        x = estimate.clone().requires_grad_()
        value = loss(noisy, clean, x)
        value.backward()
        tensors |= {name: value[None], f"gradients.{name}": x.grad}
    tensors["si_sdr_db"] = torch.stack([si_sdr(c, e) for c, e in zip(clean[:, 0], estimate[:, 0])])
    write("loss", tensors)


def speech_like(rate_hz: int, seconds: float) -> Tensor:
    """A gliding harmonic tone in syllables with pauses: a first one 35 dB below them, later ones of noise 60 dB below."""
    time = torch.arange(int(rate_hz * seconds)).double() / rate_hz
    pitch_hz = 140 + 40 * torch.sin(math.tau * 1.3 * time)
    phase = math.tau * torch.cumsum(pitch_hz, 0) / rate_hz
    tone = sum(torch.sin(k * phase + k * k) / k for k in range(1, 25))
    syllables = torch.sin(math.tau * 2.1 * time).clamp(min=0) ** 0.5
    syllables = torch.where(time < 0.5 * seconds, syllables.clamp(min=0.018), syllables)
    return single(0.2 * tone * syllables + 2e-4 * torch.randn(time.shape))


def intelligibility_fixture() -> None:
    """STOI and ESTOI by pystoi, at its own 10 kHz and through its resampler."""
    np.random.seed(0)  # pystoi adds noise of 1e-16
    tensors, rates = {}, []
    for case, (rate_hz, seconds, noise) in enumerate([(10_000, 0.9, 0.05), (10_000, 0.8, 0.4), (16_000, 0.8, 0.15)]):
        clean = speech_like(rate_hz, seconds)
        estimate = single(0.7 * clean.clamp(-0.3, 0.3) + noise * torch.randn(clean.shape))
        scores = [stoi(clean.double().numpy(), estimate.double().numpy(), rate_hz, extended=e) for e in (False, True)]
        case_tensors = {"clean": clean, "estimate": estimate, "stoi": torch.tensor(scores[:1])}
        case_tensors["estoi"] = torch.tensor(scores[1:])
        tensors |= {f"{case}.{key}": value for key, value in case_tensors.items()}
        rates.append(rate_hz)
        print(f"{rate_hz} Hz: STOI {scores[0]:.6f}, ESTOI {scores[1]:.6f}")
    write("intelligibility", tensors, rates)


def pytorch_file() -> None:
    """A state dict as torch.save writes it, with what its network gives, for the trainer's import.

    One tensor lies transposed in memory, one in the middle of a larger one, one has doubles.
    """
    config = dcunet(32, [layer(2, [3, 3], [2, 2]), layer(2, [3, 3], [2, 1])])
    network = build(config)
    randomise(network)
    network.float().eval()
    noisy = single(signals(200, 1)[0])
    with torch.no_grad():
        output = network(noisy)
    state = network.state_dict()
    state["encoder.0.norm.gamma"] = state["encoder.0.norm.gamma"].t().contiguous().t()
    state["encoder.0.norm.beta"] = torch.cat([torch.ones(1, 2), state["encoder.0.norm.beta"], torch.ones(1, 2)])[1:3]
    state["encoder.0.norm.running_mean"] = state["encoder.0.norm.running_mean"].double()
    assert not state["encoder.0.norm.gamma"].is_contiguous()
    torch.save(state, FOLDER / "tiny-dcunet.pt")
    (FOLDER / "tiny-dcunet.json").write_text(json.dumps(config, indent=2) + "\n")
    write("tiny-dcunet", {"noisy": noisy, "output": output})


def main() -> None:
    torch.manual_seed(20_261_123)
    torch.use_deterministic_algorithms(True)
    FOLDER.mkdir(exist_ok=True)
    for name, (config, samples, loss) in NETWORKS.items():
        network_fixture(name, config, samples, loss)
    layer_fixtures()
    stft_fixture()
    loss_fixture()
    intelligibility_fixture()
    pytorch_file()
    # Frames of five samples, the last one not full. At the end, for what is random above to stay what it was.
    framed = wavenet(2, 3, 4, 3) | {"frame_length": 5, "estimate": "blend"}
    network_fixture("framed-wavenet", framed, 403, "mse")
    rnnformer = network_fixture("rnnformer", RNNFORMER, 700, "wsdr")
    stream_fixture("rnnformer-stream", rnnformer, 500)
    for path in sorted(FOLDER.iterdir()):
        print(f"{path.name:45} {path.stat().st_size:>8} bytes")


if __name__ == "__main__":
    main()
