"""What training minimises, on `[batch, 1, samples]`."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))
"""FFT size, hop and Hann window in samples: Yamamoto et al. 2020, table 1."""

MAGNITUDE_EPSILON = 1e-7
"""Added to squared magnitudes, so that silence has a logarithm."""

COMPRESSION = 0.3
"""What magnitudes are raised to in the compressed spectrum."""

POWER_EPSILON = 1e-6
"""Added to squared magnitudes of the compressed spectrum, so that silence has a gradient."""

ERROR_FLOOR = 1e-4
"""Errors, and noise, of this share of the noisy energy count as none."""

SILENCE = 1e-10
"""A signal of a lower mean square is silent."""

BARK_BANDS = 49
"""Bands of loudness up to 8 kHz, equally wide on the Bark scale."""

LISTENING_LEVEL_DB = 75
"""Sound pressure level of the clean signal's mean power."""


def l1(noisy: Tensor, clean: Tensor, estimate: Tensor) -> Tensor:
    return F.l1_loss(estimate, clean)


def energy_conserving_l1(noisy: Tensor, clean: Tensor, estimate: Tensor) -> Tensor:
    """Of speech and of noise, Rethage et al. 2018."""
    l1_loss = F.l1_loss
    return l1_loss(estimate, clean) + l1_loss(noisy - estimate, noisy - clean)


def mse(noisy: Tensor, clean: Tensor, estimate: Tensor) -> Tensor:
    return F.mse_loss(estimate, clean)


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


def level(noisy: Tensor, clean: Tensor) -> Tensor:
    """Root mean square of clean signals, of noisy ones where those are silent: `[batch, 1, 1]`."""
    level = clean.square().mean(-1, keepdim=True)
    return torch.where(level < SILENCE, noisy.square().mean(-1, keepdim=True), level).clamp(min=SILENCE).sqrt()


def compressed_spectrum(noisy: Tensor, clean: Tensor, estimate: Tensor) -> Tensor:
    """Distances of magnitudes and of coefficients, compressed: Braun and Tashev 2021, weighted 1 and 1/2."""
    divisor = level(noisy, clean)

    def compressed(x: Tensor) -> tuple[Tensor, Tensor]:
        x = (x / divisor)[:, 0]
        x = F.pad(x, (0, -x.shape[-1] % 128))
        window = torch.hann_window(512, periodic=True, dtype=x.dtype)
        spectrum = torch.stft(x, 512, 128, window=window, center=True, pad_mode="constant", return_complex=True)
        magnitude = torch.sqrt(spectrum.abs() ** 2 + POWER_EPSILON)
        return magnitude**COMPRESSION, spectrum / magnitude * magnitude**COMPRESSION

    (a, s), (a_hat, s_hat) = compressed(clean), compressed(estimate)
    return ((a - a_hat) ** 2 + (s - s_hat).abs() ** 2 / 2).mean()


def error_level(noisy: Tensor, clean: Tensor, estimate: Tensor) -> Tensor:
    """Level of the error relative to the noisy signal, in dB: Wisdom et al. 2021, equation 4 for silent targets."""
    error, reference = ((x.square().sum(-1)) for x in (estimate - clean, noisy))
    return (10 * torch.log10(error / reference + ERROR_FLOOR)).mean()


def harm(noisy: Tensor, clean: Tensor, estimate: Tensor) -> Tensor:
    """By how many dB noise and error together are above the noise: ours."""
    error, noise, reference = ((x.square().sum(-1)) for x in (estimate - clean, noisy - clean, noisy))
    return (10 * torch.log10(1 + error / (noise + ERROR_FLOOR * reference))).mean()


def loudness(noisy: Tensor, clean: Tensor, estimate: Tensor) -> Tensor:
    """Logarithm of a disturbance after ITU-T P.862: Martin-Donas et al. 2018, with bands and threshold by formula."""
    n_fft, rate_hz = 512, 16_000
    # Schroeder et al. 1979, and back.
    top = 7 * math.asinh(rate_hz / 2 / 650)
    edges = 650 * torch.sinh(torch.linspace(0, top, BARK_BANDS + 1, dtype=torch.float64) / 7)
    centres = 650 * torch.sinh((torch.arange(BARK_BANDS, dtype=torch.float64) + 0.5) * top / BARK_BANDS / 7) / 1000
    width = top / BARK_BANDS
    # Every bin is as wide as the distance to the next.
    lower = (torch.arange(n_fft // 2 + 1, dtype=torch.float64) - 0.5) * rate_hz / n_fft
    upper = lower + rate_hz / n_fft
    overlap = torch.minimum(edges[1:, None], upper) - torch.maximum(edges[:-1, None], lower)
    window = torch.hann_window(n_fft, periodic=True, dtype=torch.float64)
    shares = overlap.clamp(min=0) / (rate_hz / n_fft) * 2 / (n_fft * window.square().sum())
    # Terhardt 1979.
    quiet_db = 3.64 * centres**-0.8 - 6.5 * torch.exp(-0.6 * (centres - 3.3) ** 2) + 1e-3 * centres**4
    quiet = 10 ** (quiet_db.clamp(max=60)[:, None] / 10)
    divisor = level(noisy, clean) / math.sqrt(10 ** (LISTENING_LEVEL_DB / 10))

    def power(x: Tensor) -> Tensor:
        x = (x / divisor)[:, 0].double()
        x = F.pad(x, (0, -x.shape[-1] % 128))
        spectrum = torch.stft(x, n_fft, 128, window=window, center=True, pad_mode="constant", return_complex=True)
        return shares @ (spectrum.real**2 + spectrum.imag**2)  # [batch, bands, frames]

    def sones(power: Tensor) -> Tensor:
        return 0.1866 * (quiet / 0.5) ** 0.23 * F.relu((0.5 + 0.5 * power / quiet) ** 0.23 - 1)

    s, s_hat = power(clean), power(estimate)
    s_hat = s_hat * ((s.sum(1, keepdim=True) + 5e3) / (s_hat.sum(1, keepdim=True) + 5e3)).clamp(3e-4, 5)
    asymmetry = (((s_hat + 50) / (s + 50)) ** 1.2).clamp(max=12)
    n, n_hat = sones(s), sones(s_hat)
    heard = F.relu((n_hat - n).abs() - torch.minimum(n, n_hat) / 4)
    disturbance = top * torch.sqrt(heard.square().mean(1) + 1e-8) + 0.15 * width * (heard * asymmetry).sum(1)
    disturbance = disturbance / (1 + disturbance / 45)
    return torch.log(torch.sqrt(disturbance.square().mean(1) + 1e-8) + 0.05).mean()


LOSSES = {
    "l1": l1,
    "energy-conserving-l1": energy_conserving_l1,
    "mse": mse,
    "wsdr": wsdr,
    "multi-resolution-stft": multi_resolution_stft,
    "compressed-spectrum": compressed_spectrum,
    "error-level": error_level,
    "harm": harm,
    "loudness": loudness,
}
