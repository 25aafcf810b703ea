"""RNNFormer: a recurrent network along time with attention along frequency, after Ahn et al. 2025, "FastEnhancer"
(arXiv 2509.21867).

Each STFT frame is estimated from itself and earlier ones. `frames` takes any number of them and the states that the
frames before left behind, so a signal can be processed at once, in pieces, or frame by frame.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-8
"""Added to squared magnitudes under a root; part of how compression is defined."""


class Norm(nn.Module):
    """Batch normalisation of `[batch, channels, ...]`, or of the last dimension where `last` says so.

    It computes what `nn.BatchNorm1d` does. That one also has `num_batches_tracked`, which files of weights do not.
    """

    def __init__(self, channels: int, last: bool = False):
        super().__init__()
        self.last = last
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1]) if self.last else x
        rows = F.batch_norm(
            rows, self.running_mean, self.running_var, self.weight, self.bias, self.training, momentum=0.1, eps=1e-5
        )
        return rows.reshape(x.shape)


class Projection(nn.Module):
    """A linear layer and batch normalisation, on the last dimension."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=False)
        self.norm = Norm(outputs, last=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.linear(x))


class Layer(nn.Module):
    """A convolution along frequency over three sub-bands, batch normalisation and SiLU."""

    def __init__(self, channels: int):
        super().__init__()
        self.convolution = nn.Conv1d(channels, channels, 3, padding=1, bias=False)
        self.norm = Norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(self.norm(self.convolution(x)))


class Join(nn.Module):
    """Projects the channels of `[frames, channels, sub-bands]` and of a skip connection to as many as one has."""

    def __init__(self, channels: int):
        super().__init__()
        self.linear = nn.Linear(2 * channels, channels, bias=False)
        self.norm = Norm(channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        # On every sub-band by itself: a convolution with a kernel of one.
        x = F.conv1d(torch.cat([x, skip], dim=1), self.linear.weight[..., None], self.linear.bias)
        return F.silu(self.norm(x))


class DecoderLayer(Layer):
    def __init__(self, channels: int):
        super().__init__(channels)
        self.join = Join(channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return super().forward(self.join(x, skip))


class Block(nn.Module):
    """A GRU along time, the same for every band, then attention over the bands of a frame. Both are residual."""

    def __init__(self, channels: int, heads: int):
        super().__init__()
        self.heads = heads
        self.gru = nn.GRU(channels, channels)
        self.gru_linear = nn.Linear(channels, channels, bias=False)
        self.gru_norm = Norm(channels, last=True)
        self.qkv = nn.Linear(channels, 3 * channels, bias=False)
        self.attention_linear = nn.Linear(channels, channels, bias=False)
        self.attention_norm = Norm(channels, last=True)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """`[batch, frames, bands, channels]` and a state `[batch, bands, channels]`; returns both updated."""
        batch, frames, bands, channels = x.shape
        sequences = x.transpose(0, 1).reshape(frames, batch * bands, channels)
        outputs, new_state = self.gru(sequences, state.reshape(1, batch * bands, channels))
        outputs = outputs.reshape(frames, batch, bands, channels).transpose(0, 1)
        x = x + self.gru_norm(self.gru_linear(outputs))
        x = x + self.attention_norm(self.attention_linear(self.attend(x)))
        return x, new_state.reshape(state.shape)

    def attend(self, x: Tensor) -> Tensor:
        batch, frames, bands, channels = x.shape
        width = channels // self.heads
        qkv = self.qkv(x).reshape(batch * frames, bands, 3, self.heads, width)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # [batch * frames, heads, bands, width] each
        weights = torch.softmax(q @ k.mT * width**-0.5, dim=-1)
        return (weights @ v).transpose(1, 2).reshape(x.shape)


def triangles(sub_bands: int, bands: int) -> Tensor:
    """Weights `[bands, sub-bands]` of linear interpolation between centres whose distances grow geometrically from 1.

    The first centre is the first sub-band, the last centre is the last sub-band.
    """

    def centres(ratio: float) -> np.ndarray:
        return np.concatenate([[0.0], np.cumsum(ratio ** np.arange(bands - 1))])

    low, high = 1.0, float(sub_bands)
    while low < (middle := (low + high) / 2) < high:
        low, high = (low, middle) if centres(middle)[-1] > sub_bands - 1 else (middle, high)
    positions = centres(low)
    assert abs(positions[-1] - (sub_bands - 1)) < 1e-6, f"no {bands} bands of {sub_bands} sub-bands"
    positions[-1] = sub_bands - 1
    return torch.from_numpy(np.stack([np.interp(np.arange(sub_bands), positions, unit) for unit in np.eye(bands)]))


class Rnnformer(nn.Module):
    def __init__(
        self, stft: dict, channels: int, blocks: int, inner_channels: int, bands: int, heads: int, compression: float
    ):
        super().__init__()
        self.n_fft, self.hop_length = stft["n_fft"], stft["hop_length"]
        self.compression = compression
        self.state_shape = blocks, bands, inner_channels
        self.register_buffer("window", torch.hann_window(self.n_fft, periodic=True), persistent=False)
        filters = triangles(self.n_fft // 8, bands)
        down = (filters / filters.sum(1, keepdim=True)).to(self.window.dtype)
        self.register_buffer("down_filters", down, persistent=False)  # [bands, sub-bands]
        self.register_buffer("up_filters", filters.T.to(self.window.dtype).contiguous(), persistent=False)
        self.input = nn.Conv1d(2, channels, 8, stride=4, padding=2, bias=False)
        self.input_norm = Norm(channels)
        self.encoder = nn.ModuleList(Layer(channels) for _ in range(2))
        self.down = Projection(channels, inner_channels)
        self.embedding = nn.Parameter(0.02 * torch.randn(bands, inner_channels))
        self.blocks = nn.ModuleList(Block(inner_channels, heads) for _ in range(blocks))
        self.up = Projection(inner_channels, channels)
        self.decoder = nn.ModuleList(DecoderLayer(channels) for _ in range(2))
        self.join = Join(channels)
        self.output = nn.ConvTranspose1d(channels, 2, 8, stride=4, padding=2)

    def forward(self, waveform: Tensor) -> Tensor:
        samples = waveform.shape[-1]
        frames, _ = self.frames(self.spectrum(waveform), self.initial_state(len(waveform)))
        return self.waveform(frames, samples)

    def spectrum(self, waveform: Tensor) -> Tensor:
        """`[batch, 1, samples]` to `[batch, frames, 2, bins]`, real parts before imaginary parts."""
        x = F.pad(waveform[:, 0], (0, -waveform.shape[-1] % self.hop_length))
        spectrum = torch.stft(
            x, self.n_fft, self.hop_length, window=self.window, center=True, pad_mode="constant", return_complex=True
        )  # [batch, bins, frames]
        return torch.stack([spectrum.real, spectrum.imag], dim=1).permute(0, 3, 1, 2)

    def waveform(self, frames: Tensor, samples: int) -> Tensor:
        """The inverse of `spectrum`."""
        spectrum = torch.complex(*frames.permute(2, 0, 3, 1))
        return torch.istft(spectrum, self.n_fft, self.hop_length, window=self.window, length=samples)[:, None]

    def initial_state(self, batch: int) -> Tensor:
        """What every GRU remembers before the first frame: `[blocks, batch, bands, inner_channels]`."""
        blocks, *sizes = self.state_shape
        return self.window.new_zeros(blocks, batch, *sizes)

    def step(self, frame: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """The estimate of one noisy frame `[batch, 2, bins]`, and the state for the next frame."""
        frames, state = self.frames(frame[:, None], state)
        return frames[:, 0], state

    def frames(self, spectrum: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """The estimates of noisy frames `[batch, frames, 2, bins]`, and the state after the last of them."""
        compressed = power(spectrum[..., :-1], self.compression)  # without the Nyquist bin
        mask, state = self.mask(compressed, state)
        (r, i), (mask_r, mask_i) = compressed.unbind(2), mask.unbind(2)
        masked = torch.stack([r * mask_r - i * mask_i, r * mask_i + i * mask_r], dim=2)
        return F.pad(power(masked, 1 / self.compression), (0, 1)), state

    def mask(self, compressed: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        batch, frames = compressed.shape[:2]
        x = F.silu(self.input_norm(self.input(compressed.flatten(0, 1))))  # [batch * frames, channels, sub-bands]
        skips = [x]
        for layer in self.encoder:
            x = layer(x)
            skips.append(x)

        x = self.down(self.down_filters @ x.mT).unflatten(0, (batch, frames)) + self.embedding
        states = []
        for block, block_state in zip(self.blocks, state):
            x, block_state = block(x, block_state)
            states.append(block_state)
        x = (self.up_filters @ self.up(x.flatten(0, 1))).mT

        for layer in self.decoder:
            x = layer(x, skips.pop())
        x = self.output(self.join(x, skips.pop()))
        return x.unflatten(0, (batch, frames)), torch.stack(states)


def power(spectrum: Tensor, exponent: float) -> Tensor:
    """Magnitudes of `[batch, frames, 2, bins]` to the power of `exponent`, phases kept."""
    if exponent == 1.0:
        return spectrum
    energy = spectrum.square().sum(2, keepdim=True)
    return spectrum * (energy + EPSILON) ** ((exponent - 1) / 2)
