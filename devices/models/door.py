"""What came through the MQTT door, counted."""

from __future__ import annotations

from django.db import models


class MqttCount(models.Model):
    """How often one outcome came, since the first message.

    A sender over MQTT gets no answer, so this is where a refusal shows. Counted in the transaction
    that stores the readings: what is rolled back is not counted.
    """

    outcome = models.CharField(max_length=40, unique=True)
    count = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.outcome} {self.count}"
