"""Messages of the MQTT door: many in one transaction, each refused or stored once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from devices.models import Device, DeviceKey, MqttCount
from devices.models.reading import ReadingSource
from devices.mqtt_messages import Message, Opened, check_topic, open_message, serials
from twinhealth.errors import DomainError, InvalidInputError, NotPermittedError

from . import keys
from .readings import ReadingIn, check_length, store_readings

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Batch:
    """What a transaction will store, and why the rest is refused."""

    devices: dict[int, Device] = field(default_factory=dict)
    items: dict[int, list[ReadingIn]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    keys: dict[str, DeviceKey | keys.KeyRefusedError] = field(default_factory=dict)
    # by key and topic: most of a batch comes from few senders
    senders: dict[tuple[str, str], Device | DomainError] = field(default_factory=dict)

    def refuse(self, code: str, topics: Iterable[str]) -> None:
        """Count and say it: one line a batch, or a flood would fill the disk with lines."""
        listed = list(topics)
        self.counts[f"message:{code}"] += len(listed)
        log.warning("mqtt_refused", code=code, messages=len(listed), topic=listed[0][:100])


def record_messages(*, messages: Sequence[Message]) -> dict[str, int]:
    """Store the readings of messages in one transaction; refused ones are counted and logged.

    It returns after the commit: only then may a message be acknowledged. The same messages again
    change nothing but the count of duplicates.

    Args:
        messages: in whatever order.

    Returns:
        how many of each outcome: `message:taken`, `message:<code>`, `reading:accepted`,
        `reading:duplicate`, `reading:<code>`.
    """
    batch, now = _Batch(), timezone.now()
    refused: dict[str, list[str]] = {}
    for message in messages:
        try:
            opened = open_message(message)
            check_length(len(opened.readings))
            device = _sender(opened, batch, now)
        except DomainError as error:
            refused.setdefault(error.code, []).append(message.topic)
            continue
        batch.counts["message:taken"] += 1
        batch.devices[device.pk] = device
        batch.items.setdefault(device.pk, []).extend(map(ReadingIn.from_json, opened.readings))
    for code, topics in refused.items():
        batch.refuse(code, topics)
    _store(batch, now)
    return dict(batch.counts)


def refuse_message(*, message: Message, code: str) -> None:
    """Count a message that can't be stored for a reason of ours."""
    batch = _Batch()
    batch.refuse(code, [message.topic])
    _store(batch, timezone.now())


def _sender(opened: Opened, batch: _Batch, now: datetime) -> Device:
    known = opened.key, opened.level
    if known not in batch.senders:
        try:
            batch.senders[known] = _find_sender(opened, batch, now)
        except DomainError as error:
            batch.senders[known] = error
    found = batch.senders[known]
    if isinstance(found, DomainError):
        raise found
    return found


def _find_sender(opened: Opened, batch: _Batch, now: datetime) -> Device:
    """Whose readings these are: by the key; by the topic alone only where the broker vouches."""
    if opened.key:
        key = _key(opened.key, batch, now)
        check_topic(opened.level, key.device.serial)
        return key.device
    if not settings.MQTT_TRUST_TOPIC:
        raise NotPermittedError("key_missing", "The message has no key.")
    device = Device.objects.filter(serial__in=serials(opened.level)).order_by("pk").first()
    if device is None:
        raise InvalidInputError("unknown_device", "No machine has this serial.")
    return device


def _key(text: str, batch: _Batch, now: datetime) -> DeviceKey:
    """Looked up once a batch, before the transaction: a key's row is never locked inside it."""
    if text not in batch.keys:
        try:
            batch.keys[text] = keys.authenticate(text=text, now=now)
        except keys.KeyRefusedError as error:
            batch.keys[text] = error
    found = batch.keys[text]
    if isinstance(found, keys.KeyRefusedError):
        raise found
    return found


@transaction.atomic
def _store(batch: _Batch, now: datetime) -> None:
    for pk in sorted(batch.items):  # one order of locks for all
        result = store_readings(
            device=batch.devices[pk], items=batch.items[pk], source=ReadingSource.MQTT
        )
        batch.counts["reading:accepted"] += result.accepted
        batch.counts["reading:duplicate"] += result.duplicates
        for refusal in result.rejected:
            batch.counts[f"reading:{refusal['code']}"] += 1
    for outcome, count in sorted(batch.counts.items()):
        known = MqttCount.objects.filter(outcome=outcome)
        if count and not known.update(count=F("count") + count, last_at=now):
            MqttCount.objects.create(outcome=outcome, count=count, last_at=now)
