"""What differs between two versions of a course, as a person reads it.

Pure. What has a key or a heading is compared with what has the same one: it was added, removed,
changed word by word, or moved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final

from training.course import Course, Front, Question, QuestionKind

#: What each thing says, by its key and the name of the part.
Things = Mapping[str, Mapping[str, str]]

#: A word has the blanks after it: as things of their own, half of all would be the same, and to
#: compare two long texts would take seconds.
_WORDS: Final = re.compile(r"(?:\w+|[^\w\s])\s*|\s+")
#: A line break that Markdown reads as a blank: no list, quotation, heading or table begins after it.
_BROKEN: Final = re.compile(r"(?<=[^\s\\])\n[ \t]*(?!\s|[-*+] |\d+[.)] |[>#|]|```)")
#: Parts whose lines are things of their own.
_IN_LINES: Final = frozenset({"case", "answers"})
#: Longer passages are compared by the line: comparing words takes the product of their numbers.
_MOST_WORDS: Final = 3_000


class Section(StrEnum):
    """The parts of a course, in the order of its text."""

    FRONT = "front"
    PURPOSE = "purpose"
    SCOPE = "scope"
    STEPS = "steps"
    MISTAKES = "mistakes"
    CHECKLIST = "checklist"
    FREQUENT = "frequent"
    QUESTIONS = "questions"


class Kind(StrEnum):
    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Run:
    """Words that stand in both, only in the newer (added), or only in the older one (removed)."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """Something that a thing says, such as a step's example, and how its words differ.

    ``runs`` hold all of the newer text and what went from the older one, in order.
    """

    name: str
    runs: tuple[Run, ...]

    @property
    def is_spacing_only(self) -> bool:
        """Whether no word differs, but blanks and line breaks do."""
        return all(run.kind is Kind.SAME for run in self.runs)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs; ``key`` is its key, heading, or field of the front matter.

    ``kind`` is SAME for what only moved. ``parts`` are those that differ; of what was added or
    removed, all it says.
    """

    section: Section
    key: str
    title: str
    kind: Kind
    moved: bool = False
    parts: tuple[Part, ...] = ()


def changes(old: Course, new: Course) -> tuple[Change, ...]:
    """Everything that differs, in the order of the newer text; empty for equal courses."""
    return tuple(_changes(old, new))


def _changes(old: Course, new: Course) -> Iterator[Change]:
    yield from _of_texts(Section.FRONT, _said_in_front(old.front), _said_in_front(new.front))
    yield from _of_texts(Section.PURPOSE, {"": old.purpose}, {"": new.purpose})
    yield from _of_texts(Section.SCOPE, {"": old.scope}, {"": new.scope})
    yield from _of_things(Section.STEPS, _steps(old), _steps(new))
    yield from _of_texts(Section.MISTAKES, {"": old.mistakes}, {"": new.mistakes})
    yield from _of_things(Section.CHECKLIST, _items(old), _items(new))
    yield from _of_things(Section.FREQUENT, _frequent(old), _frequent(new))
    yield from _of_things(Section.QUESTIONS, _questions(old), _questions(new))


def changed_steps(old: Course, new: Course) -> tuple[str, ...]:
    """The keys of the newer course's steps that are new or say something else, in its order.

    Where a step stands, and its narration, which only repeats it, do not count.
    """
    before = {step.key: (step.title, step.text, step.example) for step in old.steps}
    return tuple(
        step.key
        for step in new.steps
        if before.get(step.key) != (step.title, step.text, step.example)
    )


def words(old: str, new: str) -> tuple[Run, ...]:
    """How two texts differ, by words; of what is the same, the newer one's blanks are given."""
    return tuple(_joined(_by_lines(old, new)))


# What each thing says, by the names of its parts


def _said_in_front(front: Front) -> dict[str, str]:
    return {
        name: _written(getattr(front, name))
        for name in front.__dataclass_fields__
        if name not in {"procedure", "language"}
    }


def _written(value: str | int | date | tuple[str, ...] | None) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return "" if value is None else str(value)


def _steps(course: Course) -> Things:
    return {
        step.key: {
            "title": step.title,
            "text": step.text,
            "example": step.example,
            "narration": step.narration,
        }
        for step in course.steps
    }


def _items(course: Course) -> Things:
    return {item.key: {"title": item.text, "step": item.step} for item in course.checklist}


def _frequent(course: Course) -> Things:
    """By their headings, which may repeat and are then counted."""
    found: dict[str, Mapping[str, str]] = {}
    for each in course.frequent:
        key, again = each.title, 1
        while key in found:
            again += 1
            key = f"{each.title} ({again})"
        found[key] = {"title": each.title, "answer": each.answer}
    return found


def _questions(course: Course) -> Things:
    return {
        each.key: {
            "title": each.title,
            "case": each.case,
            "prompt": each.prompt,
            "answers": _answers(each),
            "step": each.step,
            "why": each.why,
        }
        for each in course.questions
    }


def _answers(question: Question) -> str:
    if question.kind is QuestionKind.ORDERING:
        return "\n".join(f"{place}. {each.text}" for place, each in enumerate(question.options, 1))
    return "\n".join(f"[{'x' if each.right else ' '}] {each.text}" for each in question.options)


# Comparing


def _of_texts(section: Section, old: dict[str, str], new: dict[str, str]) -> Iterator[Change]:
    for name, text in new.items():
        if old[name] != text:
            part = _part(name, old[name], text)
            yield Change(section, name, name, Kind.CHANGED, parts=(part,))


def _of_things(section: Section, old: Things, new: Things) -> Iterator[Change]:
    moved = _moved(list(old), list(new))
    for key, said in new.items():
        if key not in old:
            yield Change(section, key, said["title"], Kind.ADDED, parts=_whole(said, Kind.ADDED))
            continue
        parts = tuple(
            _part(name, old[key][name], text)
            for name, text in said.items()
            if old[key][name] != text
        )
        if parts or key in moved:
            kind = Kind.CHANGED if parts else Kind.SAME
            yield Change(section, key, said["title"], kind, moved=key in moved, parts=parts)
    for key, said in old.items():
        if key not in new:
            parts = _whole(said, Kind.REMOVED)
            yield Change(section, key, said["title"], Kind.REMOVED, parts=parts)


def _whole(said: Mapping[str, str], kind: Kind) -> tuple[Part, ...]:
    return tuple(
        Part(name, (Run(kind, _flowing(name, text)),)) for name, text in said.items() if text
    )


def _part(name: str, old: str, new: str) -> Part:
    return Part(name, words(_flowing(name, old), _flowing(name, new)))


def _flowing(name: str, text: str) -> str:
    """A part's text with each of its paragraphs on one line, as it is read."""
    return text if name in _IN_LINES or "```" in text else _BROKEN.sub(" ", text)


def _moved(old: list[str], new: list[str]) -> frozenset[str]:
    """What stands in both, but not in the order that most keep."""
    both = set(old) & set(new)
    one, other = [key for key in old if key in both], [key for key in new if key in both]
    kept = {
        key
        for block in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
        for key in one[block.a : block.a + block.size]
    }
    return frozenset(both - kept)


def _by_lines(old: str, new: str) -> Iterator[Run]:
    one, other = old.splitlines(keepends=True), new.splitlines(keepends=True)
    for tag, a, b, c, d in SequenceMatcher(None, one, other).get_opcodes():
        if tag == "equal":
            yield Run(Kind.SAME, "".join(other[c:d]))
        else:
            yield from _by_words("".join(one[a:b]), "".join(other[c:d]))


def _by_words(old: str, new: str) -> Iterator[Run]:
    one, other = _WORDS.findall(old), _WORDS.findall(new)
    if not one or not other or max(len(one), len(other)) > _MOST_WORDS:
        yield Run(Kind.REMOVED, old)
        yield Run(Kind.ADDED, new)
        return
    matcher = SequenceMatcher(None, [*map(_as_read, one)], [*map(_as_read, other)], autojunk=False)
    for is_same, a, b, c, d in _readable(matcher.get_opcodes(), one, other):
        if is_same:
            yield Run(Kind.SAME, "".join(other[c:d]))
        else:
            removed, added = "".join(one[a:b]), "".join(other[c:d])
            # The blank after both is the same.
            blank = added[len(added.rstrip()) :] if removed[-1:].isspace() else ""
            yield Run(Kind.REMOVED, removed.rstrip() if blank else removed)
            yield Run(Kind.ADDED, added.rstrip() if blank else added)
            yield Run(Kind.SAME, blank)


#: Whether it is the same in both, and where it stands in the older text and in the newer one.
_Block = tuple[bool, int, int, int, int]


def _readable(
    opcodes: Iterable[tuple[str, int, int, int, int]], one: list[str], other: list[str]
) -> list[_Block]:
    """What differs, in passages: what is the same between two of them, and no longer than either,
    goes with them. Nobody reads two sentences that are woven into each other around an "and"."""

    def weight(block: _Block) -> int:
        _same, a, b, c, d = block
        return max(sum(not word.isspace() for word in part) for part in (one[a:b], other[c:d]))

    found: list[_Block] = []
    for tag, a, b, c, d in opcodes:
        found.append((tag == "equal", a, b, c, d))
        while len(found) > 2 and not found[-1][0]:
            before, between, last = found[-3:]
            if weight(between) > min(weight(before), weight(last)):
                break
            found[-3:] = [(False, before[1], last[2], before[3], last[4])]
    return found


def _as_read(word: str) -> str:
    """A line that is broken elsewhere reads the same; what has no blank after it, does not."""
    said = word.rstrip()
    return said if said == word else f"{said} "


def _joined(runs: Iterable[Run]) -> Iterator[Run]:
    """Runs without empty ones, and those of a kind in a row as one."""
    kind, texts = Kind.SAME, list[str]()
    for run in runs:
        if not run.text:
            continue
        if run.kind is not kind and texts:
            yield Run(kind, "".join(texts))
            texts = []
        kind = run.kind
        texts.append(run.text)
    if texts:
        yield Run(kind, "".join(texts))
