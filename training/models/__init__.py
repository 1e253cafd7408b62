from training.models.learning import (
    Answer,
    Attempt,
    Completion,
    Enrollment,
    EnrollmentEnd,
    LessonProgress,
    Requirement,
)
from training.models.procedure import (
    LessonVideo,
    Procedure,
    ProcedureVersion,
    ProcedureVersionQuerySet,
    VersionState,
)

__all__ = [
    "Answer",
    "Attempt",
    "Completion",
    "Enrollment",
    "EnrollmentEnd",
    "LessonProgress",
    "LessonVideo",
    "Procedure",
    "ProcedureVersion",
    "ProcedureVersionQuerySet",
    "Requirement",
    "VersionState",
]
