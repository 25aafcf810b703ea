"""The report's autoencoder: a strided convolution in, its transpose out (Schuller, Machine Learning for Audio
Signals)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Autoencoder(nn.Module):
    """`Conv1d(1, channels)` and `ConvTranspose1d(channels, 1)`, both padded by `kernel_size / 2 - 1`."""

    def __init__(self, channels: int, kernel_size: int, stride: int):
        super().__init__()
        bound = kernel_size**-0.5

        def uniform(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound))

        self.encoder_weight = uniform(channels, 1, kernel_size)
        self.encoder_bias = uniform(channels)
        self.decoder_weight = uniform(channels, 1, kernel_size)
        self.decoder_bias = uniform(1)
        self.stride = stride
        self.padding = kernel_size // 2 - 1

    def forward(self, waveform: Tensor) -> Tensor:
        samples = waveform.shape[-1]
        # With this padding, lengths of 2 + n * stride come back as they went in.
        missing = max(2 - samples, (2 - samples) % self.stride)
        x = F.pad(waveform, (0, missing))
        code = F.conv1d(x, self.encoder_weight, self.encoder_bias, self.stride, self.padding)
        x = F.conv_transpose1d(code, self.decoder_weight, self.decoder_bias, self.stride, self.padding)
        return x[..., :samples]
