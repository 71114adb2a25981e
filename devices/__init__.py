"""The device twin: configuration, readings, health, alerts, maintenance."""
