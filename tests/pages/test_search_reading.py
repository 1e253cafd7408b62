"""What is typed into the search box is read whatever it is, and what is shown of texts stays theirs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.search.excerpts import LONGEST, Wanted, excerpt, fold, marked
from desk.search.query import OPERATORS, Operator, Problem, Term, Wrong, parse

PIECES = st.one_of(
    st.sampled_from(
        [*(f"{name}:" for name in OPERATORS), "statsu:x", "-", '"', "*", ",", " ", "http://", "a:b"]
    ),
    st.text(max_size=6),
)
TYPED = st.one_of(st.text(), st.lists(PIECES, max_size=12).map("".join))


@given(TYPED)
def test_anything_can_be_read_and_what_was_understood_reads_the_same_again(text: str) -> None:
    query = parse(text)

    again = parse(str(query))
    if query.problems:
        return
    assert (again.terms, again.operators) == (query.terms, query.operators)
    assert not again.problems


@given(TYPED)
def test_nothing_that_a_database_cannot_take_gets_through(text: str) -> None:
    for part in (*parse(text).terms, *parse(text).operators):
        str(part).encode()
        assert "\x00" not in str(part)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("refund invoice", [Term("refund"), Term("invoice")]),
        ('-"exact words" x', [Term("exact words", negated=True, exact=True), Term("x")]),
        ('"not closed', [Term("not closed", exact=True)]),
        ("refun* -integ*", [Term("refun", beginning=True), Term("integ", True, beginning=True)]),
        ("TypeError: x", [Term("TypeError:"), Term("x")]),
        ("https://a.example/b?c=d", [Term("https://a.example/b?c=d")]),
        ('Error:"a b"', [Term("Error:"), Term("a b", exact=True)]),
        ("e-mail", [Term("e-mail")]),
        ("a - b", [Term("a"), Term("b")]),
    ],
)
def test_words_are_told_apart(text: str, terms: list[Term]) -> None:
    assert list(parse(text).terms) == terms
    assert not parse(text).problems


@pytest.mark.parametrize(
    ("text", "operator"),
    [
        ("status:open,new", Operator("status", ("open", "new"))),
        ("-STATUS:Closed", Operator("status", ("Closed",), negated=True)),
        ('org:"Norvik, Logistics"', Operator("org", ("Norvik, Logistics",))),
        ('assignee:"Anna Keller",me', Operator("assignee", ("Anna Keller", "me"))),
        ("tag:a,a,,b", Operator("tag", ("a", "b"))),
    ],
)
def test_operators_are_told_from_words(text: str, operator: Operator) -> None:
    assert parse(text).operators == (operator,)


def test_an_operator_misspelt_is_a_problem_and_not_a_word() -> None:
    assert parse("asignee:me").problems == (
        Problem(Wrong.UNKNOWN_OPERATOR, "asignee", "me", ("assignee",)),
    )


@given(st.text(max_size=600), st.lists(st.text(min_size=1, max_size=4), max_size=4))
def test_marking_changes_nothing_of_a_text(text: str, wanted: list[str]) -> None:
    parts = marked(text, Wanted(frozenset(map(fold, wanted))))

    assert "".join(part.text for part in parts) == text


@given(st.text(max_size=2000), st.lists(st.text(min_size=1, max_size=4), max_size=4))
def test_an_excerpt_is_short_and_stands_in_the_text(text: str, wanted: list[str]) -> None:
    parts = excerpt(text, Wanted(frozenset(map(fold, wanted)), tuple(wanted[:1])))

    said = "".join(part.text for part in parts).removeprefix("… ").removesuffix(" …")
    assert len(said) <= LONGEST
    assert said in " ".join(text.split())


def test_an_excerpt_shows_the_place_where_most_of_the_words_stand() -> None:
    text = "refund once. " + "nothing " * 60 + "The refund of the invoice. " + "nothing " * 60

    parts = excerpt(text, Wanted(frozenset({"refund", "invoice"})))

    assert [part.text for part in parts if part.marked] == ["refund", "invoice"]
    assert parts[0].text == parts[-1].text[1:] + " " == "… "


def test_accents_do_not_keep_a_word_from_being_marked() -> None:
    parts = marked("Für Jürgen Strauß", Wanted(frozenset({"jurgen", "strauss"})))

    assert [part.text for part in parts if part.marked] == ["Jürgen", "Strauß"]
