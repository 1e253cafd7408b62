"""A course as people write it: Markdown with front matter, every fault at its line.

The headings of the sections, and the words before a colon (``Example``, ``Narration``, ``Covers``,
``Why``), are part of the format and the same in every language. Keys stand in braces at the end of a
heading or of an item: ``{#gather}``; an item of the checklist may name the step it belongs to:
``{#remind step=follow-up}``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext as _
from markdown_it import MarkdownIt

from training.blocks import Block, Part, blocks_of, items_of, split
from training.course import (
    ChecklistItem,
    Course,
    FrequentQuestion,
    Option,
    Question,
    QuestionKind,
    Step,
)
from training.courseerrors import CourseError, CourseErrors
from training.frontmatter import KEY, LONGEST_KEY, Above, read_above

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
_BRACES: Final = re.compile(r"\{#(?P<key>[^\s}]*)(?:\s+step=(?P<step>[^\s}]*))?\s*\}\s*")
_OPTION: Final = re.compile(r"\[(?P<mark>[ xX])\]\s+(?P<text>.*)", re.DOTALL)
_WORD: Final = re.compile(r"(?P<word>Example|Narration|Covers|Why):\s*(?P<rest>.*)", re.DOTALL)
_LISTS: Final = frozenset({"bullet_list", "ordered_list"})
_MARKDOWN: Final = MarkdownIt("commonmark")


def read_course(text: str) -> Course:
    """Read a course; raises ``CourseErrors`` with every fault of the text."""
    return _Reader(text).course()


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
        above = read_above(self.lines)
        sections = self._sections(above.end)
        read = {
            name: self._source(part.first, part.last)
            for name, part in sections.items()
            if name in {"Purpose", "Scope", "Mistakes to avoid"}
        }
        steps = self._steps(sections.get("Steps"))
        course = Course(
            front=above.front,
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
        self._agree(course, above)
        if self.errors:
            raise CourseErrors(self.errors)
        return course

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

    # The text

    def _sections(self, begin: int) -> dict[str, Part]:
        tokens = _MARKDOWN.parse("\n".join(self.lines[begin:]))
        for token in tokens:
            if token.map:
                token.map = [token.map[0] + begin, token.map[1] + begin]
        found: dict[str, Part] = {}
        before, parts = split(tokens, "h2", begin, len(self.lines))
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

    def _steps(self, section: Part | None) -> list[Step]:
        steps: list[Step] = []
        for part in self._parts(section, most=MOST_STEPS):
            title, key, _step = self._keyed(part.title, part.line)
            example, narration, rest = "", "", []
            for block in blocks_of(part.tokens):
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

    def _checklist(self, section: Part | None, steps: Sequence[Step]) -> list[ChecklistItem]:
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

    def _frequent(self, section: Part | None) -> list[FrequentQuestion]:
        found = []
        for part in self._parts(section, most=MOST_QUESTIONS, least=0):
            answer = self._source(part.first, part.last)
            if not answer:
                self.wrong(part.line, _("“%s” has no answer.") % part.title)
            found.append(FrequentQuestion(part.title, answer))
        return found

    def _questions(self, section: Part | None, steps: Sequence[Step]) -> list[Question]:
        known = {step.key for step in steps}
        questions = [
            self._question(part, known) for part in self._parts(section, most=MOST_QUESTIONS)
        ]
        self._once(section, [question.key for question in questions])
        return questions

    def _question(self, part: Part, steps: set[str]) -> Question:
        title, key, _step = self._keyed(part.title, part.line)
        case, covers = "", ""
        prompt: list[str] = []
        why: list[str] = []
        options: list[Option] = []
        kind = QuestionKind.SINGLE
        for block in blocks_of(part.tokens):
            word = _WORD.match(block.said) if block.kind == "paragraph" else None
            if why or (word and word["word"] == "Why"):
                why.append(self._source(block.first, block.last))
            elif word and word["word"] == "Covers":
                covers = word["rest"].strip()
            elif block.kind == "blockquote" and not prompt and not options:
                case = self._quoted(block)
            elif block.kind in _LISTS and not options:
                options, kind = self._options(block)
            elif block.kind in _LISTS:
                # Shown with the question, it could tell the answer.
                message = _("“%s” has a second list: its answers are one list.")
                self.wrong(block.first, message % title)
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

    def _options(self, block: Block) -> tuple[list[Option], QuestionKind]:
        items = self._plain_items(block)
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

    def _parts(self, section: Part | None, *, most: int, least: int = 1) -> list[Part]:
        if section is None:
            return []
        before, parts = split(section.tokens, "h3", section.first, section.last)
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

    def _items(self, section: Part, kind: str) -> list[Block]:
        found = []
        for block in blocks_of(section.tokens):
            if block.kind == kind:
                found += self._plain_items(block)
            else:
                self.wrong(block.first, _("Only a list stands here."))
        return found

    def _plain_items(self, block: Block) -> list[Block]:
        """The items of a list, each of which is one paragraph: more of it would be lost."""
        items = items_of(block)
        for item in items:
            if len(blocks_of(item.tokens[1:-1], level=item.tokens[0].level + 1)) > 1:
                self.wrong(item.first, _("An item is one paragraph."))
        return items

    def _keyed(self, said: str, line: int) -> tuple[str, str, str]:
        """What is said without its braces, the key in them, and the step they name."""
        # Searched for, blanks would be looked through once from each of them.
        start = said.rfind("{#")
        match = _BRACES.fullmatch(said, start) if start >= 0 else None
        if match is None or not KEY.fullmatch(match["key"]) or len(match["key"]) > LONGEST_KEY:
            message = _("“%s” needs a key at its end, such as {#gather}.")
            self.wrong(line, message % said)
            return said, "", ""
        return said[:start].strip(), match["key"], match["step"] or ""

    def _once(self, section: Part | None, keys: Sequence[str]) -> None:
        for key in sorted({key for key in keys if key and keys.count(key) > 1}):
            assert section is not None, "keys stand in a section"
            message = _("“%(section)s” has the key “%(key)s” twice.")
            self.wrong(section.line, message % {"section": section.title, "key": key})

    def _agree(self, course: Course, above: Above) -> None:
        front = course.front
        for key in front.changed:
            if key not in course.step_by_key:
                message = _("changed: there is no step “%s”.") % key
                self.wrong(above.where["changed"], message)
            elif all(question.step != key for question in course.questions):
                # Whoever is asked about the changed steps alone would be asked nothing.
                message = _("changed: no question covers the step “%s”.") % key
                self.wrong(above.where["changed"], message)
        if front.draw > len(course.questions):
            message = _("draw: there are only %d questions.") % len(course.questions)
            self.wrong(above.where["draw"], message)

    def _source(self, first: int, last: int) -> str:
        return "\n".join(self.lines[first:last]).strip("\n").rstrip()

    def _quoted(self, block: Block) -> str:
        lines = [re.sub(r"^ {0,3}> ?", "", line) for line in self.lines[block.first : block.last]]
        return "\n".join(lines).strip()
