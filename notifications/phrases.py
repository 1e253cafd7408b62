"""What letters say in fixed words, by language: phrases, times and lengths of time.

Letters are written in the reader's language, whatever language the page or worker runs in, so
these tables do not follow Django's active translation.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

FALLBACK = "en"

PHRASES: dict[str, dict[str, str]] = {
    "en": {
        "nothing_needed": "Nothing is needed from you.",
        "please_send": "Please send: {missing}.",
        # Stands where a letter would say the name of somebody whose name we do not know.
        "no_name": "Hello",
        # Stands where a letter would name the tier.
        "a_team_lead": "a team lead",
        "declined": "declined",
        "sent_back": "sent back",
        "handed_on": "handed on",
        "withdrawn": "withdrawn",
        "de_escalated": "de-escalated",
        "as_lead": "the team's lead",
        "as_on_call": "the person on call",
        "as_backup": "the backup",
        "as_manager": "the manager",
        "a_closer_look": "a closer look at what you sent",
        "clock_first_response": "first response",
        "clock_resolution": "resolution",
        "clock_acceptance": "acceptance",
        "check_progress": "Check the progress of the escalation",
        "offer_it_again": "The escalation came back: offer it again, or solve it",
        "lead_offer_it_again": "An escalation that came back has not been offered again",
        "confirm_with_the_customer": "The escalation is resolved: confirm with the customer",
        "customer_not_told": "A letter bounced: the customer was not told, their escalation"
        " contacts were written to instead",
        "phone_the_customer": "A letter bounced: the customer was not told. Phone them",
        "hidden_link": "(a link that only its reader is shown)",
        "snooze_over": "The ticket was snoozed until now",
        # Stands before what an earlier letter would have said that goes out with this one.
        "also_new": "Also new since we last wrote:",
        "footer": "Reply to this email; it reaches us. Status: {link}",
        "footer_without_link": "Reply to this email; it reaches us.",
        "footer_staff": "Open: {link}",
        "status": "Status",
    },
    "de": {
        "nothing_needed": "Von Ihnen brauchen wir nichts.",
        "please_send": "Bitte senden Sie uns: {missing}.",
        "no_name": "",
        "a_team_lead": "der Teamleitung",
        "declined": "abgelehnt",
        "sent_back": "zurückgeschickt",
        "handed_on": "weitergereicht",
        "withdrawn": "zurückgezogen",
        "de_escalated": "deeskaliert",
        "as_lead": "Teamleitung",
        "as_on_call": "Bereitschaft",
        "as_backup": "Vertretung",
        "as_manager": "Management",
        "a_closer_look": "ein genauer Blick auf das, was Sie gesandt haben",
        "clock_first_response": "die erste Antwort",
        "clock_resolution": "die Lösung",
        "clock_acceptance": "die Annahme",
        "check_progress": "Nach dem Stand der Eskalation sehen",
        "offer_it_again": "Die Eskalation kam zurück: neu anbieten oder selbst lösen",
        "lead_offer_it_again": "Eine zurückgekommene Eskalation wurde nicht neu angeboten",
        "confirm_with_the_customer": "Die Eskalation ist gelöst: mit dem Kunden klären, ob es passt",
        "customer_not_told": "Ein Brief kam zurück: der Kunde weiß nicht Bescheid, stattdessen"
        " wurden seine Eskalationskontakte angeschrieben",
        "phone_the_customer": "Ein Brief kam zurück: der Kunde weiß nicht Bescheid. Rufen Sie an",
        "hidden_link": "(ein Link, den nur die Empfängerin oder der Empfänger sieht)",
        "snooze_over": "Das Ticket war bis jetzt zurückgestellt",
        "also_new": "Ebenfalls neu seit unserer letzten Nachricht:",
        "footer": "Antworten Sie einfach auf diese E-Mail; sie erreicht uns. Stand: {link}",
        "footer_without_link": "Antworten Sie einfach auf diese E-Mail; sie erreicht uns.",
        "footer_staff": "Öffnen: {link}",
        "status": "Stand",
    },
}

_DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "de": ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"),
}
_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "de": (
        "Jan.",
        "Feb.",
        "März",
        "Apr.",
        "Mai",
        "Juni",
        "Juli",
        "Aug.",
        "Sep.",
        "Okt.",
        "Nov.",
        "Dez.",
    ),
}
_MOMENTS = {
    "en": "{day} {number} {month}, {time} ({place})",
    "de": "{day} {number}. {month}, {time} ({place})",
}
# One and many of: hours, business hours, minutes, business minutes. German stands in the dative,
# as after "innerhalb von".
_UNITS = {
    "en": (
        ("hour", "hours"),
        ("business hour", "business hours"),
        ("minute", "minutes"),
        ("business minute", "business minutes"),
    ),
    "de": (
        ("Stunde", "Stunden"),
        ("Geschäftsstunde", "Geschäftsstunden"),
        ("Minute", "Minuten"),
        ("Geschäftsminute", "Geschäftsminuten"),
    ),
}
_AND = {"en": "and", "de": "und"}
# Places whose name in the zone database is not how their people, or Germans, write it.
_PLACES = {
    "en": {"Sao Paulo": "São Paulo", "Kolkata": "India", "Calcutta": "India"},
    "de": {
        "Sao Paulo": "São Paulo",
        "Kolkata": "Indien",
        "Calcutta": "Indien",
        "Vienna": "Wien",
        "Zurich": "Zürich",
        "Rome": "Rom",
        "Lisbon": "Lissabon",
        "Brussels": "Brüssel",
        "Prague": "Prag",
        "Warsaw": "Warschau",
        "Copenhagen": "Kopenhagen",
        "Athens": "Athen",
        "Moscow": "Moskau",
        "Bucharest": "Bukarest",
        "Luxembourg": "Luxemburg",
        "Tokyo": "Tokio",
        "Singapore": "Singapur",
    },
}


def spoken(language: str) -> str:
    """Give the language whose words these tables have, for a language tag such as ``de-AT``."""
    base = language.lower().replace("_", "-").partition("-")[0]
    return base if base in PHRASES else FALLBACK


def worded_moment(at: datetime, *, zone: str, language: str) -> str:
    """Word a point in time as ``Tue 24 Nov, 14:00 (Berlin, UTC+1)``.

    An unknown zone is told in UTC, which is never wrong, only less handy.
    """
    language = spoken(language)
    place = _zone(zone)
    local = at.astimezone(place)
    return _MOMENTS[language].format(
        day=_DAYS[language][local.weekday()],
        number=local.day,
        month=_MONTHS[language][local.month - 1],
        time=f"{local:%H:%M}",
        place=_place(place.key, local.utcoffset() or timedelta(0), language),
    )


def worded_duration(seconds: int, *, business: bool, language: str) -> str:
    """Word a length of time in hours and minutes, rounded up to whole minutes."""
    language = spoken(language)
    hours, minutes = divmod(-(-max(seconds, 0) // 60), 60)
    if not hours:
        return _counted(minutes, language, 2 + business)
    told = _counted(hours, language, 0 + business)
    return f"{told} {_AND[language]} {_counted(minutes, language, 2)}" if minutes else told


def _counted(count: int, language: str, unit: int) -> str:
    one, many = _UNITS[language][unit]
    return f"{count} {one if count == 1 else many}"


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, KeyError, ValueError):  # unknown to the database, or not a name at all
        return ZoneInfo("UTC")


def _place(zone: str, offset: timedelta, language: str) -> str:
    minutes = int(offset.total_seconds() // 60)
    sign = "+" if minutes >= 0 else "-"
    hours, rest = divmod(abs(minutes), 60)
    shift = f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "") if minutes else "UTC"
    area, _slash, city = zone.rpartition("/")
    if not area or area == "Etc":
        return shift
    city = city.replace("_", " ")
    return f"{_PLACES[language].get(city, city)}, {shift}"
