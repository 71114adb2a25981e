"""The device twin's rows: what it is, how it is, what was done to it."""

from .alert import Alert, AlertNote, AlertState
from .alert_group import AlertGroup
from .alert_policy import AlertPolicy
from .component import Component, ComponentKind
from .degraded import DegradedSource, DegradedSpan
from .device import Device, DeviceAlias
from .device_model import DeviceModel, Metric
from .door import MqttCount
from .inbox import InboxEntry
from .key import DeviceKey
from .maintenance import Downtime, MaintenancePlan, WorkOrder, WorkOrderEvent
from .model_plan import Blackout, ModelPlan, ModelPlanException
from .notification import DeliveryAttempt, Notification, Subscription, Webhook
from .order_answers import OrderAnswers
from .order_cost import Cost, Labour
from .order_file import OrderFile
from .reading import Reading
from .reading_import import ReadingImport, RefusedRow
from .relation import Spare, Supply, SupplyMember
from .retention import RetentionPolicy, RetentionRun
from .rollup import Reading5Min, ReadingDay, ReadingHour, ReadingLatest
from .rule import Rule, RuleChange, RuleState, RuleVersion
from .skill import PersonSkill, SkillWaiver
from .twin import TwinEvent, TwinSnapshot, TwinState
from .wake import Wake

__all__ = [
    "Alert",
    "AlertGroup",
    "AlertNote",
    "AlertPolicy",
    "AlertState",
    "Blackout",
    "Component",
    "ComponentKind",
    "Cost",
    "DegradedSource",
    "DegradedSpan",
    "DeliveryAttempt",
    "Device",
    "DeviceAlias",
    "DeviceKey",
    "DeviceModel",
    "Downtime",
    "InboxEntry",
    "Labour",
    "MaintenancePlan",
    "Metric",
    "ModelPlan",
    "ModelPlanException",
    "MqttCount",
    "Notification",
    "OrderAnswers",
    "OrderFile",
    "PersonSkill",
    "Reading",
    "Reading5Min",
    "ReadingDay",
    "ReadingHour",
    "ReadingImport",
    "ReadingLatest",
    "RefusedRow",
    "RetentionPolicy",
    "RetentionRun",
    "Rule",
    "RuleChange",
    "RuleState",
    "RuleVersion",
    "SkillWaiver",
    "Spare",
    "Subscription",
    "Supply",
    "SupplyMember",
    "TwinEvent",
    "TwinSnapshot",
    "TwinState",
    "Wake",
    "Webhook",
    "WorkOrder",
    "WorkOrderEvent",
]
