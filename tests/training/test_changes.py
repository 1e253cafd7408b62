"""What differs between two versions is told exactly: nothing of what is the same, all of what is not."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from training import defaults
from training.agreement import read_version
from training.changes import Kind, Section, changed_steps, changes, words
from training.course import ESCALATION, Course
from training.courseerrors import CourseError, CourseErrors
from training.coursetext import read_course
from training.frontmatter import with_front

SHIPPED = (Path(defaults.__file__).parent / "procedures" / ESCALATION / "en.md").read_text("utf-8")
COURSE = read_course(SHIPPED)
LISTS = ("steps", "checklist", "frequent", "questions")
#: Where Markdown or YAML may read something else than is meant.
ODD = st.sampled_from(
    ["---", "## Steps", "### A {#a}", "{#a step=b}", "> ", "- [x] ", "1. ", "Why:", "Covers: gather",
     "\r", "\r\n", "\u2028", "\x0c", "\x85", "\0", "\ud800", "\t- ", "&a", "*a", "!!python/name:os",
     "title: [", "changed: [{}]", "effective: 9999-99-99", "draw: 1e999", "? [a]\n: b", "```", "<x>"]
)  # fmt: skip


@st.composite
def edited(draw: st.DrawFn) -> str:
    """The procedure we ship after somebody has been at it."""
    lines = SHIPPED.split("\n")
    for _time in range(draw(st.integers(0, 4))):
        # Most of what may be odd stands above the text.
        place = draw(st.integers(0, 20) | st.integers(0, len(lines) - 1))
        line = draw(st.text(max_size=20) | ODD | st.just(lines[place][: len(lines[place]) // 2]))
        lines[place : place + draw(st.integers(0, 2))] = [line]
    return "\n".join(lines)


def read(text: str) -> Course | tuple[CourseError, ...]:
    try:
        return read_course(text)
    except CourseErrors as errors:
        return errors.errors


@settings(deadline=None)
@given(edited() | st.text())
@example("")
@example("---\n---\n")
@example(f"---\n{'[' * 3000}\n---\n")
def test_any_text_is_a_course_or_has_faults_at_its_lines(text: str) -> None:
    course = read(text)
    if not isinstance(course, Course):
        last = len(text.splitlines()) + 1
        assert course
        assert all(0 <= error.line <= last and error.message for error in course)
        return
    assert changes(course, course) == ()
    # What a page or a file keeps of it is what was written.
    assert read_course(text.encode().decode()) == course
    assert read_course(text.replace("\r\n", "\n").replace("\n", "\r\n")).steps
    assert read_version({course.front.language: text}) == {course.front.language: course}


@st.composite
def changed(draw: st.DrawFn, course: Course = COURSE) -> tuple[Course, set[tuple[Section, str]]]:
    """A course in which some things say something else, and which ones those are."""
    told: set[tuple[Section, str]] = set()
    values: dict[str, Any] = {}
    for name in draw(st.sets(st.sampled_from(["purpose", "scope", "mistakes"]))):
        values[name] = getattr(course, name) + draw(st.sampled_from([" More.", "\n", "\n\nMore."]))
        told.add((Section(name), ""))
    for name, field in (("steps", "narration"), ("checklist", "text"), ("questions", "why")):
        things = list(getattr(course, name))
        gone = draw(st.sets(st.sampled_from([each.key for each in things]), max_size=2))
        other = draw(st.sets(st.sampled_from([each.key for each in things]), max_size=3)) - gone
        values[name] = tuple(
            dataclasses.replace(each, **{field: f"Now {getattr(each, field)}"})
            if each.key in other
            else each
            for each in things
            if each.key not in gone
        )
        told |= {(Section(name), key) for key in gone | other}
    return dataclasses.replace(course, **values), told


@settings(deadline=None)
@given(changed())
def test_exactly_what_differs_is_named(told: tuple[Course, set[tuple[Section, str]]]) -> None:
    new, differing = told
    assert {(each.section, each.key) for each in changes(COURSE, new)} == differing
    # The other way round, what went was added.
    back = {(each.section, each.key): each.kind for each in changes(new, COURSE)}
    there = {(each.section, each.key): each.kind for each in changes(COURSE, new)}
    swapped = {Kind.ADDED: Kind.REMOVED, Kind.REMOVED: Kind.ADDED, Kind.CHANGED: Kind.CHANGED}
    assert back == {key: swapped[kind] for key, kind in there.items()}


@settings(deadline=None)
@given(st.permutations(COURSE.steps))
def test_what_only_moved_is_said_to_have_moved_and_the_rest_stands_in_order(
    steps: list[Any],
) -> None:
    new = dataclasses.replace(COURSE, steps=tuple(steps))
    found = changes(COURSE, new)
    assert all(each.moved and each.kind is Kind.SAME for each in found)
    moved = {each.key for each in found}
    assert [step.key for step in steps if step.key not in moved] == [
        step.key for step in COURSE.steps if step.key not in moved
    ]
    assert changed_steps(COURSE, new) == ()


TEXTS = st.text(st.sampled_from("ab, .\n"), max_size=40) | st.text(max_size=30)


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_the_words_tell_both_texts(old: str, new: str) -> None:
    runs = words(old, new)
    assert "".join(run.text for run in runs if run.kind is not Kind.REMOVED) == new
    was = "".join(run.text for run in runs if run.kind is not Kind.ADDED)
    assert was.split() == old.split()
    assert all(run.text for run in runs)


def test_a_line_that_is_broken_elsewhere_reads_the_same() -> None:
    assert {run.kind for run in words("one two\nthree", "one\ntwo three")} == {Kind.SAME}
    [same, gone, come, rest] = words("ask two people, always", "ask three people, always")
    assert [run.text for run in (same, gone, come, rest)] == [
        "ask ",
        "two",
        "three",
        " people, always",
    ]


def test_sentences_are_not_woven_into_each_other_and_paragraphs_flow() -> None:
    def told(old: str, new: str) -> list[str]:
        marks = {Kind.SAME: "", Kind.ADDED: "+", Kind.REMOVED: "-"}
        return [f"{marks[run.kind]}{run.text}" for run in words(old, new)]

    assert told("Never ask for keys.", "A key's ID may be asked for, keys never.") == [
        "-Never ask for keys",
        "+A key's ID may be asked for, keys never",
        ".",
    ]
    assert told("Tier 2 answers by mail in an hour.", "Tier 3 answers by mail in a day.") == [
        *("Tier ", "-2", "+3", " answers by mail in "),
        *("-an hour", "+a day", "."),
    ]
    broken = SHIPPED.replace("Ask two questions: *how", "Ask\ntwo questions: *how")
    [change] = changes(COURSE, read_course(broken.replace("- **Complexity** is", "- **That** is")))
    assert [part.name for part in change.parts] == ["text"]
    [before, _gone, _come, rest] = [run.text for run in change.parts[0].runs]
    assert "Ask two questions: *how much does it stop, and for whom?* and *can I" in before
    assert before.endswith("raises it.\n- **")
    assert "knowledge beyond the first tier" in rest


def test_a_value_of_the_front_matter_is_written_anew_and_all_the_rest_stays() -> None:
    text = (
        SHIPPED.replace("change: First version.", "change: >\n  First version,\n  of many.")
        .replace("changed: []\n", "")
        .replace("valid_days: 365", "valid_days: 365  # a year")
    )
    new = with_front(text, {"change": "Second version.", "changed": "[gather]"})
    course = read_course(new)
    assert (course.front.change, course.front.changed) == ("Second version.", ("gather",))
    assert "valid_days: 365  # a year\n" in new
    assert new.split("---\n", 2)[2] == text.split("---\n", 2)[2]
