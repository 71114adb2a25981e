"""The tests of a protocol: what is asked, and what an answer comes to. Pure."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from devices import units
from devices.plain_text import clean
from quality.tolerance import Bands, Worse, mean
from twinhealth.errors import InvalidInputError

KINDS = {"number": "number", "pass_fail": "passes or fails", "choice": "one of several texts"}
MODES = {"absolute": "in the unit", "percent": "% of the reference"}
SIDES = {"both": "both ways", "above": "only above", "below": "only below"}
MAX_TESTS = 60
MAX_VALUES = 20
MAX_CHOICES = 12
LARGEST = 1e15


@dataclass(frozen=True, slots=True)
class ProtocolTest:
    """One test of a protocol.

    Attributes:
        key: stays the same through the versions, so that a trend goes on.
        name: what is tested.
        kind: one of `KINDS`.
        instructions: how.
        unit: UCUM code of a number; so are the next ones of a number alone.
        bands: reference, tolerance and action level.
        metric: key of the model's metric of which a good result is evidence; may be empty.
        choices: of a choice: text and the verdict it stands for.
    """

    key: str
    name: str
    kind: str
    instructions: str = ""
    unit: str = "1"
    bands: Bands | None = None
    metric: str = ""
    choices: tuple[tuple[str, Worse], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a version keeps it and REST shows it."""
        found = asdict(self)
        bands = found.pop("bands")
        found["choices"] = [{"text": text, "verdict": said} for text, said in self.choices]
        return found | (bands or {})


def from_json(row: Mapping[str, Any]) -> ProtocolTest:
    """The test that a version keeps."""
    bands = None
    if row["kind"] == "number":
        names = ("reference", "tolerance", "action", "mode", "side")
        bands = Bands(**{name: row[name] for name in names})
    return ProtocolTest(
        key=row["key"],
        name=row["name"],
        kind=row["kind"],
        instructions=row.get("instructions", ""),
        unit=row.get("unit", "1"),
        bands=bands,
        metric=row.get("metric", ""),
        choices=tuple((each["text"], each["verdict"]) for each in row.get("choices", ())),
    )


def number(given: Any, *, field: str) -> float:
    """A finite number; a comma is taken for the decimal point.

    Raises:
        InvalidInputError: `not_a_number`.
    """
    try:
        value = float(given.strip().replace(",", ".") if isinstance(given, str) else given)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if isinstance(given, bool):
        value = math.nan
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise InvalidInputError(
            "not_a_number", f"{field}: a finite number is needed.", field=field, limit=LARGEST
        )
    return value


def clean_tests(
    given: Sequence[Mapping[str, Any]], *, keys: set[str], metrics: set[str]
) -> list[ProtocolTest]:
    """The tests of a new version.

    Args:
        given: as `ProtocolTest.to_json` says them; one without a `key` is a new test.
        keys: of the protocol's earlier tests.
        metrics: keys of the model's metrics.

    Raises:
        InvalidInputError: `tests_missing`, `too_many_tests`, `unknown_key`, `test_twice`,
            `unknown_kind`, `unknown_unit`, `unknown_mode`, `unknown_side`, `not_a_number`,
            `band_negative`, `bands_crossed`, `percent_of_zero`, `unknown_metric`,
            `too_few_choices`, `too_many_choices`, `choice_twice`, `unknown_verdict`, or a text's
            own code.
    """
    if not given:
        raise InvalidInputError("tests_missing", "A protocol has at least one test.")
    if len(given) > MAX_TESTS:
        raise InvalidInputError(
            "too_many_tests", f"A protocol has at most {MAX_TESTS} tests.", limit=MAX_TESTS
        )
    found: list[ProtocolTest] = []
    for row in given:
        test = _test(row, keys, metrics)
        for other in found:
            if other.key == test.key or other.name.casefold() == test.name.casefold():
                raise InvalidInputError(
                    "test_twice", f"There are two tests {test.name!r}.", test=test.name
                )
        found.append(test)
    return found


def _one_of(given: Any, known: Mapping[str, str], what: str, name: str) -> str:
    if given not in known:
        raise InvalidInputError(
            f"unknown_{what}", f"{name}: choose the {what}.", known=list(known), test=name
        )
    return str(given)


def _text(row: Mapping[str, Any], field: str, limit: int, *, required: bool = False) -> str:
    text = row.get(field) or ""
    if not isinstance(text, str):
        raise InvalidInputError(f"{field}_invalid", f"The {field} is a text.", field=field)
    return clean(text, field=field, limit=limit, required=required)


def _test(row: Mapping[str, Any], keys: set[str], metrics: set[str]) -> ProtocolTest:
    name = _text(row, "name", 120, required=True)
    key = _text(row, "key", 16) or secrets.token_hex(4)
    if row.get("key") and key not in keys:
        raise InvalidInputError("unknown_key", f"{name}: this protocol has no such test.", key=key)
    kind = _one_of(row.get("kind"), KINDS, "kind", name)
    instructions = _text(row, "instructions", 1000)
    if kind == "choice":
        return ProtocolTest(key, name, kind, instructions, choices=_choices(row, name))
    if kind == "pass_fail":
        return ProtocolTest(key, name, kind, instructions)
    unit = _text(row, "unit", 32) or "1"
    units.convert(0.0, unit, unit)  # refuses a code that it doesn't know
    metric = _text(row, "metric", 64)
    if metric and metric not in metrics:
        raise InvalidInputError(
            "unknown_metric", f"{name}: the model has no metric {metric!r}.", metric=metric
        )
    return ProtocolTest(key, name, kind, instructions, unit, _bands(row, name), metric)


def _bands(row: Mapping[str, Any], name: str) -> Bands:
    reference, tolerance, action = (
        number(row.get(field), field=f"{name}: {field}")
        for field in ("reference", "tolerance", "action")
    )
    mode = _one_of(row.get("mode") or "absolute", MODES, "mode", name)
    side = _one_of(row.get("side") or "both", SIDES, "side", name)
    if tolerance < 0:
        raise InvalidInputError("band_negative", f"{name}: a band is 0 or wider.", test=name)
    if action < tolerance:
        raise InvalidInputError(
            "bands_crossed", f"{name}: the action level lies beyond the tolerance.", test=name
        )
    if mode == "percent" and reference == 0:
        raise InvalidInputError(
            "percent_of_zero", f"{name}: of 0 there are no percent; use the unit.", test=name
        )
    return Bands(reference, tolerance, action, mode, side)  # type: ignore[arg-type]


def _choices(row: Mapping[str, Any], name: str) -> tuple[tuple[str, Worse], ...]:
    given = row.get("choices") or []
    if not isinstance(given, list) or len(given) < 2:
        raise InvalidInputError("too_few_choices", f"{name}: give at least two texts.", test=name)
    if len(given) > MAX_CHOICES:
        raise InvalidInputError(
            "too_many_choices", f"{name}: at most {MAX_CHOICES} texts.", limit=MAX_CHOICES
        )
    verdicts = {"pass": "", "tolerance": "", "action": ""}
    found: dict[str, Worse] = {}
    for each in given:
        if not isinstance(each, Mapping):
            raise InvalidInputError("choice_invalid", f"{name}: a choice has a text and a verdict.")
        text = _text({"choice": each.get("text")}, "choice", 120, required=True)
        if text in found:
            raise InvalidInputError("choice_twice", f"{name}: {text!r} stands twice.", test=name)
        found[text] = _one_of(each.get("verdict"), verdicts, "verdict", name)  # type: ignore[assignment]
    return tuple(found.items())


@dataclass(frozen=True, slots=True)
class Result:
    """What one answer comes to.

    Attributes:
        values: in the test's unit.
        number: their mean.
        text: what was chosen, or `passed`/`failed`.
        verdict: of it.
        note: what was remarked.
    """

    values: tuple[float, ...]
    number: float | None
    text: str
    verdict: Worse
    note: str


def result(test: ProtocolTest, answer: Mapping[str, Any]) -> Result | None:
    """Judge an answer; `None` where the test isn't answered yet.

    Raises:
        InvalidInputError: `not_a_number`, `unknown_unit`, `unit_mismatch`, `unknown_choice`.
    """
    note = str(answer.get("note") or "")
    judge: Callable[[ProtocolTest, Mapping[str, Any], str], Result | None] = {
        "number": _measured,
        "pass_fail": _looked,
        "choice": _chosen,
    }[test.kind]
    return judge(test, answer, note)


def _measured(test: ProtocolTest, answer: Mapping[str, Any], note: str) -> Result | None:
    given = [each for each in answer.get("values") or () if str(each).strip()]
    if not given or test.bands is None:
        return None
    unit = str(answer.get("unit") or test.unit)
    values = [units.convert(number(v, field=test.name), unit, test.unit) for v in given]
    middle = mean(values)
    return Result(tuple(values), middle, "", test.bands.verdict(middle), note)


def _looked(test: ProtocolTest, answer: Mapping[str, Any], note: str) -> Result | None:
    passed = answer.get("passed")
    if passed is None:
        return None
    return Result((), None, "passed" if passed else "failed", "pass" if passed else "action", note)


def _chosen(test: ProtocolTest, answer: Mapping[str, Any], note: str) -> Result | None:
    text = str(answer.get("choice") or "")
    if not text:
        return None
    known = dict(test.choices)
    if text not in known:
        raise InvalidInputError(
            "unknown_choice", f"{test.name}: choose one of its texts.", known=list(known)
        )
    return Result((), None, text, known[text], note)
