"""Tasks whose message is a hint: the row is the truth, so a queue that is away loses nothing."""

from __future__ import annotations

from functools import partial
from typing import Any

import structlog
from celery.contrib.django.task import DjangoTask
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


class HintTask(DjangoTask):
    """`delay_on_commit` whose failure to send is logged and does not fail the caller.

    The caller's row is committed when the message is sent. An error there would tell a person that
    a stored film was not stored; beat sends again what was not sent.
    """

    abstract = True

    # the stubs say it gives a result; nothing is known before the commit
    def delay_on_commit(  # type: ignore[override]
        self, *args: Any, **kwargs: Any
    ) -> None:
        """Send when the transaction is committed."""
        transaction.on_commit(partial(self.hint, *args, **kwargs))

    def hint(self, *args: Any, **kwargs: Any) -> None:
        """Send now; what is committed already doesn't fail for it."""
        try:
            self.delay(*args, **kwargs)
        except (OperationalError, OSError) as error:
            log.warning("message_not_sent", task_name=self.name, error=str(error))
