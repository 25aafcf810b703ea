"""Complex layers on pairs of real tensors: Trabelsi et al. 2018, "Deep Complex Networks", sections 3.2, 3.4 and 3.5."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Pair = tuple[Tensor, Tensor]
"""Real and imaginary part, `[batch, channels, frequency, time]` each."""


class Kernel(nn.Module):
    """A complex kernel. Each part is uniform in +-1 / sqrt(2 * fan_in)."""

    def __init__(self, shape: list[int], fan_in: int):
        super().__init__()
        bound = (2 * fan_in) ** -0.5
        self.real = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
        self.imaginary = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))

    def apply_as(self, convolve: Callable[[Tensor, Tensor], Tensor], x: Pair) -> Pair:
        """`(a + ib) * (c + id)` as four real convolutions."""
        real, imaginary = x
        return (
            convolve(real, self.real) - convolve(imaginary, self.imaginary),
            convolve(real, self.imaginary) + convolve(imaginary, self.real),
        )


class ComplexConv2d(nn.Module):
    """Without bias. Sizes are `[frequency, time]`, the kernel is `[output, input, ...]`."""

    def __init__(self, inputs: int, outputs: int, kernel_size: list[int], stride: list[int]):
        super().__init__()
        self.kernel = Kernel([outputs, inputs, *kernel_size], inputs * kernel_size[0] * kernel_size[1])
        self.stride, self.padding = stride, [(k - 1) // 2 for k in kernel_size]

    def forward(self, x: Pair) -> Pair:
        return self.kernel.apply_as(lambda x, w: F.conv2d(x, w, None, self.stride, self.padding), x)


class ComplexConvTranspose2d(nn.Module):
    """The transposed layer; its kernel is `[input, output, ...]`."""

    def __init__(self, inputs: int, outputs: int, kernel_size: list[int], stride: list[int]):
        super().__init__()
        # An output value sees only one in `stride` of the taps.
        fan_in = -(-inputs * kernel_size[0] * kernel_size[1] // (stride[0] * stride[1]))
        self.kernel = Kernel([inputs, outputs, *kernel_size], fan_in)
        self.stride, self.padding = stride, [(k - 1) // 2 for k in kernel_size]

    def forward(self, x: Pair) -> Pair:
        return self.kernel.apply_as(lambda x, w: F.conv_transpose2d(x, w, None, self.stride, self.padding), x)


class ComplexBatchNorm(nn.Module):
    """Centres and whitens a channel's real and imaginary part together, then scales by a symmetric matrix and shifts.

    Statistics are those of the batch in training (biased, as in the paper's code) and the running ones in evaluation.
    """

    def __init__(self, channels: int, momentum: float = 0.1, epsilon: float = 1e-5):
        super().__init__()
        self.momentum, self.epsilon = momentum, epsilon

        def diagonal(value: float) -> Tensor:  # rr, ii, ri
            return torch.tensor([value, value, 0.0])[:, None].repeat(1, channels)

        self.gamma = nn.Parameter(diagonal(0.5**0.5))
        self.beta = nn.Parameter(torch.zeros(2, channels))
        self.register_buffer("running_mean", torch.zeros(2, channels))
        self.register_buffer("running_covariance", diagonal(0.5))

    def forward(self, x: Pair) -> Pair:
        if self.training:
            mean = torch.stack([part.mean((0, 2, 3)) for part in x])
            r, i = (part - m[:, None, None] for part, m in zip(x, mean))
            covariance = torch.stack([(a * b).mean((0, 2, 3)) for a, b in ((r, r), (i, i), (r, i))])
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_covariance.lerp_(covariance, self.momentum)
        else:
            mean, covariance = self.running_mean, self.running_covariance
            r, i = (part - m[:, None, None] for part, m in zip(x, mean))

        # V^(-1/2) of a positive 2x2 matrix is (adj V + s I) / (s t) with s = sqrt(det V) and t = sqrt(tr V + 2s).
        v_rr, v_ii, v_ri = covariance[0] + self.epsilon, covariance[1] + self.epsilon, covariance[2]
        s = torch.sqrt(v_rr * v_ii - v_ri**2)
        t = torch.sqrt(v_rr + v_ii + 2 * s)
        w_rr, w_ii, w_ri = (w[:, None, None] for w in ((v_ii + s) / (s * t), (v_rr + s) / (s * t), -v_ri / (s * t)))
        r, i = w_rr * r + w_ri * i, w_ri * r + w_ii * i

        g_rr, g_ii, g_ri = self.gamma[:, :, None, None]
        b_r, b_i = self.beta[:, :, None, None]
        return g_rr * r + g_ri * i + b_r, g_ri * r + g_ii * i + b_i


def complex_leaky_relu(x: Pair) -> Pair:
    """Leaky ReLU (slope 0.01) on each part."""
    return F.leaky_relu(x[0]), F.leaky_relu(x[1])
