"""What training minimises, on `[batch, 1, samples]`."""

import torch
from torch import Tensor

RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))
"""FFT size, hop and Hann window in samples: Yamamoto et al. 2020, table 1."""

MAGNITUDE_EPSILON = 1e-7
"""Added to squared magnitudes, so that silence has a logarithm."""


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


def multi_resolution_stft(noisy: Tensor, clean: Tensor, estimate: Tensor) -> Tensor:
    """Spectral convergence and log magnitude distance, Yamamoto et al. 2020, "Parallel WaveGAN", equations 3 to 6."""

    def magnitude(x: Tensor, n_fft: int, hop_length: int, win_length: int) -> Tensor:
        window = torch.hann_window(win_length, periodic=True, dtype=x.dtype, device=x.device)
        spectrum = torch.stft(
            x[:, 0], n_fft, hop_length, win_length, window, center=True, pad_mode="constant", return_complex=True
        )
        return torch.sqrt(spectrum.abs() ** 2 + MAGNITUDE_EPSILON)

    losses = []
    for resolution in RESOLUTIONS:
        s, s_hat = magnitude(clean, *resolution), magnitude(estimate, *resolution)
        convergence = torch.linalg.norm(s - s_hat, dim=(1, 2)) / torch.linalg.norm(s, dim=(1, 2))
        distance = (s.log() - s_hat.log()).abs().mean((1, 2))
        losses.append((convergence + distance).mean())
    return torch.stack(losses).mean()


LOSSES = {"l1": l1, "mse": mse, "wsdr": wsdr, "multi-resolution-stft": multi_resolution_stft}
