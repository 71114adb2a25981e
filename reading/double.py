"""Which films two readers read, and when their readings agree. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from detection.models import Conclusion

from .models.policy import Twice


def read_twice(*, rule: str, percent: int | None, sha256: str, flagged: bool) -> bool:
    """Whether a film is to be read by two readers.

    A share is drawn by the hexadecimal digits 9 to 16 of the file's SHA-256: as good as random,
    the same on every machine and at every time, and, since the second look draws by the first
    eight, independent of that.
    """
    if rule == Twice.SHARE:
        return int(sha256[8:16], 16) * 100 < (percent or 0) * 16**8
    return rule == Twice.ALL or (rule == Twice.FLAGGED and flagged)


def agree(*, conclusions: tuple[str, str], diseases: tuple[Iterable[str], Iterable[str]]) -> bool:
    """The same conclusion, and of an abnormal film the same set of diseases.

    Where the boxes are and what the texts say may differ; so may the number of boxes.
    """
    first, second = conclusions
    if first != second:
        return False
    return first != Conclusion.ABNORMAL or set(diseases[0]) == set(diseases[1])
