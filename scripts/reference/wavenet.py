"""Denoising WaveNet: Rethage, Pons and Serra 2018, arXiv 1706.07162, section 3; without conditioning on the speaker.

A step may be a frame of several samples, and the estimate blended with the input; the paper has neither.
"""

import torch
from torch import Tensor, nn


def convolution(inputs: int, outputs: int, kernel_size: int, dilation: int = 1) -> nn.Conv1d:
    """Zero-padded to keep the length, not causal."""
    return nn.Conv1d(inputs, outputs, kernel_size, dilation=dilation, padding=(kernel_size - 1) // 2 * dilation)


class ResidualBlock(nn.Module):
    """`z = tanh(W_f * x) . sigmoid(W_g * x)`; adds `W_r z` to the residual path and `W_s z` to the skip path."""

    def __init__(self, residual: int, skip: int, kernel_size: int, dilation: int, last: bool):
        super().__init__()
        self.skip = skip
        self.dilated = convolution(residual, 2 * residual, kernel_size, dilation)
        self.outputs = convolution(residual, skip if last else residual + skip, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        filtered, gate = self.dilated(x).chunk(2, dim=1)
        outputs = self.outputs(torch.tanh(filtered) * torch.sigmoid(gate))
        residual, skip = outputs.split([outputs.shape[1] - self.skip, self.skip], dim=1)
        # Nothing reads what the last block would add to the residual path.
        return (x + residual if residual.shape[1] else x), skip


class Wavenet(nn.Module):
    def __init__(
        self,
        stacks: int,
        blocks_per_stack: int,
        kernel_size: int,
        residual_channels: int,
        skip_channels: int,
        final_channels: list[int],
        frame_length: int,
        estimate: str,
    ):
        super().__init__()
        self.frame_length, self.estimate = frame_length, estimate
        dilations = [2**block for _ in range(stacks) for block in range(blocks_per_stack)]
        self.input = convolution(frame_length, residual_channels, 3)
        self.blocks = nn.ModuleList(
            ResidualBlock(residual_channels, skip_channels, kernel_size, dilation, index + 1 == len(dilations))
            for index, dilation in enumerate(dilations)
        )
        first, second = final_channels
        self.final_1 = convolution(skip_channels, first, 3)
        self.final_2 = convolution(first, second, 3)
        self.output = convolution(second, frame_length + (estimate == "blend"), 1)

    def forward(self, waveform: Tensor) -> Tensor:
        samples = waveform.shape[-1]
        padded = nn.functional.pad(waveform, (0, -samples % self.frame_length))
        frames = padded.unflatten(-1, (-1, self.frame_length)).squeeze(1).mT
        x = self.input(frames)
        skips = 0
        for block in self.blocks:
            x, skip = block(x)
            skips = skips + skip
        x = self.final_1(torch.relu(skips))
        x = self.final_2(torch.relu(x))
        speech = self.output(torch.relu(x))
        if self.estimate == "blend":
            speech, trust = speech.split([self.frame_length, 1], dim=1)
            trust = torch.sigmoid(trust)
            speech = trust * frames + (1 - trust) * speech
        return speech.mT.flatten(1)[:, None, :samples]
