"""How what was found becomes metrics; ``docs/monitoring.md`` lists them all."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping

import django
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from helpdesk import __version__
from helpdesk.health.gauges import Gauges
from helpdesk.health.readiness import Readiness, State, age_of

#: Of what is counted by ``gauges``: the label, if it has one, and what it says.
_COUNTED = {
    "escalations_open": ("", "Open escalations."),
    "offers": ("", "Hand-offs that wait to be accepted."),
    "offers_overdue": ("", "Those that were not accepted by their time."),
    "promises": ("state", "Promises that live, by state."),
    "promises_overdue": ("", "Promises whose time has passed."),
    "letters": ("state", "Letters that have not gone out, by state."),
    "mail_in": ("outcome", "Mail in that waits, by outcome."),
    "webhook_messages": ("state", "Webhook messages that have not arrived, by state."),
    "webhooks": ("state", "Webhooks: active, failing or off."),
    "relooks": ("", "Walks over tickets that are looked at again."),
}
_DEGREES = {State.OK: 0, State.WARNING: 1, State.FAILED: 2}


def of_ourselves() -> Iterator[Metric]:
    yield _labelled(
        "helpdesk_info",
        "What runs here; always 1.",
        ("version", "python", "django"),
        {(__version__, platform.python_version(), django.get_version()): 1},
    )


def of_readiness(readiness: Readiness) -> Iterator[Metric]:
    """Every check that could be looked at, and the figures behind them."""
    yield _by(
        "helpdesk_check_state",
        "What /readyz says: 0 is ok, 1 a warning, 2 failed. Absent while nobody knows.",
        "check",
        {each.name: _DEGREES[each.state] for each in readiness.checks if each.state in _DEGREES},
    )
    found = readiness.found
    yield _one("helpdesk_database_up", "Whether the database answers.", found.database is not None)
    yield _one("helpdesk_redis_up", "Whether Redis answers.", found.redis is not None)
    if found.space is not None:
        free = found.space.free * 2**20
        yield _one("helpdesk_data_free_bytes", "Free space of the data folder.", free)
    figures = found.database
    if figures is None:
        return
    yield _one(
        "helpdesk_database_answer_seconds",
        "From asking for a connection to the first answer.",
        figures.took / 1000,
    )
    yield _one(
        "helpdesk_clock_apart_seconds",
        "How far our clock and the database's differ.",
        figures.apart,
    )
    yield _one(
        "helpdesk_migrations_unapplied", "Migrations not applied yet.", len(figures.unapplied)
    )
    if figures.backlogs is None:
        return
    now, backlogs = figures.now, figures.backlogs
    yield _one("helpdesk_reviews_due", "Tickets due for the engine's look.", backlogs.reviews.count)
    yield _one(
        "helpdesk_reviews_oldest_seconds",
        "How long the oldest due ticket has waited for its look.",
        age_of(backlogs.reviews.oldest, now),
    )
    yield _one("helpdesk_outbox_due", "Letters that should have gone out.", backlogs.outbox.waiting)
    yield _one(
        "helpdesk_outbox_oldest_seconds",
        "How long the oldest letter that should have gone out has waited.",
        age_of(backlogs.outbox.oldest, now),
    )
    yield _one(
        "helpdesk_outbox_still_seconds",
        "How long letters have been due while none has gone out.",
        age_of(backlogs.outbox.still_since, now),
    )
    yield _one(
        "helpdesk_outbox_paused", "Whether somebody paused it.", backlogs.paused_since is not None
    )
    yield _one("helpdesk_webhooks_due", "Webhook messages due.", backlogs.webhooks.count)
    yield _one(
        "helpdesk_webhooks_oldest_seconds",
        "How long the oldest due webhook message has waited.",
        age_of(backlogs.webhooks.oldest, now),
    )


def of_gauges(gauges: Gauges) -> Iterator[Metric]:
    """What else the database knows."""
    now = gauges.now
    yield _by(
        "helpdesk_configuration_info",
        "The edition of what is configured; always 1.",
        "edition",
        {gauges.edition: 1},
    )
    yield _by("helpdesk_tickets", "Tickets by status.", "status", gauges.tickets.by_status)
    yield _one(
        "helpdesk_tickets_estimated",
        "Whether unfinished tickets are estimated, too; finished ones always are.",
        gauges.tickets.estimated,
    )
    yield _labelled(
        "helpdesk_escalations",
        "Open escalations, of the oldest 2,000, by state and by the tier they are with.",
        ("state", "tier"),
        {(state, str(tier or "none")): n for (state, tier), n in gauges.escalations.items()},
    )
    for metric, (label, said) in _COUNTED.items():
        values = {value: count for (name, value), count in gauges.counted.items() if name == metric}
        if label:
            yield _by(f"helpdesk_{metric}", said, label, values)
        else:
            yield _one(f"helpdesk_{metric}", said, values[""])
    overdue = age_of(gauges.offers_oldest, now)
    yield _one(
        "helpdesk_offers_overdue_oldest_seconds",
        "For how long the oldest of them has been overdue.",
        overdue,
    )
    yield _one(
        "helpdesk_mail_in_unread_oldest_seconds",
        "How long the oldest mail that is stored and not read has waited.",
        age_of(gauges.mail_in_oldest, now),
    )
    yield _one(
        "helpdesk_relook_tickets",
        "Numbers of tickets that these walks have before them.",
        gauges.relook_tickets,
    )
    server = gauges.server
    yield _one("helpdesk_database_connections", "Connections to it.", server.connections)
    yield _one("helpdesk_database_size_bytes", "Its size on the disk.", server.size)
    for name, said, value in (
        ("commits", "Transactions committed.", server.commits),
        ("rollbacks", "Transactions rolled back.", server.rollbacks),
        ("deadlocks", "Deadlocks found.", server.deadlocks),
        ("blocks_read", "Blocks read from the disk.", server.blocks_read),
        ("blocks_hit", "Blocks found in memory.", server.blocks_hit),
    ):
        yield CounterMetricFamily(f"helpdesk_database_{name}", said, value)


def _one(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(name, said, value)


def _by(name: str, said: str, label: str, values: Mapping[str, float]) -> Metric:
    return _labelled(name, said, (label,), {(each,): value for each, value in values.items()})


def _labelled(
    name: str, said: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]
) -> Metric:
    family = GaugeMetricFamily(name, said, labels=labels)
    for each, value in values.items():
        family.add_metric([str(word) for word in each], value)
    return family
