"""The device twin's rows: what it is, how it is, what was done to it."""

from .alert import Alert, AlertNote, AlertState
from .alert_group import AlertGroup
from .device import Device, DeviceAlias
from .device_model import DeviceModel, Metric, Rule
from .door import MqttCount
from .inbox import InboxEntry
from .key import DeviceKey
from .maintenance import Downtime, MaintenancePlan, WorkOrder, WorkOrderEvent
from .notification import DeliveryAttempt, Notification, Subscription, Webhook
from .reading import Reading
from .relation import Spare, Supply, SupplyMember
from .twin import TwinEvent, TwinState

__all__ = [
    "Alert",
    "AlertGroup",
    "AlertNote",
    "AlertState",
    "DeliveryAttempt",
    "Device",
    "DeviceAlias",
    "DeviceKey",
    "DeviceModel",
    "Downtime",
    "InboxEntry",
    "MaintenancePlan",
    "Metric",
    "MqttCount",
    "Notification",
    "Reading",
    "Rule",
    "Spare",
    "Subscription",
    "Supply",
    "SupplyMember",
    "TwinEvent",
    "TwinState",
    "Webhook",
    "WorkOrder",
    "WorkOrderEvent",
]
