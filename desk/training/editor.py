"""What stands in the page editor of a version: a text per language, what is wrong with it, and where."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from training.agreement import VersionErrors, main_language, read_version
from training.changes import Run, words
from training.course import Course
from training.courseerrors import CourseError, CourseErrors
from training.coursetext import LONGEST, read_course
from training.drafting import in_another_language
from training.frontmatter import LANGUAGE
from training.models import ProcedureVersion
from training.versions import Seen

_TEXT: Final = "text-"
#: More than anybody writes in; each is read and compared.
MOST_LANGUAGES: Final = 20


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault at its line, with what stands there."""

    error: CourseError
    said: str


@dataclass(frozen=True, slots=True)
class Theirs:
    """What somebody else wrote meanwhile in a language, and how the author's text differs from it."""

    text: str
    runs: Sequence[Run]


@dataclass(slots=True)
class Pane:
    """One language's text, as it was written or typed."""

    language: str
    text: str
    faults: Sequence[Fault] = ()
    preview: Course | None = None
    theirs: Theirs | None = None

    @property
    def rows(self) -> int:
        return min(max(self.text.count("\n") + 2, 12), 32)


@dataclass(slots=True)
class Editor:
    """``wrong`` concerns all of it; ``seen`` is what the author had before them."""

    panes: list[Pane]
    seen: Seen
    wrong: list[str] = field(default_factory=list)

    @property
    def texts(self) -> dict[str, str]:
        return {pane.language: pane.text for pane in self.panes}

    def pane(self, language: str) -> Pane | None:
        return next((pane for pane in self.panes if pane.language == language), None)

    def look(self) -> bool:
        """Read all of it, and show every fault where it is; whether there is none."""
        try:
            read_version(self.texts, procedure=self.seen.procedure)
        except VersionErrors as errors:
            self.show(errors)
        return not self.wrong and not any(pane.faults for pane in self.panes)

    def show(self, errors: VersionErrors) -> None:
        for language, found in errors.errors.items():
            pane = self.pane(language)
            if pane is None:
                self.wrong += [str(error) for error in found]
            else:
                pane.faults = _faults(pane.text, found)

    def preview(self, language: str) -> Pane | None:
        """Have a language's text shown as it will be read, or what is wrong with it."""
        pane = self.pane(language)
        if pane is None:
            return None
        try:
            pane.preview = read_course(pane.text)
        except CourseErrors as errors:
            pane.faults = _faults(pane.text, errors.errors)
        return pane

    def add(self, language: str) -> None:
        """Add a language, with the text that the others are compared with to be translated."""
        if not LANGUAGE.fullmatch(language):
            self.wrong.append(_("Name a language by its code, such as “en”."))
        elif self.pane(language) is not None:
            self.wrong.append(_("“%s” stands here already.") % language)
        elif len(self.panes) >= MOST_LANGUAGES:
            self.wrong.append(_("These are all the languages there may be."))
        else:
            try:
                text = in_another_language(self.texts[main_language(self.texts)], language)
            except ValueError:  # there is none, or it has no front matter yet
                text = ""
            self.panes.append(Pane(language, text))

    def show_theirs(self, standing: ProcedureVersion) -> None:
        """Put what stands there now beside what was typed; saving again is to know of it."""
        self.seen = Seen.of(standing)
        for language in standing.texts:
            if self.pane(language) is None:
                self.panes.append(Pane(language, ""))
        for pane in self.panes:
            text = standing.texts.get(pane.language, "")
            if text != pane.text:
                pane.theirs = Theirs(text, words(text, pane.text))


def _faults(text: str, errors: Sequence[CourseError]) -> list[Fault]:
    lines = text.splitlines()
    return [
        Fault(error, lines[error.line - 1].strip()[:120] if 0 < error.line <= len(lines) else "")
        for error in errors
    ]


def of_texts(texts: Mapping[str, str], seen: Seen) -> Editor:
    return Editor([Pane(language, text) for language, text in sorted(texts.items())], seen)


def of_form(
    data: QueryDict, files: MultiValueDict[str, UploadedFile[bytes]], before: Mapping[str, str]
) -> Editor:
    """What was typed, and in place of it what was uploaded; a language that is emptied goes.

    Browsers send every line with two characters at its end: a text that had one gets one again.
    """
    texts: dict[str, str] = {}
    wrong: list[str] = []
    for name in data:
        language = name.removeprefix(_TEXT)
        if name.startswith(_TEXT) and LANGUAGE.fullmatch(language):
            text = re.sub(r"\r\n?", "\n", str(data[name]))
            if "\r\n" in before.get(language, ""):
                text = text.replace("\n", "\r\n")
            if text.strip():
                texts[language] = text
    for file in files.getlist("files"):
        name = file.name or ""
        language = name.removesuffix(".md")
        if not name.endswith(".md") or not LANGUAGE.fullmatch(language):
            wrong.append(_("%s: a file is named for its language, such as en.md.") % name)
        elif (file.size or 0) > 4 * LONGEST:
            told = {"file": name, "count": LONGEST}
            wrong.append(_("%(file)s: has more than %(count)d characters.") % told)
        else:
            try:
                texts[language] = file.read().decode()
            except UnicodeDecodeError:
                wrong.append(_("%s: this is not UTF-8.") % name)
    if len(texts) > MOST_LANGUAGES:
        wrong.append(_("These are all the languages there may be."))
        texts = dict(list(texts.items())[:MOST_LANGUAGES])
    editor = of_texts(texts, _seen(data.get("seen", "")))
    editor.wrong = wrong
    return editor


def seen_as_text(seen: Seen) -> str:
    """What an author had before them, for a form."""
    if seen.procedure is None or seen.changed_at is None:
        return ""
    return f"{seen.procedure} {seen.number} {seen.changed_at.isoformat()}"


def _seen(text: str) -> Seen:
    """What a form says was seen; what cannot be read was never seen."""
    match text.split(" "):
        case [slug, number, at] if number.isascii() and number.isdigit() and len(number) < 10:
            try:
                return Seen(slug, int(number), datetime.fromisoformat(at))
            except ValueError:
                pass
    return Seen()
