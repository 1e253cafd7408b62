from escalation.models.clock import Clock, ClockRun
from escalation.models.escalation import (
    ChecklistTick,
    Decision,
    Escalation,
    Handoff,
    Step,
    TrainingOverride,
)
from escalation.models.policy import Policy, PolicyVersion
from escalation.models.promise import Promise
from escalation.models.relook import Relook
from escalation.models.review import Review

__all__ = [
    "ChecklistTick",
    "Clock",
    "ClockRun",
    "Decision",
    "Escalation",
    "Handoff",
    "Policy",
    "PolicyVersion",
    "Promise",
    "Relook",
    "Review",
    "Step",
    "TrainingOverride",
]
