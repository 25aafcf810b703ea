"""What training minimises, on `[batch, 1, samples]`."""

import torch
from torch import Tensor

RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))
"""FFT size, hop and Hann window in samples: Yamamoto et al. 2020, table 1."""


def l1(noisy: Tensor, clean: Tensor, estimate: Tensor) -> Tensor:
    return torch.nn.functional.l1_loss(estimate, clean)


def mse(noisy: Tensor, clean: Tensor, estimate: Tensor) -> Tensor:
    return torch.nn.functional.mse_loss(estimate, clean)


def wsdr(noisy: Tensor, clean: Tensor, estimate: Tensor) -> Tensor:
    """Weighted SDR, Choi et al. 2019, equation 8."""
    noise, estimated_noise = noisy - clean, noisy - estimate
    cosine = torch.nn.CosineSimilarity(dim=-1)
    speech_energy, noise_energy = (x.square().sum(-1) for x in (clean, noise))
    alpha = speech_energy / (speech_energy + noise_energy)
    return -(alpha * cosine(clean, estimate) + (1 - alpha) * cosine(noise, estimated_noise)).mean()


LOSSES = {"l1": l1, "mse": mse, "wsdr": wsdr}
