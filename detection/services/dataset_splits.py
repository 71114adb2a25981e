"""The installation's key, and which part of a set each patient's films belong to, for good."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from django.db import transaction

from detection.models import DatasetKey, DatasetSplit
from detection.pseudonyms import split_of

_BATCH = 500


def dataset_key() -> bytes:
    """The secret behind pseudonyms and splits; made at the first call, never changed."""
    row, _ = DatasetKey.objects.get_or_create(id=1, defaults={"secret": secrets.token_hex(32)})
    return bytes.fromhex(row.secret)


def take_turns() -> None:
    """Wait for whoever else writes sets; call it inside `atomic()`."""
    dataset_key()
    list(DatasetKey.objects.select_for_update())


def splits(patients: Iterable[int], *, key: bytes, freeze: bool) -> dict[int, str]:
    """Each patient's part; what is stored counts, whatever today's shares would say.

    Args:
        patients: our numbers.
        key: of the installation.
        freeze: store it for those who have none yet.
    """
    wanted = sorted(set(patients))
    found = _stored(wanted)
    fresh = {pk: split_of(key, pk) for pk in wanted if pk not in found}
    if freeze and fresh:
        with transaction.atomic():
            DatasetSplit.objects.bulk_create(
                (DatasetSplit(patient_id=pk, split=split) for pk, split in fresh.items()),
                ignore_conflicts=True,  # another export may have been faster
                batch_size=_BATCH,
            )
        fresh = _stored(list(fresh))
    return found | fresh


def _stored(patients: list[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for start in range(0, len(patients), _BATCH):
        rows = DatasetSplit.objects.filter(patient_id__in=patients[start : start + _BATCH])
        found |= dict(rows.values_list("patient_id", "split"))
    return found
