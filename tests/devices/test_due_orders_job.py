"""The job that makes due orders: killed in the middle and run twice at once, the rows are the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks import due_orders
from devices.models import WorkOrder
from devices.services import plan_orders

pytestmark = pytest.mark.django_db


@pytest.fixture
def fleet(db: None) -> None:
    due_orders.fill(8, timezone.localdate() - timedelta(days=30))


def test_an_end_in_the_middle_leaves_whole_groups_and_the_next_run_makes_the_rest(
    fleet: None, monkeypatch: Any
) -> None:
    monkeypatch.setattr(plan_orders, "CHUNK", 5)
    real, calls = plan_orders.materialise, []

    def dies(*args: Any) -> int:
        if len(calls) == 3:
            raise SystemExit
        calls.append(real(*args))
        return calls[-1]

    monkeypatch.setattr(plan_orders, "materialise", dies)
    with pytest.raises(SystemExit):
        plan_orders.materialise_due_orders()
    half = WorkOrder.objects.count()
    assert half == sum(calls) > 0
    monkeypatch.setattr(plan_orders, "materialise", real)
    assert plan_orders.materialise_due_orders() > 0
    assert plan_orders.materialise_due_orders() == 0
    found = due_orders.rows()
    assert found["orders"] > half
    assert (found["twice"], found["events"]) == (0, found["orders"])
    assert set(WorkOrder.objects.values_list("plan__timing", flat=True)) == {
        "fixed", "floating", "meter",
    }  # fmt: skip


def test_many_plans_cost_as_many_queries_as_few(fleet: None) -> None:
    with CaptureQueriesContext(connection) as few:
        plan_orders.materialise_due_orders()
    assert len(few) < 40
