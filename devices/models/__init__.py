"""The device twin's rows: what it is, how it is, what was done to it."""

from .alert import Alert, AlertNote, AlertState
from .device import Device, DeviceAlias
from .device_model import DeviceModel, Metric
from .door import MqttCount
from .inbox import InboxEntry
from .key import DeviceKey
from .maintenance import Downtime, MaintenancePlan, WorkOrder, WorkOrderEvent
from .reading import Reading
from .rule import Rule, RuleChange, RuleState, RuleVersion
from .twin import TwinEvent, TwinState

__all__ = [
    "Alert",
    "AlertNote",
    "AlertState",
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
    "Rule",
    "RuleChange",
    "RuleState",
    "RuleVersion",
    "TwinEvent",
    "TwinState",
    "WorkOrder",
    "WorkOrderEvent",
]
