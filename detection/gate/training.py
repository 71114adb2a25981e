"""Fits the gate's classifier: varied films and made cases, Adam in numpy, one seed for all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from . import made, strangers
from .films import Small, describe
from .made import Picture, Random
from .network import CLASSES, FRONTAL, Network, Numbers
from .thumbnail import LENGTH

UNITS: Final = 48
EPOCHS: Final = 25
BATCH: Final = 128
RATE: Final = 2e-3
DECAY: Final = 2e-2
DROPPED: Final = 0.2  # share of the inputs left out in each step
SMOOTHING: Final = 0.02
# how many are made of each film
DRAWN: Final = {FRONTAL: 16, "inverted": 5, "cut_off": 10, "turned": 4, "stranger": 8}

Labels = npt.NDArray[np.int64]


def draw(random: Random, small: Small) -> Iterable[tuple[str, Picture]]:
    """What is made of one film for fitting: class and picture."""
    film, lungs = small.picture, small.lungs
    for _ in range(DRAWN[FRONTAL]):
        yield FRONTAL, made.varied(random, film, lungs)
    for name in made.TURNS:
        for _ in range(DRAWN["turned"]):
            yield name, made.turned(made.varied(random, film, lungs), name)
    for i in range(DRAWN["inverted"]):
        negative = made.inverted(made.varied(random, film, lungs))
        # one of them turned as well
        yield (
            "inverted",
            made.turned(negative, random.choice([*made.TURNS])) if i == 0 else negative,
        )
    for _ in range(DRAWN["cut_off"]):
        yield "cut_off", made.varied_tone(random, made.cut_off(random, film, lungs))
    makers = [*strangers.FITTING.values()]
    for _ in range(DRAWN["stranger"]):
        yield "not_chest", makers[random.integers(len(makers))](random, film)


def examples(
    films: Sequence[Small], *, seed: int, progress: Callable[[Iterable[Small]], Iterable[Small]]
) -> tuple[Numbers, Labels]:
    """Features (N, LENGTH) and class numbers (N,) of everything drawn."""
    random = np.random.default_rng(seed)
    rows, labels = [], []
    for small in progress(films):
        for name, picture in draw(random, small):
            rows.append(describe(picture))
            labels.append(CLASSES.index(name))
    return np.asarray(rows, np.float32), np.asarray(labels)


def fit(x: Numbers, labels: Labels, *, seed: int) -> Network:
    """Cross-entropy with label smoothing by Adam (Kingma and Ba 2015) with decoupled decay.

    Args:
        x: (N, LENGTH).
        labels: (N,) numbers of `CLASSES`.
        seed: of weights, order and dropped inputs.

    Returns:
        A network whose threshold is still 0, so that it refuses nothing.
    """
    random = np.random.default_rng(seed)
    mean = x.mean(axis=0)
    scale = 1 / np.maximum(x.std(axis=0), 0.02)
    x = ((x - mean) * scale).astype(np.float32)
    counts = np.bincount(labels, minlength=len(CLASSES))
    weight = (len(labels) / (len(CLASSES) * np.maximum(counts, 1))).astype(np.float32)
    targets = np.full((len(labels), len(CLASSES)), SMOOTHING / len(CLASSES), np.float32)
    targets[np.arange(len(labels)), labels] += 1 - SMOOTHING
    layers = [
        random.normal(0, np.sqrt(2 / LENGTH), (LENGTH, UNITS)).astype(np.float32),
        np.zeros(UNITS, np.float32),
        random.normal(0, np.sqrt(1 / UNITS), (UNITS, len(CLASSES))).astype(np.float32),
        np.zeros(len(CLASSES), np.float32),
    ]
    adam = _Adam(layers, steps=EPOCHS * -(-len(labels) // BATCH))
    for _ in range(EPOCHS):
        order = random.permutation(len(labels))
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            kept = random.random((len(chosen), LENGTH), np.float32) >= DROPPED
            batch = x[chosen] * kept / np.float32(1 - DROPPED)
            adam.step(_gradients(layers, batch, targets[chosen], weight[labels[chosen]]))
    hidden, hidden_bias, output, output_bias = layers
    return Network(mean, scale, hidden, hidden_bias, output, output_bias, threshold=0.0)


def _gradients(
    layers: list[Numbers], x: Numbers, targets: Numbers, weight: Numbers
) -> list[Numbers]:
    hidden, hidden_bias, output, output_bias = layers
    h = np.maximum(x @ hidden + hidden_bias, 0)
    logits = h @ output + output_bias
    logits -= logits.max(axis=1, keepdims=True)
    p = np.exp(logits)
    p /= p.sum(axis=1, keepdims=True)
    d = (p - targets) * weight[:, None] / len(x)
    dh = (d @ output.T) * (h > 0)
    return [x.T @ dh, dh.sum(axis=0), h.T @ d, d.sum(axis=0)]


class _Adam:
    def __init__(self, layers: list[Numbers], *, steps: int) -> None:
        self.layers, self.steps, self.done = layers, steps, 0
        self.first = [np.zeros_like(v) for v in layers]
        self.second = [np.zeros_like(v) for v in layers]

    def step(self, gradients: list[Numbers]) -> None:
        self.done += 1
        t = self.done
        rate = RATE * 0.5 * (1 + np.cos(np.pi * t / (self.steps + 1)))
        for i, (value, gradient) in enumerate(zip(self.layers, gradients, strict=True)):
            first, second = self.first[i], self.second[i]
            np.add(first, 0.1 * (gradient - first), out=first)
            np.add(second, 0.001 * (gradient**2 - second), out=second)
            change = (first / (1 - 0.9**t)) / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
            if value.ndim > 1:  # weights shrink, biases don't
                change = change + DECAY * value
            np.subtract(value, (rate * change).astype(np.float32), out=value)


def threshold_for(network: Network, films: Iterable[Small]) -> float:
    """Half the odds of the least frontal of these films, at most an even chance.

    None of the films that choose it is refused then, nor one somewhat odder; a picture that looks
    less frontal than all of them by far is.

    Args:
        network: as fitted.
        films: readable ones that the network hasn't seen.
    """
    shares = [float(network.probabilities(describe(small.picture))[0]) for small in films]
    least = min(shares, default=0.5)
    odds = least / max(1 - least, 1e-6) / 2
    return min(odds / (1 + odds), 0.5)
