"""Denoises a folder of recordings by other programs, to compare with: RNNoise and spectral gating.

cargo install nnnoiseless --version 0.5.2    # RNNoise in Rust; spectral gating is in requirements.txt
python scripts/peers.py rnnoise NOISY OUT
python scripts/peers.py spectral-gating NOISY OUT

Results have the paths, rates and lengths of their originals, so `score.py` compares them. RNNoise works at 48 kHz, to which
and from which other rates are brought.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import noisereduce
import numpy as np
import soundfile

from score import recordings, resample

RNNOISE_RATE_HZ = 48_000


def rnnoise(signal: np.ndarray, rate_hz: int) -> np.ndarray:
    """Through the command-line program of the crate nnnoiseless."""
    with tempfile.TemporaryDirectory() as folder:
        noisy, denoised = Path(folder, "noisy.wav"), Path(folder, "denoised.wav")
        soundfile.write(noisy, resample(signal, rate_hz, RNNOISE_RATE_HZ), RNNOISE_RATE_HZ, subtype="PCM_16")
        try:
            subprocess.run(["nnnoiseless", noisy, denoised], check=True)
        except FileNotFoundError:
            sys.exit("error: no program nnnoiseless: cargo install nnnoiseless --version 0.5.2")
        return resample(soundfile.read(denoised)[0], RNNOISE_RATE_HZ, rate_hz)


def spectral_gating(signal: np.ndarray, rate_hz: int) -> np.ndarray:
    """Non-stationary, with the defaults of noisereduce."""
    return noisereduce.reduce_noise(y=signal, sr=rate_hz)


PEERS = {"rnnoise": rnnoise, "spectral-gating": spectral_gating}


def fitted(signal: np.ndarray, length: int) -> np.ndarray:
    """Cut, or with zeros at the end."""
    return np.pad(signal[:length], (0, max(0, length - len(signal))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("noisy", type=Path, help="folder of recordings, mono")
    parser.add_argument("out", type=Path, help="folder of the results")
    arguments = parser.parse_args()
    for name, path in recordings(arguments.noisy).items():
        signal, rate_hz = soundfile.read(path)
        if signal.ndim != 1:
            sys.exit(f"error: {path}: expected one channel, got {signal.shape[1]}")
        denoised = fitted(PEERS[arguments.peer](signal, rate_hz), len(signal))
        result = (arguments.out / name).with_suffix(".wav")
        result.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(result, denoised, rate_hz, subtype="FLOAT")


if __name__ == "__main__":
    main()
