"""The film as a whole beside its boxes: a head that names the film, and lends its word to each box.

A box sees one lung. Whether a film shows a disease is often told by both lungs together and by what
lies between them, so a small head pools the feature maps of the whole film and names it. Training
adds its loss to those of the cascade; serving multiplies a box's score with its word (`blend`).
"""

from __future__ import annotations

from typing import Any, Final

import torch
from mmdet.models.roi_heads import CascadeRoIHead
from mmdet.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional

LEVELS: Final = slice(1, 4)  # FPN levels of stride 8, 16 and 32; finer ones see texture alone
LABEL_SMOOTHING: Final = 0.1
DROPOUT: Final = 0.3


@MODELS.register_module()
class FilmRoIHead(CascadeRoIHead):
    """mmdetection's cascade with a head for the film.

    Args:
        film_channels: of each feature map.
        film_classes: how many classes a film can have.
        film_weight: of its loss beside the cascade's.
    """

    def __init__(
        self, *args: Any, film_channels: int, film_classes: int, film_weight: float, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        levels = LEVELS.stop - LEVELS.start
        self.film = nn.Sequential(
            nn.Dropout(DROPOUT), nn.Linear(2 * levels * film_channels, film_classes)
        )
        self.film_weight = film_weight

    def name_film(self, features: tuple[Tensor, ...]) -> Tensor:
        """Logits (N, classes) of whole films from their feature maps."""
        pooled = []
        for level in features[LEVELS]:
            pooled += [level.mean(dim=(2, 3)), level.amax(dim=(2, 3))]
        words: Tensor = self.film(torch.cat(pooled, dim=1))
        return words

    def loss(
        self, x: tuple[Tensor, ...], rpn_results_list: Any, batch_data_samples: Any
    ) -> dict[str, Tensor]:
        """The cascade's losses, and `loss_film` for films that have a box."""
        losses: dict[str, Tensor] = super().loss(x, rpn_results_list, batch_data_samples)
        labels = [sample.gt_instances.labels for sample in batch_data_samples]
        named = [i for i, boxes in enumerate(labels) if len(boxes)]
        words = self.name_film(x)
        if named:
            truth = torch.stack([labels[i][0] for i in named])
            loss = functional.cross_entropy(words[named], truth, label_smoothing=LABEL_SMOOTHING)
        else:
            loss = words.sum() * 0.0
        return {**losses, "loss_film": self.film_weight * loss}


def blend(scores: Tensor, labels: Tensor, words: Tensor, share: float) -> Tensor:
    """Scores of boxes with the film's word in them.

    The weighted geometric mean of the box's score and the film's probability of the same class.
    Within a class of a film the order of the boxes stays.

    Args:
        scores: (N,) of boxes.
        labels: (N,) their class numbers.
        words: (classes,) logits of the film.
        share: 0 (boxes alone) to 1 (film alone).
    """
    return scores ** (1 - share) * words.softmax(dim=0)[labels] ** share
