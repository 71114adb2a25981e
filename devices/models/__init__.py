"""The device twin's rows: what it is, how it is, what was done to it."""

from .alert import Alert, AlertNote, AlertState
from .component import Component, ComponentKind
from .device import Device, DeviceAlias
from .device_model import DeviceModel, Metric, Rule
from .door import MqttCount
from .inbox import InboxEntry
from .key import DeviceKey
from .maintenance import Downtime, MaintenancePlan, WorkOrder, WorkOrderEvent
from .reading import Reading
from .reading_import import ReadingImport, RefusedRow
from .twin import TwinEvent, TwinState

__all__ = [
    "Alert",
    "AlertNote",
    "AlertState",
    "Component",
    "ComponentKind",
    "Device",
    "DeviceAlias",
    "DeviceKey",
    "DeviceModel",
    "Downtime",
    "InboxEntry",
    "MaintenancePlan",
    "Metric",
    "MqttCount",
    "Reading",
    "ReadingImport",
    "RefusedRow",
    "Rule",
    "TwinEvent",
    "TwinState",
    "WorkOrder",
    "WorkOrderEvent",
]
