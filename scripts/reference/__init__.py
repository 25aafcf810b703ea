"""The four networks in PyTorch, built from the papers and not from the Rust code.

`build(config)` takes the JSON that Rust's `NetworkConfig` serialises to, as a dictionary. Parameters and buffers have
the names and shapes of docs/weights.md, so `load_state_dict(safetensors.torch.load_file(path))` reads what
`trainer export` writes; `load(path)` does both.
"""

import json
from pathlib import Path

from torch import nn

from .autoencoder import Autoencoder
from .dcunet import Dcunet
from .rnnformer import Rnnformer
from .wavenet import Wavenet

NETWORKS = {"autoencoder": Autoencoder, "wavenet": Wavenet, "dcunet": Dcunet, "rnnformer": Rnnformer}


def build(config: dict) -> nn.Module:
    """The configured network with random weights, `[batch, 1, samples]` -> the same."""
    config = dict(config)
    return NETWORKS[config.pop("network")](**config)


def load(weights: str | Path) -> nn.Module:
    """The network in a file of `trainer export`, which carries its configuration, ready for inference."""
    from safetensors import safe_open

    with safe_open(weights, framework="pt") as file:
        network = build(json.loads(file.metadata()["config"])["network"])
        network.load_state_dict({name: file.get_tensor(name) for name in file.keys()})
    return network.eval()
