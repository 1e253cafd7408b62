"""How two versions of a procedure differ, in words for a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

from training.changes import Change, Kind, Part, Section, changed_steps, changes
from training.course import Course
from training.models import ProcedureVersion

_SECTIONS: Mapping[Section, LazyText] = {
    Section.FRONT: _("Front matter"),
    Section.PURPOSE: _("Purpose"),
    Section.SCOPE: _("Scope"),
    Section.STEPS: _("Steps"),
    Section.MISTAKES: _("Mistakes to avoid"),
    Section.CHECKLIST: _("Checklist"),
    Section.FREQUENT: _("Questions people ask"),
    Section.QUESTIONS: _("Knowledge check"),
}
_PARTS: Mapping[str, LazyText] = {
    "title": _("Title"),
    "summary": _("Summary"),
    "effective": _("In force from"),
    "review_by": _("To be looked at again by"),
    "change": _("What changed"),
    "changed": _("Changed steps"),
    "pass_mark": _("Pass mark, in percent"),
    "draw": _("Questions in an attempt"),
    "attempts": _("Attempts before a pause"),
    "pause_minutes": _("Minutes of the pause"),
    "valid_days": _("Days a completion counts"),
    "text": _("Text"),
    "example": _("Example"),
    "narration": _("Narration"),
    "step": _("Belongs to the step"),
    "answer": _("Answer"),
    "case": _("Case"),
    "prompt": _("Question"),
    "answers": _("Answers"),
    "why": _("Why it is right"),
}
#: How a kind looks: never by colour alone.
_LOOKS: Mapping[Kind, tuple[LazyText, str, str]] = {
    Kind.ADDED: (_("added"), "ok", "plus"),
    Kind.REMOVED: (_("removed"), "bad", "minus"),
    Kind.CHANGED: (_("changed"), "info", "pencil"),
}
#: What is not for who learns: what is asked of them, and how.
_NOT_FOR_LEARNERS = frozenset({Section.QUESTIONS})
#: The note on what changed stands above the difference, in full.
_FRONT_FOR_LEARNERS = frozenset({"title", "summary"})


@dataclass(frozen=True, slots=True)
class ShownPart:
    label: LazyText | str
    part: Part


@dataclass(frozen=True, slots=True)
class ShownChange:
    """``title`` is empty where the section, or its one part, says it."""

    title: str
    look: tuple[LazyText, str, str] | None
    moved: bool
    parts: Sequence[ShownPart]


@dataclass(frozen=True, slots=True)
class ShownSection:
    name: str
    label: LazyText
    changes: Sequence[ShownChange]


def difference(old: Course, new: Course, *, for_learners: bool = False) -> Sequence[ShownSection]:
    """What differs, by section, in the order of the text; for learners, without what they are asked."""
    found: dict[Section, list[ShownChange]] = {}
    for change in changes(old, new):
        if not (for_learners and _is_for_authors(change)):
            found.setdefault(change.section, []).append(_shown(change))
    return [
        ShownSection(section.value, _SECTIONS[section], shown) for section, shown in found.items()
    ]


def _is_for_authors(change: Change) -> bool:
    if change.section is Section.FRONT:
        return change.key not in _FRONT_FOR_LEARNERS
    return change.section in _NOT_FOR_LEARNERS


def _shown(change: Change) -> ShownChange:
    is_thing = change.section in {
        Section.STEPS,
        Section.CHECKLIST,
        Section.FREQUENT,
        Section.QUESTIONS,
    }
    return ShownChange(
        title=change.title if is_thing else "",
        look=_LOOKS.get(change.kind) if is_thing else None,
        moved=change.moved,
        parts=[ShownPart(_PARTS.get(part.name, ""), part) for part in change.parts],
    )


@dataclass(frozen=True, slots=True)
class Steps:
    """Whether the steps that a version says it changed are those that say something else.

    ``changed`` did change; ``missing`` are those of them that ``changed:`` does not list although it
    lists some, and ``idle`` those that it lists and that say the same as before.
    """

    changed: Sequence[str]
    missing: Sequence[str]
    idle: Sequence[str]
    all_are_asked: bool

    @property
    def suggested(self) -> str:
        """The line for the front matter."""
        return f"changed: [{', '.join(self.changed)}]"


def steps(old: ProcedureVersion, new: ProcedureVersion) -> Steps:
    """Compare what a version says of its steps with what they say, in any of its languages."""
    found = {
        step
        for language, course in new.courses.items()
        if language in old.texts
        for step in changed_steps(old.courses[language], course)
    }
    course = new.course("")
    changed = [step.key for step in course.steps if step.key in found]
    listed = course.front.changed
    return Steps(
        changed=changed,
        missing=[step for step in changed if listed and step not in listed],
        idle=[step for step in listed if step not in found],
        all_are_asked=not listed,
    )
