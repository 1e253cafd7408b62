from staff.models.apitoken import ApiToken, ApiTokenQuerySet, Scope, TokenState
from staff.models.people import (
    Absence,
    AbsenceQuerySet,
    Calendar,
    CalendarVersion,
    Role,
    Skill,
    Team,
    Tier,
    User,
    UserManager,
)

__all__ = [
    "Absence",
    "AbsenceQuerySet",
    "ApiToken",
    "ApiTokenQuerySet",
    "Calendar",
    "CalendarVersion",
    "Role",
    "Scope",
    "Skill",
    "Team",
    "Tier",
    "TokenState",
    "User",
    "UserManager",
]
