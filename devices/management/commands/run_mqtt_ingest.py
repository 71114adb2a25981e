"""The MQTT door of readings, a process of its own."""

from __future__ import annotations

import signal
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from devices.mqtt_listener import Listener, read_url


class Command(BaseCommand):
    """`run_mqtt_ingest`: listens at MQTT_URL until SIGTERM."""

    help = "Take readings from the MQTT broker at MQTT_URL until the process is asked to end."

    def handle(self, *args: Any, **options: Any) -> None:
        """One process for one client id: a second one would take the first one's place."""
        if not settings.MQTT_URL:
            raise CommandError("MQTT_URL is not set: mqtt://user:password@host:1883")
        try:
            broker = read_url(
                settings.MQTT_URL,
                ca_file=settings.MQTT_CA_FILE,
                client_id=settings.MQTT_CLIENT_ID,
            )
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        listener = Listener(broker, alive=settings.DATA_DIR / "mqtt-listener.alive")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: listener.stop())
        listener.run()
