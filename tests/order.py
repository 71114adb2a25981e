"""How `make test` shares the tests out: which run on both databases, which together, which first.

A new file runs on PostgreSQL with Redis and on SQLite with the file-system queue, on one worker,
unless it is named here.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent

# Path below tests/, or path::function -> why database and queue can't change the outcome. Whatever
# asks SQL for more than rows by their key, locks, sends a message or stores JSON doesn't belong
# here.
INDIFFERENT = {
    "detectors": "network, weights and training: tensors and files, hardly a row",
    "evaluation": "arithmetic on files",
    "demo/test_films.py": "drawn pictures",
    "demo/test_fleet_truth.py": "arithmetic on a simulated fleet, no row",
    "demo/test_simulator.py": "a machine's physics, no row",
    "demo/test_telemetry.py": "texts that a simulated machine sends, no row",
    "devices/test_anomaly.py": "arithmetic on a list of values",
    "devices/test_csv_readings.py": "a parser",
    "devices/test_drift_benchmark.py": "arithmetic on labelled series",
    "devices/test_maintenance_schedule.py": "a calendar's arithmetic",
    "devices/test_mqtt_packets.py": "a parser of packets",
    "devices/test_rule_kinds.py": "arithmetic on a list of values",
    "devices/test_udi.py": "a parser",
    "devices/test_units.py": "unit conversion",
    "house/test_bootstrap.py": "the environment before anything is installed",
    "house/test_compose.py": "what docker-compose.yml says",
    "house/test_panels.py": "sections drawn by templates, no row",
    "house/test_permissions_walk.py": "who may what is decided before a row is asked for",
    "house/test_run.py": "settings of `make run`",
    "house/test_scripts.py": "servers and counts of `make test`",
    "house/test_supervise.py": "processes that know no database",
    "house/test_ucum.py": "unit words",
    "house/test_schema_fuzz.py::test_generated_requests": (
        "the descriptions are the same; test_strange_values_in_every_place and "
        "test_hostile_input.py ask both databases"
    ),
    "imaging/test_grayscale.py": "arithmetic on pixels",
    "imaging/test_grayscale_chain.py": "arithmetic on pixels",
    "imaging/test_header.py": "a parser",
    "imaging/test_statistics.py": "arithmetic on pixels",
    "quality/test_tolerance.py": "arithmetic on numbers",
    "planning/test_guard_and_changes.py": "days compared, texts parsed",
    "planning/test_proposal.py": "arithmetic on arrays",
    "planning/test_simulation.py": "arithmetic on arrays",
    "reading/test_double_pages.py::test_at_no_door_the_second_reader_hears_the_first": (
        "a walk over permissions; the rules behind them are asked on both in test_double*.py"
    ),
    "reading/test_report_text.py": "texts",
}
# Long ones start first, so that no worker is left alone with one at the end.
FIRST = (
    "browser/test_every_page.py",
    "house/test_hostile_input.py",
    "detection/test_chaos.py",
    "devices/test_mqtt_processes.py",
    "browser/test_viewer_tools.py",
    "house/test_schema_fuzz.py",
    "reading/test_double_pages.py",
    "detectors",
)
# A file's tests run on one worker, which shares what they build; of these each goes where there is
# room, because one of them is as long as another file.
SPLIT = ("browser/test_every_page.py", "house/test_hostile_input.py")


def names(path: Path, function: str) -> list[str]:
    """What a test may be called here: its file's folders, its file, and itself."""
    if not path.is_relative_to(ROOT):
        return []
    below = path.relative_to(ROOT)
    folders = [str(folder) for folder in below.parents if folder != Path()]
    return [*folders, str(below), f"{below}::{function}"]


def is_indifferent(path: Path, function: str) -> bool:
    """Whether one database and queue are enough for this test."""
    return any(name in INDIFFERENT for name in names(path, function))


def group(nodeid: str) -> str:
    """Tests of one group run on one worker, one after the other."""
    path = nodeid.partition("::")[0]
    return nodeid if path.removeprefix("tests/") in SPLIT else path


def rank(path: Path, function: str) -> int:
    """Place in the order; files that are not named keep theirs, after the others."""
    known = names(path, function)
    places = [place for place, name in enumerate(FIRST) if name in known]
    return min(places, default=len(FIRST))


def stale(entries: Iterable[str]) -> list[str]:
    """Entries that name nothing that is there."""
    found = []
    for entry in entries:
        path, _, function = entry.partition("::")
        place = ROOT / path
        if not place.exists() or (function and f"def {function}(" not in place.read_text()):
            found.append(entry)
    return found
