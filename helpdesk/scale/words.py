"""What synthetic customers and agents say, in English and German: pools of texts drawn by a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

#: Stands in exactly so many tickets, or in every one where there are fewer.
RARE, RARE_TICKETS = "heliotropium", 100
#: Stands in this share of the tickets.
COMMON, COMMON_SHARE = "quarterend", 0.2

SUBJECTS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "en": (
        (
            "Invoice run",
            "Webhook delivery",
            "Nightly export",
            "Single sign-on",
            "API call",
            "Payment import",
            "User invitation",
            "Address check",
            "Tax report",
            "Bank connection",
        ),
        (
            "fails with 502",
            "has been slow since Monday",
            "shows wrong totals",
            "ends in a timeout",
            "asks for the password again",
            "cannot be changed any more",
            "lost two entries",
            "is refused for one customer",
            "needs another address",
            "repeats every hour",
        ),
    ),
    "de": (
        (
            "Rechnungslauf",
            "Webhook-Zustellung",
            "Nächtlicher Export",
            "Einmalanmeldung",
            "API-Aufruf",
            "Zahlungsimport",
            "Einladung neuer Nutzer",
            "Adressprüfung",
            "Steuerbericht",
            "Bankanbindung",
        ),
        (
            "bricht mit 502 ab",
            "ist seit Montag langsam",
            "zeigt falsche Summen",
            "endet in einer Zeitüberschreitung",
            "fragt erneut nach dem Kennwort",
            "lässt sich nicht mehr ändern",
            "hat zwei Einträge verloren",
            "wird bei einem Kunden abgelehnt",
            "braucht eine andere Anschrift",
            "wiederholt sich stündlich",
        ),
    ),
}

_SAID: Mapping[str, Mapping[str, Sequence[str]]] = {
    "en": {
        "customer": (
            "Since the update on {day} the {thing} stops after {n} records.",
            "Our accounting team cannot finish the {thing} because of it.",
            "The log says error {code} at {hour}:{minute} for order {ref}.",
            "We tried it again with another account, and the result is the same.",
            "About {n} customers wait for their documents.",
            "It worked without trouble in the week before.",
            "Nothing was changed on our side, as far as I can see.",
            "The answer comes back after {n} seconds and is empty.",
            "Could you please check whether {ref} has arrived at your end?",
            "I have attached what our monitoring shows for {day}.",
            "We can work around it by hand, but not for long.",
            "Our auditors will ask for the {thing} by the end of the month.",
        ),
        "agent": (
            "Thank you for the details; I can see {ref} in our logs.",
            "The {thing} was delayed by a queue that did not empty on {day}.",
            "I have asked a colleague to look at error {code}.",
            "Please try it once more with the setting from the guide.",
            "We have restarted the {thing} for your account at {hour}:{minute}.",
            "It now goes through with {n} records in our test.",
            "I will come back to you as soon as I know more.",
            "This happens when the same order is sent twice within {n} seconds.",
        ),
    },
    "de": {
        "customer": (
            "Seit der Aktualisierung am {day} hält der {thing} nach {n} Datensätzen an.",
            "Unsere Buchhaltung kann den {thing} deswegen nicht abschließen.",
            "Im Protokoll steht um {hour}:{minute} Uhr Fehler {code} für Auftrag {ref}.",
            "Wir haben es mit einem anderen Konto versucht, das Ergebnis ist dasselbe.",
            "Ungefähr {n} Kunden warten auf ihre Unterlagen.",
            "In der Woche davor lief alles ohne Schwierigkeiten.",
            "Bei uns wurde, soweit ich sehe, nichts geändert.",
            "Die Antwort kommt nach {n} Sekunden zurück und ist leer.",
            "Können Sie bitte prüfen, ob {ref} bei Ihnen angekommen ist?",
            "Von Hand können wir uns behelfen, aber nicht lange.",
            "Unsere Prüfer fragen Ende des Monats nach dem {thing}.",
        ),
        "agent": (
            "Vielen Dank für die Angaben; ich sehe {ref} in unseren Protokollen.",
            "Der {thing} wurde am {day} von einer vollen Warteschlange aufgehalten.",
            "Ich habe eine Kollegin gebeten, sich Fehler {code} anzusehen.",
            "Bitte versuchen Sie es noch einmal mit der Einstellung aus der Anleitung.",
            "Wir haben den {thing} für Ihr Konto um {hour}:{minute} Uhr neu gestartet.",
            "In unserem Test läuft er jetzt mit {n} Datensätzen durch.",
            "Ich melde mich, sobald ich mehr weiß.",
            "Das geschieht, wenn derselbe Auftrag innerhalb von {n} Sekunden zweimal kommt.",
        ),
    },
}
_THINGS = {
    "en": ("invoice run", "export", "import", "webhook", "report", "sign-in", "payment file"),
    "de": ("Rechnungslauf", "Export", "Import", "Webhook", "Bericht", "Anmeldevorgang"),
}
_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag"),
}
_FIRST = [
    "Aino",
    "Bastian",
    "Camille",
    "Dagmar",
    "Enzo",
    "Frida",
    "Gustav",
    "Hanna",
    "Ivo",
    "Jana",
    "Kaspar",
    "Leonie",
    "Matteo",
    "Nadia",
    "Oskar",
    "Petra",
    "Rafael",
    "Silke",
    "Tobias",
    "Ulla",
    "Viktor",
    "Wiebke",
    "Yusuf",
    "Zora",
    "Adam",
    "Beatrice",
    "Cedric",
    "Doris",
    "Edgar",
    "Fiona",
]
_LAST = [
    "Ahrens",
    "Bakker",
    "Castell",
    "Dietz",
    "Eklund",
    "Fabry",
    "Gerber",
    "Holm",
    "Iversen",
    "Jansen",
    "Koller",
    "Lindner",
    "Mertens",
    "Novak",
    "Ohlsen",
    "Paulsen",
    "Rieger",
    "Sommer",
    "Tiedemann",
    "Unger",
    "Vester",
    "Winkler",
    "Yilmaz",
    "Zeller",
]
_FIRMS = [
    "Adler",
    "Birke",
    "Cobalt",
    "Delta",
    "Eiche",
    "Fjord",
    "Granit",
    "Hafen",
    "Iris",
    "Juno",
    "Kiel",
    "Linde",
    "Mistral",
    "Nordwind",
    "Opal",
    "Pegasus",
    "Quarz",
    "Rheintal",
    "Saphir",
    "Tanne",
    "Ulme",
    "Vega",
    "Westwind",
    "Zenit",
]
_TRADES = ("Logistics", "Foods", "Textil", "Energie", "Retail", "Medien", "Bau", "Pharma")

_POOL = 1500
_LONGEST = 30


@dataclass(frozen=True, slots=True)
class Text:
    """A text as a line of COPY holds it: in a column of text, and within JSON."""

    #: Its place among all that can be said.
    number: int
    plain: str
    in_json: str


class Pools:
    """Texts by language and speaker; lengths are log-normal, about four sentences in the middle."""

    def __init__(self, rng: Random) -> None:
        #: Everything that can be said; the planted words are added to a text.
        self.everything: list[Text] = []
        self.rare, self.common = self._keep([RARE]), self._keep([COMMON])
        self.texts = {
            (language, speaker): [self._keep(_text(rng, language, said)) for _ in range(_POOL)]
            for language, speakers in _SAID.items()
            for speaker, said in speakers.items()
        }
        #: Such as a receiver's first step.
        self.short = {
            language: [
                self._keep([_sentence(rng, language, speakers["agent"])]) for _ in range(_POOL)
            ]
            for language, speakers in _SAID.items()
        }

    def _keep(self, paragraphs: Sequence[str]) -> Text:
        text = Text(
            number=len(self.everything),
            plain="\\n\\n".join(paragraphs),
            in_json="\\\\n\\\\n".join(paragraphs),
        )
        self.everything.append(text)
        return text


def person(number: int) -> tuple[str, str]:
    """First and last name of the contact of this number."""
    return _FIRST[number % len(_FIRST)], _LAST[number * 11 // 3 % len(_LAST)]


def firm(number: int) -> str:
    """The name of the organization of this number."""
    name = f"{_FIRMS[number % len(_FIRMS)]} {_TRADES[number // len(_FIRMS) % len(_TRADES)]}"
    return f"{name} {number // (len(_FIRMS) * len(_TRADES)) + 1}"


def _text(rng: Random, language: str, said: Sequence[str]) -> list[str]:
    """A text as its paragraphs."""
    length = min(_LONGEST, max(1, round(rng.lognormvariate(1.4, 0.6))))
    sentences = [_sentence(rng, language, said) for _ in range(length)]
    return [" ".join(sentences[at : at + 4]) for at in range(0, len(sentences), 4)]


def _sentence(rng: Random, language: str, said: Sequence[str]) -> str:
    return rng.choice(said).format(
        day=rng.choice(_DAYS[language]),
        thing=rng.choice(_THINGS[language]),
        n=rng.randint(2, 900),
        code=rng.choice((400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504)),
        hour=rng.randint(6, 19),
        minute=f"{rng.randint(0, 59):02}",
        ref=f"ord-{rng.randrange(16**6):06x}",
    )
