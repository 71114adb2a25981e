"""The gate's classifier: one hidden layer, evaluated with numpy. Pure but for its own file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from .thumbnail import LENGTH, Features

Numbers = npt.NDArray[np.float32]

# what a picture can be; the first is what the detector is for
FRONTAL: Final = "frontal"
CLASSES: Final = (
    FRONTAL,
    "rotated_90",  # the picture was turned clockwise by so much
    "rotated_180",
    "rotated_270",
    "inverted",
    "cut_off",
    "not_chest",
)
SHIPPED: Final = Path(__file__).with_name("network.npz")


@dataclass(frozen=True, slots=True)
class Network:
    """Standardise, one layer of rectified units, softmax.

    Attributes:
        mean, scale: (LENGTH,) of the features.
        hidden, hidden_bias: (LENGTH, H), (H,).
        output, output_bias: (H, len(CLASSES)), (len(CLASSES),).
        threshold: a picture is refused if it is `FRONTAL` with less than this probability.
    """

    mean: Numbers
    scale: Numbers
    hidden: Numbers
    hidden_bias: Numbers
    output: Numbers
    output_bias: Numbers
    threshold: float

    def probabilities(self, features: Features) -> Numbers:
        """Of `CLASSES`, for features (LENGTH,) or (N, LENGTH)."""
        x = (features - self.mean) * self.scale
        h = np.maximum(x @ self.hidden + self.hidden_bias, 0.0)
        logits = h @ self.output + self.output_bias
        logits = logits - logits.max(axis=-1, keepdims=True)
        e = np.exp(logits)
        return np.asarray(e / e.sum(axis=-1, keepdims=True), np.float32)

    def looks(self, features: Features) -> str:
        """What a picture looks like: `FRONTAL` unless that is next to impossible."""
        probabilities = self.probabilities(features)
        if probabilities[0] >= self.threshold:
            return FRONTAL
        return CLASSES[1 + int(np.argmax(probabilities[1:]))]


def save(network: Network, path: Path) -> None:
    """Write it; half precision is enough and half the size."""
    np.savez_compressed(
        path,
        mean=network.mean,
        scale=network.scale,
        hidden=network.hidden.astype(np.float16),
        hidden_bias=network.hidden_bias,
        output=network.output,
        output_bias=network.output_bias,
        threshold=np.float64(network.threshold),
    )


@lru_cache(maxsize=2)
def load(path: Path = SHIPPED) -> Network:
    """Read what `save` wrote; data only, nothing in the file is run.

    Raises:
        ValueError: the file isn't a gate of this version.
        OSError: it can't be read.
    """
    names = ("mean", "scale", "hidden", "hidden_bias", "output", "output_bias")
    with np.load(path, allow_pickle=False) as stored:
        if not {*names, "threshold"} <= set(stored.files):
            raise ValueError(f"{path.name} is no gate of this version")
        threshold = float(stored["threshold"])
        layers = {name: stored[name].astype(np.float32) for name in names}
    units = layers["hidden"].shape[-1]
    wanted = {
        "mean": (LENGTH,),
        "scale": (LENGTH,),
        "hidden": (LENGTH, units),
        "hidden_bias": (units,),
        "output": (units, len(CLASSES)),
        "output_bias": (len(CLASSES),),
    }
    if {name: layer.shape for name, layer in layers.items()} != wanted:
        raise ValueError(f"{path.name} is no gate of this version")
    return Network(**layers, threshold=threshold)
