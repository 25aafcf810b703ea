"""Deep Complex U-Net: Choi et al. 2019, "Phase-aware Speech Enhancement with Deep Complex U-Net"."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .complex import ComplexBatchNorm, ComplexConv2d, ComplexConvTranspose2d, complex_leaky_relu

EPSILON = 1e-8
"""Added to squared magnitudes under a root; part of how compression is defined."""


class Layer(nn.Module):
    """A convolution with batch normalisation and leaky ReLU; the network's last layer has neither."""

    def __init__(self, convolution: nn.Module, channels: int | None):
        super().__init__()
        self.convolution = convolution
        self.norm = None if channels is None else ComplexBatchNorm(channels)

    def forward(self, x):
        x = self.convolution(x)
        return x if self.norm is None else complex_leaky_relu(self.norm(x))


class Dcunet(nn.Module):
    def __init__(self, stft: dict, layers: list[dict], compression: float, mask_exponent: float = 1.0):
        super().__init__()
        self.n_fft, self.hop_length = stft["n_fft"], stft["hop_length"]
        self.compression = compression
        self.mask_exponent = mask_exponent
        self.register_buffer("window", torch.hann_window(self.n_fft, periodic=True), persistent=False)
        widths = [1] + [layer["channels"] for layer in layers]
        encoder, decoder = [], []
        self.alignment = self.hop_length
        for depth, layer in enumerate(layers):
            outer, inner = widths[depth], widths[depth + 1]
            size = layer["kernel_size"], layer["stride"]
            encoder.append(Layer(ComplexConv2d(outer, inner, *size), inner))
            # Every decoder layer but the innermost is also given what the encoder made at its depth.
            inputs = inner if depth + 1 == len(layers) else 2 * inner
            up = ComplexConvTranspose2d(inputs, outer, *size)
            decoder.insert(0, Layer(up, outer if depth > 0 else None))
            self.alignment *= layer["stride"][1]
        self.encoder, self.decoder = nn.ModuleList(encoder), nn.ModuleList(decoder)

    def forward(self, waveform: Tensor) -> Tensor:
        samples = waveform.shape[-1]
        # As many frames as all strides divide, and one.
        x = F.pad(waveform[:, 0], (0, -samples % self.alignment))
        spectrum = torch.stft(
            x, self.n_fft, self.hop_length, window=self.window, center=True, pad_mode="constant", return_complex=True
        )  # [batch, bins, frames]
        masked = spectrum * self.mask(self.compress(spectrum))
        return torch.istft(masked, self.n_fft, self.hop_length, window=self.window, length=samples)[:, None]

    def compress(self, spectrum: Tensor) -> Tensor:
        """Magnitudes to the power of `compression`, phases kept."""
        if self.compression == 1.0:
            return spectrum
        return spectrum * (spectrum.abs() ** 2 + EPSILON) ** ((self.compression - 1) / 2)

    def mask(self, spectrum: Tensor) -> Tensor:
        """`tanh|O| O / |O|`: the magnitude is below 1, the phase is the network's. The exponent bends the former."""
        output = torch.complex(*(part[:, 0] for part in self.unet(spectrum)))
        return torch.polar(torch.tanh(output.abs()) ** self.mask_exponent, output.angle())

    def unet(self, spectrum: Tensor) -> tuple[Tensor, Tensor]:
        x = spectrum.real[:, None], spectrum.imag[:, None]
        skips = []
        for layer in self.encoder:
            x = layer(x)
            skips.append(x)
        skips.pop()
        for layer in self.decoder:
            x = layer(x)
            if skips:
                x = tuple(torch.cat(parts, dim=1) for parts in zip(x, skips.pop()))
        return x
