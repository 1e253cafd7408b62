"""``manage.py procedure``: a procedure lives in files, is checked with language and line, imported
and exported as it was."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from tests.house import START
from training import defaults
from training.course import ESCALATION
from training.models import ProcedureVersion, VersionState

pytestmark = pytest.mark.django_db

SHIPPED = Path(defaults.__file__).parent / "procedures" / ESCALATION


def procedure(*arguments: object) -> str:
    out = io.StringIO()
    call_command("procedure", *map(str, arguments), stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The procedure we ship, as somebody's own files."""
    place = tmp_path / "ours"
    place.mkdir()
    for file in SHIPPED.iterdir():
        (place / file.name).write_bytes(file.read_bytes())
    return place


def changed(folder: Path, language: str, before: str, after: str) -> None:
    file = folder / f"{language}.md"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")


def test_what_is_exported_is_what_was_imported_to_the_byte(folder: Path, tmp_path: Path) -> None:
    changed(folder, "en", "---\n\n## Purpose", "---\n\n\n\n## Purpose  ")
    text = (folder / "de.md").read_bytes()
    (folder / "de.md").write_bytes(text.replace(b"\n", b"\r\n"))
    procedure("import", folder)
    procedure("export", "ticket-escalation", tmp_path / "theirs")
    for file in folder.iterdir():
        assert (tmp_path / "theirs" / file.name).read_bytes() == file.read_bytes()


def test_the_procedure_we_ship_is_complete_in_both_languages() -> None:
    procedure("check", SHIPPED)
    texts = defaults.shipped_texts(now=START)
    assert set(texts) == {"de", "en"}
    defaults.load_defaults(now=START)
    version = ProcedureVersion.objects.get()
    assert version.state == VersionState.PUBLISHED
    for course in version.courses.values():
        assert len(course.questions) >= 12
        assert {question.step for question in course.questions} == set(course.step_by_key)
        assert len(course.mistakes.split("\n- ")) >= 8
        assert sum(bool(question.case) for question in course.questions) >= 3


@pytest.mark.parametrize(
    ("language", "before", "after", "said"),
    [
        ("en", "pass_mark: 80", "pass_mark: 800", "line 10: pass_mark: must be a whole number"),
        ("en", "effective: 2026-12-01", "effective: soon", "line 6: effective: must be a day"),
        ("en", "changed: []", "changed: [nowhere]", "there is no step “nowhere”"),
        (
            "en",
            "Covers: escalate\n\nWhy:",
            "Covers: escalate\n\n* [x] Both.\n\nWhy:",
            "a second list",
        ),
        (
            "en",
            "- [x] Gather the necessary",
            "- [x] It is\n\n  Gather the necessary",
            "one paragraph",
        ),
        ("en", "## Scope", "## Range", "No section is called “Range”"),
        ("en", "{#gather}", "", "“Gather what is needed” needs a key at its end"),
        ("en", "{#remind step=follow-up}", "{#remind}", "names no step"),
        ("en", "- [x] Gather the necessary", "- [ ] Gather the necessary", "No answer of"),
        ("en", "Covers: escalate", "Covers: everything", "names no step that it covers"),
        ("en", "procedure: ticket-escalation", "procedure: t\nprocedure: u", "stands here twice"),
        ("de", "pass_mark: 80", "pass_mark: 70", "de.md: pass_mark: differs from"),
        ("de", "{#workaround}", "{#way-out}", "its keys differ from"),
        ("de", "language: de", "language: fr", "it says “fr” and stands under “de”"),
    ],
)
def test_a_fault_is_told_with_its_language_and_line_and_nothing_is_kept(
    folder: Path, language: str, before: str, after: str, said: str
) -> None:
    changed(folder, language, before, after)
    for verb in ("check", "import"):
        with pytest.raises(CommandError) as refused:
            procedure(verb, folder)
        assert said in str(refused.value)
        assert f"{language}.md" in str(refused.value)
    assert not ProcedureVersion.objects.exists()


def test_a_changed_step_is_covered_by_a_question_or_nobody_could_be_asked_about_it(
    folder: Path,
) -> None:
    for language in ("en", "de"):
        changed(folder, language, "changed: []", "changed: [close]")
        changed(folder, language, "Covers: close", "Covers: gather")
    with pytest.raises(CommandError) as refused:
        procedure("check", folder)
    assert "line 9: changed: no question covers the step “close”." in str(refused.value)


def test_a_draft_that_stands_there_is_published_by_its_files(folder: Path) -> None:
    procedure("import", folder)
    said = json.loads(procedure("import", folder, "--publish", "--json"))
    assert (said["version"], said["state"]) == (1, "published")
    assert "Nothing differs" in procedure("import", folder, "--publish")


def test_programs_are_told_a_refusal_as_json(folder: Path) -> None:
    for arguments in (
        ("export", "nothing", folder, "--json"),
        ("check", folder / "nowhere", "--json"),
        ("import", folder, "--by", "nobody@brightquay.example", "--json"),
    ):
        with pytest.raises(SystemExit) as ended:
            procedure(*arguments)
        assert ended.value.code == 1


def test_the_same_files_again_are_no_new_version(folder: Path) -> None:
    procedure("import", folder, "--publish")
    assert "Nothing differs" in procedure("import", folder)
    changed(folder, "en", "change: First version.", "change: Second version.")
    said = json.loads(procedure("import", folder, "--json"))
    assert (said["version"], said["state"]) == (2, "draft")


def test_a_published_version_is_never_changed_whoever_tries(folder: Path) -> None:
    procedure("import", folder, "--publish")
    for write in (
        lambda: ProcedureVersion.objects.update(title="Otherwise"),
        lambda: ProcedureVersion.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            write()
