"""Messages of the MQTT door: many in one transaction, each refused or stored once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
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
from .readings import ReadingIn, check_length, store_together

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Batch:
    """What a transaction will store, and why the rest is refused."""

    items: dict[Device, list[ReadingIn]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    keys: Mapping[str, DeviceKey | keys.KeyRefusedError] = field(default_factory=dict)
    by_serial: Mapping[str, Device] = field(default_factory=dict)  # where the broker vouches
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
    opened: list[tuple[Message, Opened]] = []
    for message in messages:
        try:
            found = open_message(message)
            check_length(len(found.readings))
        except DomainError as error:
            refused.setdefault(error.code, []).append(message.topic)
        else:
            opened.append((message, found))
    # before the transaction: a key's row is never locked inside it
    texts = {found.key for _, found in opened if found.key}
    batch.keys = keys.authenticate_many(texts=texts, now=now)
    if settings.MQTT_TRUST_TOPIC:
        batch.by_serial = _by_serial({found.level for _, found in opened if not found.key})
    for message, found in opened:
        try:
            device = _sender(found, batch)
        except DomainError as error:
            refused.setdefault(error.code, []).append(message.topic)
            continue
        batch.counts["message:taken"] += 1
        batch.items.setdefault(device, []).extend(map(ReadingIn.from_json, found.readings))
    for code, topics in refused.items():
        batch.refuse(code, topics)
    _store(batch, now)
    return dict(batch.counts)


def refuse_message(*, message: Message, code: str) -> None:
    """Count a message that can't be stored for a reason of ours."""
    batch = _Batch()
    batch.refuse(code, [message.topic])
    _store(batch, timezone.now())


def _sender(opened: Opened, batch: _Batch) -> Device:
    known = opened.key, opened.level
    if known not in batch.senders:
        try:
            batch.senders[known] = _find_sender(opened, batch)
        except DomainError as error:
            batch.senders[known] = error
    found = batch.senders[known]
    if isinstance(found, DomainError):
        raise found
    return found


def _find_sender(opened: Opened, batch: _Batch) -> Device:
    """Whose readings these are: by the key; by the topic alone only where the broker vouches."""
    if opened.key:
        key = batch.keys[opened.key]
        if isinstance(key, keys.KeyRefusedError):
            raise key
        check_topic(opened.level, key.device.serial)
        return key.device
    if not settings.MQTT_TRUST_TOPIC:
        raise NotPermittedError("key_missing", "The message has no key.")
    named = [batch.by_serial[text] for text in serials(opened.level) if text in batch.by_serial]
    if not named:
        raise InvalidInputError("unknown_device", "No machine has this serial.")
    return min(named, key=lambda device: device.pk)


def _by_serial(levels: Collection[str]) -> dict[str, Device]:
    """The machines that topics may mean; one query."""
    texts = {text for level in levels for text in serials(level)}
    return {device.serial: device for device in Device.objects.filter(serial__in=texts)}


@transaction.atomic
def _store(batch: _Batch, now: datetime) -> None:
    results = store_together(items=batch.items, source=ReadingSource.MQTT)
    for result in results.values():
        batch.counts["reading:accepted"] += result.accepted
        batch.counts["reading:duplicate"] += result.duplicates
        for refusal in result.rejected:
            batch.counts[f"reading:{refusal['code']}"] += 1
    for outcome, count in sorted(batch.counts.items()):
        known = MqttCount.objects.filter(outcome=outcome)
        if count and not known.update(count=F("count") + count, last_at=now):
            MqttCount.objects.create(outcome=outcome, count=count, last_at=now)
