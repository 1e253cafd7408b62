"""What is read out of a mail, before anybody decides about it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mail import NAMES, mail
from tickets.inbound.automatic import why_automatic
from tickets.inbound.decoding import decode_bytes, header_text, one_line, safe_name
from tickets.inbound.limits import Limits
from tickets.inbound.parsed import ParsedMail
from tickets.inbound.parsing import Unreadable, parse
from tickets.inbound.quoting import split_quoted
from tickets.inbound.reader import read_mail, read_safe_html
from tickets.inbound.sanitising import TooDeep, check_depth, to_text
from tickets.inbound.sender import Mailbox, mailbox_of, verdict_of
from tickets.inbound.suspicion import looks_like_a_sign_up

DANA = Mailbox(name="Dana", address="dana@northwind.example")


def of(**headers: str) -> ParsedMail:
    """A mail with these header fields, and nothing else to say."""
    return ParsedMail(
        headers={name.replace("_", "-"): (value,) for name, value in headers.items()},
        message_id="",
        subject=headers.get("subject", ""),
        recipients=(),
        text="",
        quoted="",
        has_html=False,
    )


@pytest.mark.parametrize(
    ("field", "address"),
    [
        ("Dana <dana@northwind.example>", "dana@northwind.example"),
        ('"Ruiz, Dana (Ops)" <dana@Northwind.Example>', "dana@northwind.example"),
        ("dana@northwind.example", "dana@northwind.example"),
        ("=?utf-8?q?Dana_=22Q=22_Ruiz?= <dana@northwind.example>", "dana@northwind.example"),
        ("O'Neil+x <o'neil+x@sub.northwind.example>", "o'neil+x@sub.northwind.example"),
        ("", None),
        ("dana", None),
        ("Dana <>", None),
        ("dana@northwind.example, kim@northwind.example", None),
        ("dana@northwind.example <kim@fabrikam.example>", None),
        ("Dana <dana@northwind.example> <kim@fabrikam.example>", None),
        ("undisclosed: dana@northwind.example, kim@fabrikam.example;", None),
        ('"<dana@northwind.example>" <kim@fabrikam.example>', "kim@fabrikam.example"),
        ("dana@northwind.example\\@fabrikam.example", None),
        ("dana@[127.0.0.1]", None),
        ("dana@northwind.example@fabrikam.example", None),
        ("dana@northwind", None),
        ("x" * 2000 + "@northwind.example", None),
    ],
)
def test_a_mail_is_from_one_mailbox_or_from_nobody(field: str, address: str | None) -> None:
    found = mailbox_of(of(**{"from": field}))

    assert (found and found.address) == address


@pytest.mark.parametrize(
    ("results", "verdict"),
    [
        ("mx.ours; dmarc=pass header.from=northwind.example", "pass"),
        ("mx.ours; dmarc=pass", "pass"),
        ("MX.OURS 1; DMARC=Pass header.from=northwind.example", "pass"),
        ("mx.ours; dmarc=pass header.from=fabrikam.example", "none"),
        ("mx.ours; dmarc=fail header.from=northwind.example; dkim=pass header.d=x.example", "fail"),
        ("mx.ours; dkim=pass header.d=northwind.example", "pass"),
        ("mx.ours; dkim=pass header.i=@mail.northwind.example; spf=fail", "pass"),
        ("mx.ours; dkim=pass header.d=fabrikam.example", "none"),
        ("mx.ours; dkim=pass header.d=thwind.example", "none"),
        ("mx.ours; spf=pass smtp.mailfrom=bounce@northwind.example", "pass"),
        ("mx.ours; spf=fail smtp.mailfrom=northwind.example; dkim=none", "fail"),
        ("mx.ours; spf=softfail smtp.mailfrom=northwind.example", "none"),
        ("mx.ours; dkim=fail header.d=northwind.example", "none"),
        ("mx.ours; none", "none"),
        ("mx.ours; spf=none (dkim=pass header.d=northwind.example)", "none"),
        ('mx.ours; spf=none smtp.mailfrom="; dmarc=pass "@fabrikam.example', "none"),
        ("mx.theirs; dmarc=pass header.from=northwind.example", "none"),
        ("mx.ours.fabrikam.example; dmarc=pass", "none"),
        ("", "none"),
    ],
)
def test_what_our_mail_server_says_of_the_sender(results: str, verdict: str) -> None:
    said = of(authentication_results=results)

    assert verdict_of(said, sender=DANA, authserv_id="mx.ours") == verdict


@pytest.mark.parametrize(
    "fields",
    [
        {"auto_submitted": "auto-generated; x=y"},
        {"auto_submitted": "auto-replied (vacation)"},
        {"precedence": "Bulk"},
        {"precedence": "list"},
        {"x_auto_response_suppress": "OOF, AutoReply"},
        {"x_helpdesk_loop": "fabrikam.example"},
        {"x_autoreply": "yes"},
        {"list_id": "<x.example>"},
        {"list_unsubscribe": "<https://x.example>"},
        {"content_type": "multipart/report; report-type=disposition-notification"},
        {"return_path": "<>"},
        {"return_path": "<MAILER-DAEMON>"},
        {"delivered_to": "Autoresponder"},
        {"subject": "Automatische Antwort: Rechnung"},
        {"subject": "Out of Office: back on Monday"},
        {"subject": "Réponse automatique : facture"},
    ],
)
def test_automatic_mail_is_known_by_its_signs(fields: dict[str, str]) -> None:
    assert why_automatic(of(**fields), envelope_from=None, sender=DANA)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"auto_submitted": "no"},
        {"precedence": "first-class"},
        {"x_auto_response_suppress": "none"},
        {"return_path": "<dana@northwind.example>"},
        {"subject": "Re: Automatic reply feature is broken"},
        {"subject": "Our out of office replies loop"},
    ],
)
def test_what_a_person_wrote_is_not_automatic(fields: dict[str, str]) -> None:
    assert why_automatic(of(**fields), envelope_from=None, sender=DANA) == ""


def test_what_the_door_knows_of_the_envelope_goes_before_the_return_path() -> None:
    said = of(return_path="<>")

    assert why_automatic(said, envelope_from="dana@northwind.example", sender=DANA) == ""


@pytest.mark.parametrize(
    ("subject", "held"),
    [
        ("Verify your email address", True),
        ("Confirm your new account", True),
        ("Your verification code: 123456", True),
        ("Bestätigen Sie Ihre E-Mail-Adresse", True),
        ("Password reset", True),
        ("Kim invited you to join Chatty", True),
        ("I cannot confirm the payment", False),
        ("Invoices fail", False),
    ],
)
def test_sign_up_mails_are_known_by_their_words(subject: str, held: bool) -> None:
    assert looks_like_a_sign_up(of(subject=subject)) is held


def test_html_is_shown_without_anything_that_runs_loads_or_submits() -> None:
    html = read_safe_html(mail("html_only_with_script"))

    assert "The  invoice <b>fails</b>." in html
    assert 'href="https://northwind.example/doc"' in html
    for gone in ("script", "alert", "onload", "onerror", "hx-", "svg", "iframe", "form", "input",
                 "tracker", "evil", "javascript", "style"):  # fmt: skip
        assert gone not in html


def test_images_in_the_mail_get_our_address_and_remote_ones_only_when_asked_for() -> None:
    raw = (
        b"From: a@b.example\nContent-Type: text/html\n\n"
        b"<img src='cid:shot@x'><img src='https://t.example/p.png'><img src='/tickets/1/'>"
    )

    quiet = read_safe_html(raw, images={"shot@x": "/attachments/7/"})
    loud = read_safe_html(raw, images={"shot@x": "/attachments/7/"}, remote_images=True)

    assert quiet == '<img src="/attachments/7/"><img><img>'
    assert loud == '<img src="/attachments/7/"><img src="https://t.example/p.png"><img>'


def test_the_text_of_html_keeps_its_lines_and_leaves_out_scripts() -> None:
    text = read_mail(mail("html_only_with_script")).text

    assert text.startswith("The invoice fails.\n")
    assert "TX 4711" in text
    assert "alert" not in text


def test_markup_as_text_stays_text() -> None:
    assert to_text("<p>1 &lt; 2 &amp;&amp; &lt;b&gt;</p>", depth=9) == "1 < 2 && <b>"


def test_depth_is_counted_without_a_tree() -> None:
    check_depth("<p>" * 10_000 + "<div></div>" * 10_000 + "<br>" * 10_000, limit=5)
    with pytest.raises(TooDeep):
        check_depth("<div>" * 6, limit=5)
    with pytest.raises(TooDeep):
        check_depth("</x></x><b>" * 6, limit=5)


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("Hello\n\n    kept as it is", "Hello\n\n    kept as it is"),
        ("New\n\nAm 24.11.2026 um 10:00 schrieb Support:\n> alt", "New"),
        ("New\n\n-----Original Message-----\nFrom: Support\nSent: today\n\nold", "New"),
        ("New\n\nLe lun. 1 janv. 2026 à 10:00, Support a écrit :\n> vieux", "New"),
        ("New\n> old\n> older", "New"),
        ("> only quoted", "> only quoted"),
        ("Look:\n> GET /\n502 it says", "Look:\n> GET /\n502 it says"),
    ],
)
def test_new_text_is_told_from_quoted_text(text: str, new: str) -> None:
    assert split_quoted(text, seconds=2.0)[0] == new


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.one_of(
            st.text(alphabet="ab >-\t:", max_size=12),
            st.sampled_from(["On Mon, Bob wrote:", "> x", "From: a", "To: b", "", "-- ", "Hi"]),
        ),
        max_size=12,
    ).map("\n".join)
)
def test_telling_quoted_text_apart_loses_no_line(text: str) -> None:
    new, quoted = split_quoted(text, seconds=2.0)

    def lines(*texts: str) -> list[str]:
        return sorted(line.rstrip() for each in texts for line in each.split("\n") if line.strip())

    assert lines(new, quoted) == lines(text)


@settings(deadline=None)
@given(st.binary(max_size=300), st.one_of(st.none(), st.text(max_size=12)))
def test_any_bytes_decode_by_any_charset(data: bytes, charset: str | None) -> None:
    assert isinstance(decode_bytes(data, charset), str)


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_name_becomes_one_that_is_safe_to_store_and_to_offer(name: str) -> None:
    safe = safe_name(name, otherwise="file")

    assert safe
    assert len(safe) <= 150
    assert not set(safe) & set("/\\\0\r\n\u202e")
    assert not safe.startswith(".")
    safe.encode()
    header_text(name).encode()
    assert one_line(name) == one_line(one_line(name))


@pytest.mark.parametrize("name", NAMES)
def test_every_mail_is_read_or_refused_with_a_reason(name: str) -> None:
    try:
        read = parse(mail(name), limits=Limits())
    except Unreadable as error:
        said = str(error)
    else:
        said = "read"
        assert len(read.subject) <= 300
    assert said
