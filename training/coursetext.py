"""A course as people write it: Markdown with front matter, every fault at its line.

The headings of the sections, and the words before a colon (``Example``, ``Narration``, ``Covers``,
``Why``), are part of the format and the same in every language. Keys stand in braces at the end of a
heading or of an item: ``{#gather}``; an item of the checklist may name the step it belongs to:
``{#remind step=follow-up}``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import yaml
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.token import Token

from staff.strictyaml import StrictLoader
from training.course import (
    ChecklistItem,
    Course,
    FrequentQuestion,
    Front,
    Option,
    Question,
    QuestionKind,
    Step,
)

LONGEST: Final = 400_000
MOST_STEPS: Final = 40
MOST_QUESTIONS: Final = 400
OPTIONS: Final = range(2, 13)
SECTIONS: Final = (
    "Purpose",
    "Scope",
    "Steps",
    "Mistakes to avoid",
    "Checklist",
    "Questions people ask",
    "Knowledge check",
)
LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})?")
KEY: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_BRACES: Final = re.compile(r"\{#(?P<key>[^\s}]*)(?:\s+step=(?P<step>[^\s}]*))?\s*\}\s*")
_OPTION: Final = re.compile(r"\[(?P<mark>[ xX])\]\s+(?P<text>.*)", re.DOTALL)
_WORD: Final = re.compile(r"(?P<word>Example|Narration|Covers|Why):\s*(?P<rest>.*)", re.DOTALL)
_MARKDOWN: Final = MarkdownIt("commonmark")


@dataclass(frozen=True, slots=True, order=True)
class CourseError:
    """A fault; ``line`` counts from 1, and is 0 for what concerns the whole text."""

    line: int
    message: str

    def __str__(self) -> str:
        if not self.line:
            return self.message
        return _("line %(line)d: %(message)s") % {"line": self.line, "message": self.message}


class CourseErrors(ValueError):
    """All the faults of a text at once, one a line."""

    def __init__(self, errors: Iterable[CourseError]) -> None:
        self.errors = tuple(sorted(errors))
        super().__init__("\n".join(map(str, self.errors)))


def read_course(text: str) -> Course:
    """Read a course; raises ``CourseErrors`` with every fault of the text."""
    return _Reader(text).course()


@dataclass(frozen=True, slots=True)
class _Part:
    """What stands below a heading; lines count from 0 in the whole text."""

    title: str
    line: int
    tokens: list[Token]
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Block:
    """A paragraph, list or quotation at the top of a part."""

    kind: str
    first: int
    last: int
    tokens: list[Token]

    @property
    def said(self) -> str:
        """What its first paragraph says, as one line."""
        inline = next((token for token in self.tokens if token.type == "inline"), None)
        return " ".join(inline.content.split("\n")) if inline else ""


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.splitlines()
        self.errors: list[CourseError] = []

    def wrong(self, line: int, message: str) -> None:
        """Note a fault; ``line`` counts from 0."""
        self.errors.append(CourseError(line + 1, message))

    def course(self) -> Course:
        self._refuse_what_cannot_be_kept()
        front, begin = self._front()
        sections = self._sections(begin)
        read = {
            name: self._source(part.first, part.last)
            for name, part in sections.items()
            if name in {"Purpose", "Scope", "Mistakes to avoid"}
        }
        steps = self._steps(sections.get("Steps"))
        course = Course(
            front=front,
            purpose=read.get("Purpose", ""),
            scope=read.get("Scope", ""),
            steps=tuple(steps),
            mistakes=read.get("Mistakes to avoid", ""),
            checklist=tuple(self._checklist(sections.get("Checklist"), steps)),
            frequent=tuple(self._frequent(sections.get("Questions people ask"))),
            questions=tuple(self._questions(sections.get("Knowledge check"), steps)),
        )
        for name in ("Purpose", "Scope", "Mistakes to avoid"):
            if name in sections and not read[name]:
                self.wrong(sections[name].line, _("“%s” is empty.") % name)
        self._agree(course)
        self.stop()
        return course

    def stop(self) -> None:
        if self.errors:
            raise CourseErrors(self.errors)

    def _refuse_what_cannot_be_kept(self) -> None:
        if len(self.text) > LONGEST:
            message = _("A procedure has at most %d characters.") % LONGEST
            raise CourseErrors([CourseError(0, message)])
        try:
            self.text.encode()
        except UnicodeEncodeError:
            raise CourseErrors([CourseError(0, _("This is not UTF-8."))]) from None
        if "\0" in self.text:
            line = self.text[: self.text.index("\0")].count("\n")
            raise CourseErrors([CourseError(line + 1, _("A zero byte cannot be kept."))])

    # Front matter

    def _front(self) -> tuple[Front, int]:
        """What stands above the text, and the line at which the text begins."""
        marks = [place for place, line in enumerate(self.lines) if line.rstrip() == "---"]
        if len(marks) < 2 or marks[0] != 0:
            message = _("It begins with front matter between two lines of ---.")
            raise CourseErrors([CourseError(1, message)])
        begin = marks[1]
        source = "\n".join(["", *self.lines[1:begin]])
        try:
            loader = StrictLoader(source)
            root = loader.get_single_node()
            body = None if root is None else loader.construct_document(root)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 0
            raise CourseErrors([CourseError(line, str(error.problem))]) from None
        except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
            message = _("The front matter is not YAML: %s") % error
            raise CourseErrors([CourseError(0, message)]) from None
        if not isinstance(root, yaml.MappingNode) or not isinstance(body, dict):
            message = _("The front matter must be a mapping, such as “title: …”.")
            raise CourseErrors([CourseError(1, message)])
        where = {
            str(key.value): key.start_mark.line
            for key, _value in root.value
            if isinstance(key, yaml.ScalarNode)
        }
        return self._read_front(body, where), begin + 1

    def _read_front(self, body: dict[Any, Any], where: dict[str, int]) -> Front:
        for key in body:
            if key not in FRONT:
                known = ", ".join(FRONT)
                message = _("The front matter knows no “%(key)s”; it knows %(known)s.")
                self.wrong(where.get(str(key), 0), message % {"key": key, "known": known})
        values: dict[str, Any] = {}
        for key, (read, default) in FRONT.items():
            if key not in body:
                if default is _NEEDED:
                    self.wrong(0, _("The front matter lacks “%s”.") % key)
                values[key] = None if default is _NEEDED else default
                continue
            try:
                values[key] = read(body[key])
            except ValueError as error:
                self.wrong(where[key], f"{key}: {error}")
                values[key] = None
        self.stop()
        front = Front(**values)
        if front.review_by <= front.effective:
            self.wrong(where["review_by"], _("review_by: comes before it is in force."))
        self.front_lines = where
        return front

    # The text

    def _sections(self, begin: int) -> dict[str, _Part]:
        tokens = _MARKDOWN.parse("\n".join(self.lines[begin:]))
        for token in tokens:
            if token.map:
                token.map = [token.map[0] + begin, token.map[1] + begin]
        found: dict[str, _Part] = {}
        before, parts = _split(tokens, "h2", begin, len(self.lines))
        for token in before:
            if token.map:
                self.wrong(token.map[0], _("This stands before the first section."))
                break
        for part in parts:
            if part.title not in SECTIONS:
                message = _("No section is called “%(title)s”; they are %(known)s.")
                known = ", ".join(SECTIONS)
                self.wrong(part.line, message % {"title": part.title, "known": known})
            elif part.title in found:
                self.wrong(part.line, _("“%s” stands here twice.") % part.title)
            else:
                found[part.title] = part
        for name in SECTIONS:
            if name not in found:
                self.errors.append(CourseError(0, _("The section “%s” is missing.") % name))
        return found

    def _steps(self, section: _Part | None) -> list[Step]:
        steps: list[Step] = []
        for part in self._parts(section, most=MOST_STEPS):
            title, key, _step = self._keyed(part.title, part.line)
            example, narration, rest = "", "", []
            for block in _blocks(part.tokens):
                word = _WORD.match(block.said)
                if block.kind == "blockquote" and not example:
                    example = self._quoted(block)
                    example = example.removeprefix("Example:").strip()
                elif word and word["word"] == "Narration":
                    narration = word["rest"]
                else:
                    rest.append(self._source(block.first, block.last))
            if not rest:
                self.wrong(part.line, _("The step “%s” has no text.") % title)
            if not example:
                message = _("The step “%s” has no example (a quotation: “> Example: …”).")
                self.wrong(part.line, message % title)
            if not narration:
                message = _("The step “%s” has no narration (“Narration: …”).")
                self.wrong(part.line, message % title)
            steps.append(Step(key, title, "\n\n".join(rest), example, narration))
        self._once(section, [step.key for step in steps])
        return steps

    def _checklist(self, section: _Part | None, steps: Sequence[Step]) -> list[ChecklistItem]:
        known = {step.key for step in steps}
        items: list[ChecklistItem] = []
        if section is None:
            return items
        for item in self._items(section, "bullet_list"):
            text, key, step = self._keyed(item.said, item.first)
            step = step or (key if key in known else "")
            if step not in known:
                message = _("“%s” names no step: write {#key step=…}.") % text
                self.wrong(item.first, message)
            items.append(ChecklistItem(key, text, step))
        if not items:
            self.wrong(section.line, _("The checklist has no item."))
        self._once(section, [item.key for item in items])
        return items

    def _frequent(self, section: _Part | None) -> list[FrequentQuestion]:
        found = []
        for part in self._parts(section, most=MOST_QUESTIONS, least=0):
            answer = self._source(part.first, part.last)
            if not answer:
                self.wrong(part.line, _("“%s” has no answer.") % part.title)
            found.append(FrequentQuestion(part.title, answer))
        return found

    def _questions(self, section: _Part | None, steps: Sequence[Step]) -> list[Question]:
        known = {step.key for step in steps}
        questions = [
            self._question(part, known) for part in self._parts(section, most=MOST_QUESTIONS)
        ]
        self._once(section, [question.key for question in questions])
        return questions

    def _question(self, part: _Part, steps: set[str]) -> Question:
        title, key, _step = self._keyed(part.title, part.line)
        case, covers = "", ""
        prompt: list[str] = []
        why: list[str] = []
        options: list[Option] = []
        kind = QuestionKind.SINGLE
        for block in _blocks(part.tokens):
            word = _WORD.match(block.said) if block.kind == "paragraph" else None
            if why or (word and word["word"] == "Why"):
                why.append(self._source(block.first, block.last))
            elif word and word["word"] == "Covers":
                covers = word["rest"].strip()
            elif block.kind == "blockquote" and not prompt and not options:
                case = self._quoted(block)
            elif block.kind in {"bullet_list", "ordered_list"} and not options:
                options, kind = self._options(block)
            else:
                prompt.append(self._source(block.first, block.last))
        if not prompt:
            self.wrong(part.line, _("“%s” asks nothing.") % title)
        if len(options) not in OPTIONS:
            message = _(
                "“%(title)s” has %(count)d answers to choose from; %(least)d to %(most)d may be."
            )
            self.wrong(
                part.line,
                message
                % {
                    "title": title,
                    "count": len(options),
                    "least": OPTIONS[0],
                    "most": OPTIONS[-1],
                },
            )
        elif kind is not QuestionKind.ORDERING and not any(each.right for each in options):
            self.wrong(part.line, _("No answer of “%s” is right: mark it with [x].") % title)
        if len({option.text for option in options}) < len(options):
            self.wrong(part.line, _("Two answers of “%s” say the same.") % title)
        if covers not in steps:
            message = _("“%s” names no step that it covers (“Covers: …”).")
            self.wrong(part.line, message % title)
        if not why:
            message = _("“%s” does not say why the right answer is right (“Why: …”).")
            self.wrong(part.line, message % title)
        return Question(
            key=key,
            title=title,
            case=case,
            prompt="\n\n".join(prompt),
            kind=kind,
            options=tuple(options),
            step=covers,
            why="\n\n".join(why).removeprefix("Why:").strip(),
        )

    def _options(self, block: _Block) -> tuple[list[Option], QuestionKind]:
        items = _list_items(block)
        if block.kind == "ordered_list":
            return [Option(item.said, True) for item in items], QuestionKind.ORDERING
        options = []
        for item in items:
            match = _OPTION.match(item.said)
            if match is None:
                self.wrong(item.first, _("An answer begins with “[ ]” or, if right, with “[x]”."))
            else:
                options.append(Option(match["text"].strip(), match["mark"] != " "))
        many = sum(option.right for option in options) > 1
        return options, QuestionKind.MULTIPLE if many else QuestionKind.SINGLE

    # What all of them need

    def _parts(self, section: _Part | None, *, most: int, least: int = 1) -> list[_Part]:
        if section is None:
            return []
        before, parts = _split(section.tokens, "h3", section.first, section.last)
        for token in before:
            if token.map:
                self.wrong(token.map[0], _("This stands before the first heading of its section."))
                break
        if not least <= len(parts) <= most:
            message = _("“%(section)s” has %(count)d headings; %(least)d to %(most)d may be.")
            told = {
                "section": section.title,
                "count": len(parts),
                "least": least,
                "most": most,
            }
            self.wrong(section.line, message % told)
        return parts[:most]

    def _items(self, section: _Part, kind: str) -> list[_Block]:
        found = []
        for block in _blocks(section.tokens):
            if block.kind == kind:
                found += _list_items(block)
            else:
                self.wrong(block.first, _("Only a list stands here."))
        return found

    def _keyed(self, said: str, line: int) -> tuple[str, str, str]:
        """What is said without its braces, the key in them, and the step they name."""
        # Searched for, blanks would be looked through once from each of them.
        start = said.rfind("{#")
        match = _BRACES.fullmatch(said, start) if start >= 0 else None
        if match is None or not KEY.fullmatch(match["key"]) or len(match["key"]) > 40:
            message = _("“%s” needs a key at its end, such as {#gather}.")
            self.wrong(line, message % said)
            return said, "", ""
        return said[:start].strip(), match["key"], match["step"] or ""

    def _once(self, section: _Part | None, keys: Sequence[str]) -> None:
        for key in sorted({key for key in keys if key and keys.count(key) > 1}):
            assert section is not None, "keys stand in a section"
            message = _("“%(section)s” has the key “%(key)s” twice.")
            self.wrong(section.line, message % {"section": section.title, "key": key})

    def _agree(self, course: Course) -> None:
        front = course.front
        for key in front.changed:
            if key not in course.step_by_key:
                message = _("changed: there is no step “%s”.") % key
                self.wrong(self.front_lines["changed"], message)
        if front.draw > len(course.questions):
            message = _("draw: there are only %d questions.") % len(course.questions)
            self.wrong(self.front_lines["draw"], message)

    def _source(self, first: int, last: int) -> str:
        return "\n".join(self.lines[first:last]).strip("\n").rstrip()

    def _quoted(self, block: _Block) -> str:
        lines = [re.sub(r"^ {0,3}> ?", "", line) for line in self.lines[block.first : block.last]]
        return "\n".join(lines).strip()


def _split(tokens: list[Token], tag: str, first: int, last: int) -> tuple[list[Token], list[_Part]]:
    """What stands before the first heading of this level, and what stands below each."""
    places = [
        place
        for place, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == tag and token.level == 0
    ]
    if not places:
        return tokens, []
    parts = []
    for place, following in zip(places, [*places[1:], len(tokens)], strict=True):
        heading = tokens[place].map or [first, first]
        end = tokens[following].map if following < len(tokens) else None
        parts.append(
            _Part(
                title=tokens[place + 1].content.strip(),
                line=heading[0],
                tokens=tokens[place + 3 : following],
                first=heading[1],
                last=end[0] if end else last,
            )
        )
    return tokens[: places[0]], parts


def _blocks(tokens: list[Token], level: int = 0) -> list[_Block]:
    """The blocks at this level, each with the tokens in it."""
    blocks = []
    begin = 0
    for place, token in enumerate(tokens):
        if token.level != level:
            continue
        if token.nesting == 1:
            begin = place
        else:
            start = begin if token.nesting == -1 else place
            lines = tokens[start].map or [0, 0]
            kind = tokens[start].type.removesuffix("_open")
            blocks.append(_Block(kind, lines[0], lines[1], tokens[start : place + 1]))
    return blocks


def _list_items(block: _Block) -> list[_Block]:
    return _blocks(block.tokens[1:-1], level=block.tokens[0].level + 1)


# What the front matter says

_NEEDED: Final = object()
#: No procedure is called so: these are pages beside those of the procedures.
TAKEN: Final = frozenset({"people", "procedures"})


def _line_of(most: int) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise ValueError(_("must be a text."))
        if len(value) > most:
            raise ValueError(_("is longer than %d characters.") % most)
        return value.strip()

    return read


def _key(value: object) -> str:
    if not isinstance(value, str) or not KEY.fullmatch(value) or len(value) > 40:
        raise ValueError(_("must be small letters, digits and hyphens."))
    return value


def _slug(value: object) -> str:
    slug = _key(value)
    if slug in TAKEN:
        raise ValueError(_("is the address of another page."))
    return slug


def _keys(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(_("must be a list, such as [gather, notify]."))
    return tuple(_key(each) for each in value)


def _language(value: object) -> str:
    if not isinstance(value, str) or not LANGUAGE.fullmatch(value):
        raise ValueError(_("must be a language, such as “en”."))
    return value


def _day(value: object) -> date:
    # A moment would be a date, too.
    if type(value) is not date:
        raise ValueError(_("must be a day, such as 2026-12-01."))
    return value


def _whole(least: int, most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if type(value) is not int or not least <= value <= most:
            message = _("must be a whole number from %(least)d to %(most)d.")
            raise ValueError(message % {"least": least, "most": most})
        return value

    return read


def _days(value: object) -> int | None:
    return None if value is None else _whole(1, 3_650)(value)


#: What may stand above the text: how it is read, and what is meant where it is left out.
FRONT: Final[dict[str, tuple[Callable[[object], Any], object]]] = {
    "procedure": (_slug, _NEEDED),
    "language": (_language, _NEEDED),
    "title": (_line_of(120), _NEEDED),
    "summary": (_line_of(400), _NEEDED),
    "effective": (_day, _NEEDED),
    "review_by": (_day, _NEEDED),
    "change": (_line_of(1_000), _NEEDED),
    "changed": (_keys, ()),
    "pass_mark": (_whole(1, 100), 80),
    "draw": (_whole(1, 100), _NEEDED),
    "attempts": (_whole(1, 50), 3),
    "pause_minutes": (_whole(0, 10_080), 15),
    "valid_days": (_days, None),
}
