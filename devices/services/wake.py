"""Who has to be judged: any number of calls with readings become one look at many machines.

`ask` comes after the commit of the readings and leaves one row a machine; `sweep` takes the rows,
commits, and only then reads. So a row that `ask` finds is one whose `sweep` will still see the
readings, and a second one is not needed. The queue's message has no machine in it: who left the
oldest row sends it, and whoever gets it takes all rows.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.db import Error, connection, transaction
from django.utils import timezone

from devices.models import Alert, AlertState, Device, Wake
from devices.models.device import Lifecycle
from devices.rule_kinds.spec import KEPT
from devices.selectors.health import watched

from . import evaluation

logger = structlog.get_logger(__name__)

LOST_AFTER = timedelta(seconds=5)  # a message that nobody has served by then is sent again
AT_ONCE = 500  # machines that are looked at together
LOOKS = 10

_ASK = """
    INSERT INTO devices_wake (device_id, asked_at) VALUES {rows}
    ON CONFLICT (device_id) DO UPDATE SET asked_at = excluded.asked_at
    WHERE devices_wake.asked_at < %s
    RETURNING id
"""


def ask_on_commit(*, device_ids: Collection[int], send: Callable[[], object]) -> None:
    """Have machines judged once the surrounding transaction is committed.

    Args:
        device_ids: whose readings are new.
        send: puts a message into the queue that leads to `sweep`.
    """
    transaction.on_commit(partial(_ask_and_send, set(device_ids), send))


def _ask_and_send(devices: set[int], send: Callable[[], object]) -> None:
    try:
        needed = ask(device_ids=devices, now=timezone.now())
    except Error as error:
        # the readings are committed: whoever sent them must not be told otherwise
        logger.warning("wake_not_noted", devices=len(devices), problem=str(error)[:200])
        return
    if needed:
        send()


def ask(*, device_ids: Collection[int], now: datetime) -> bool:
    """Leave a row for each machine that has none; call it after the commit of what is new.

    Returns:
        whether a message must be sent: the oldest row is ours, or one was waiting for too long.
    """
    moment, long_ago = map(connection.ops.adapt_datetimefield_value, (now, now - LOST_AFTER))
    marks = ", ".join(["(%s, %s)"] * len(device_ids))
    # sorted: one order of locks for all
    values = [value for device_id in sorted(device_ids) for value in (device_id, moment)]
    with connection.cursor() as cursor:
        cursor.execute(_ASK.format(rows=marks), [*values, long_ago])
        ours = [pk for (pk,) in cursor.fetchall()]
    if not ours:
        return False
    # of several that came at once, that of the oldest row sends; looked at after our own commit,
    # so whoever takes an older row finds ours at its next look
    oldest = Wake.objects.order_by("pk").values_list("pk", flat=True).first()
    return oldest is None or min(ours) <= oldest


def take() -> tuple[list[int], bool]:
    """Take the machines that wait; commits, so that what is read afterwards is all they have.

    It looks again until nobody is left: who left a row while the first look went on found an older
    one and sent no message.

    Returns:
        the machines, and whether some may be left because ever more came.
    """
    taken: set[int] = set()
    for _ in range(LOOKS):
        found = _take_once()
        if not found:
            return sorted(taken), False
        taken.update(found)
    return sorted(taken), True


@transaction.atomic
def _take_once() -> list[int]:
    # locked in the order in which `ask` locks
    rows = Wake.objects.select_for_update().order_by("device_id")
    found = dict(rows.values_list("pk", "device_id"))
    Wake.objects.filter(pk__in=found).delete()
    return list(found.values())


def sweep(*, now: datetime, seconds: float = math.inf) -> bool:
    """Judge the machines that wait; those for which the time is too short wait on.

    Args:
        now: as of when.
        seconds: after so many no other machine is begun.

    Returns:
        whether more may wait: another message is needed.
    """
    stop = time.monotonic() + seconds
    taken, more = take()
    for start in range(0, len(taken), AT_ONCE):
        rest = taken[start + AT_ONCE :]
        left = evaluation.evaluate_many(
            device_ids=to_judge(device_ids=taken[start : start + AT_ONCE], now=now),
            now=now,
            seconds=stop - time.monotonic(),
        )
        if left or (rest and time.monotonic() > stop):
            put_back(device_ids=[*left, *rest], now=now)
            return True
    return more


def put_back(*, device_ids: Collection[int], now: datetime) -> None:
    """Have machines wait again that were taken and not judged; a message is for the caller."""
    if device_ids:
        ask(device_ids=device_ids, now=now)


def to_judge(*, device_ids: Sequence[int], now: datetime) -> list[int]:
    """Those of the machines whose alerts a judgement could change, in a few queries for all.

    A machine that has no unresolved alert, no failing check and no rule that keeps a state stays as
    it is. What a kept state says of the new readings is known only once they are folded, so such
    machines come too, after those that fail already.
    """
    devices = list(Device.objects.filter(pk__in=device_ids).exclude(lifecycle=Lifecycle.RETIRED))
    if not devices:
        return []
    unresolved = Alert.objects.order_by().exclude(state=AlertState.RESOLVED)
    first = set(unresolved.filter(device__in=devices).values_list("device_id", flat=True))
    then = set()
    for item in watched(devices, now):
        if item.result.state in {"watch", "act"}:
            first.add(item.device_id)
        elif item.spec.kind in KEPT:
            then.add(item.device_id)
    return [*sorted(first), *sorted(then - first)]
