"""Every setting that the environment may give, once: its name, kind, default and meaning.

``settings.py`` reads nothing else, ``docs/settings.md`` is written from this
(``python -m helpdesk.reference``), and ``production.py`` says what production refuses.
"""

from __future__ import annotations

import re
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from helpdesk.environment import (
    DOMAIN,
    FOLDER,
    TEXT,
    YES_OR_NO,
    Family,
    Kind,
    Setting,
    address,
    listed,
    matching,
    number,
    one_of,
    pairs,
    whole,
)
from tickets.inbound.limits import limits_from

#: Stands in for the domain that an installation has; nobody can own it (RFC 6761).
DEMO_DOMAIN = "brightquay.example"
_HOUR = 3600.0
_MAIL_BOX = matching(r"[^\r\n]*[^\s@]+@[^\s@]+[^\r\n]*", "mail address, with or without a name")
_SECONDS = number(above=0, most=_HOUR)


def _network(value: str) -> str:
    ip_network(value, strict=False)
    return value


def _mail_limits(value: str) -> dict[str, float]:
    found = pairs("=", number(above=0, most=1e12), words="").read(value)
    limits_from(found)
    return found


def _mail_keys(value: str) -> dict[str, str]:
    found = pairs(":", matching(r".{8,}", ""), words="").read(value)
    if not all(re.fullmatch(r"[a-z0-9]{1,4}", name) for name in found):
        raise ValueError
    return found


# --- The installation

_about = partial(Setting, section="The installation")

HELPDESK_ENV: Setting[str] = _about(
    name="HELPDESK_ENV",
    kind=one_of("development", "production"),
    default="development",
    meaning="`development` needs nothing and makes its own key; `production` starts only when "
    "everything that must be set is set, and well.",
)
DEBUG: Setting[bool] = _about(
    name="DEBUG",
    kind=YES_OR_NO,
    default=False,
    meaning="Django's error pages with everything on them; refused in production.",
)
SECRET_KEY: Setting[str] = _about(
    name="SECRET_KEY",
    kind=TEXT,
    default="",
    otherwise="in development made once, in the data folder",
    meaning="at least 50 random characters, kept for good: sessions, links and forms are signed "
    "with it.",
    required=True,
    secret=True,
)
SECRET_KEY_FALLBACKS: Setting[list[str]] = _about(
    name="SECRET_KEY_FALLBACKS",
    kind=listed(TEXT),
    default=[],
    meaning="earlier secret keys whose sessions are still believed, while one is changed.",
    secret=True,
)
HELPDESK_DATA_DIR: Setting[Path] = _about(
    name="HELPDESK_DATA_DIR",
    kind=FOLDER,
    default=Path("var"),
    meaning="the folder of attachments (`files/` in it) and, in development, of the embedded "
    "servers and the key. Relative to the code.",
)
HELPDESK_LESSON_VIDEO_MB: Setting[int] = _about(
    name="HELPDESK_LESSON_VIDEO_MB",
    kind=whole(1, 100_000),
    default=500,
    meaning="megabytes that the video of a lesson may have. A reverse proxy's own limit has to let it "
    "through, too.",
)
HELPDESK_DEMO: Setting[bool] = _about(
    name="HELPDESK_DEMO",
    kind=YES_OR_NO,
    default=True,
    meaning="whether `make run` fills an empty desk with the demo.",
)

# --- The web server

_web = partial(Setting, section="The web server")

HELPDESK_BASE_URL: Setting[str] = _web(
    name="HELPDESK_BASE_URL",
    kind=address("https", "http", path=False),
    default="",
    otherwise="`http://127.0.0.1:PORT`",
    meaning="where people reach the helpdesk, such as `https://help.example.com`; every link in "
    "a letter begins with it, and cookies and redirects follow its scheme.",
    required=True,
)
HELPDESK_PLAIN_HTTP: Setting[bool] = _web(
    name="HELPDESK_PLAIN_HTTP",
    kind=YES_OR_NO,
    default=False,
    meaning="lets production start although `HELPDESK_BASE_URL` begins with `http://` and is not "
    "this machine's own: passwords then cross the network in the clear.",
)
PORT: Setting[int] = _web(
    name="PORT",
    kind=whole(1, 65_535),
    default=8000,
    meaning="where the web server listens; on loopback, in the image on every interface of its "
    "container.",
)
WEB_CONCURRENCY: Setting[int] = _web(
    name="WEB_CONCURRENCY",
    kind=whole(1, 64),
    default=3,
    meaning="processes of the web server, of about 125 MiB each.",
)
WEB_THREADS: Setting[int] = _web(
    name="WEB_THREADS",
    kind=whole(1, 64),
    default=4,
    meaning="threads of each of them; each may hold a connection to PostgreSQL.",
)
ALLOWED_HOSTS: Setting[list[str]] = _web(
    name="ALLOWED_HOSTS",
    kind=listed(TEXT),
    default=[],
    otherwise="the host of `HELPDESK_BASE_URL`",
    meaning="further host names to answer to. This machine's own (`localhost`, `127.0.0.1`, "
    "`[::1]`) are always among them, for health checks.",
)
HELPDESK_PROXIES: Setting[int] = _web(
    name="HELPDESK_PROXIES",
    kind=whole(0, 10),
    default=0,
    meaning="how many reverse proxies of yours stand in front, each appending to "
    "`X-Forwarded-For`; limits on visitors count by the address that the outermost one saw.",
)
SECURE_SSL_REDIRECT: Setting[bool] = _web(
    name="SECURE_SSL_REDIRECT",
    kind=YES_OR_NO,
    default=True,
    otherwise="on where `HELPDESK_BASE_URL` is https, in production",
    meaning="send whoever comes by http to https. The proxy must say `X-Forwarded-Proto`, or "
    "everybody is sent round in circles.",
)
SECURE_HSTS_SECONDS: Setting[int] = _web(
    name="SECURE_HSTS_SECONDS",
    kind=whole(0, 63_072_000),
    default=31_536_000,
    otherwise="a year where `HELPDESK_BASE_URL` is https, else 0",
    meaning="for how long browsers keep to https (RFC 6797).",
)
SECURE_HSTS_INCLUDE_SUBDOMAINS: Setting[bool] = _web(
    name="SECURE_HSTS_INCLUDE_SUBDOMAINS",
    kind=YES_OR_NO,
    default=False,
    meaning="the same for every name below the helpdesk's host: for its owner to say.",
)
SECURE_HSTS_PRELOAD: Setting[bool] = _web(
    name="SECURE_HSTS_PRELOAD",
    kind=YES_OR_NO,
    default=False,
    meaning="agree to being built into browsers (hstspreload.org); hard to take back.",
)
HELPDESK_STATIC_ROOT: Setting[Path] = _web(
    name="HELPDESK_STATIC_ROOT",
    kind=FOLDER,
    default=Path("static_collected"),
    otherwise="`static_collected` beside the code",
    meaning="where `collectstatic` puts the pages' files, and where they are served from.",
)

# --- Data

_data = partial(Setting, section="PostgreSQL and Redis")

DATABASE_URL: Setting[str] = _data(
    name="DATABASE_URL",
    kind=address("postgres", "postgresql", host=False),
    default="",
    otherwise="the embedded server",
    meaning="PostgreSQL 15 or newer: `postgres://user:password@host:5432/name?sslmode=require`. A "
    "socket's folder is written with `%2F`.",
    required=True,
    secret=True,
)
DATABASE_PASSWORD: Setting[str] = _data(
    name="DATABASE_PASSWORD",
    kind=TEXT,
    default="",
    otherwise="that in `DATABASE_URL`",
    meaning="the password apart from the address; no character of it needs to be encoded.",
    secret=True,
)
DATABASE_CONN_MAX_AGE: Setting[int] = _data(
    name="DATABASE_CONN_MAX_AGE",
    kind=whole(0, 86_400),
    default=60,
    meaning="seconds for which a connection is kept open; 0 behind a pooler that counts "
    "transactions.",
)
REDIS_URL: Setting[str] = _data(
    name="REDIS_URL",
    kind=address("redis", "rediss", "unix"),
    default="",
    otherwise="the embedded server",
    meaning="Redis 6.2 or newer: `redis://:password@host:6379/0`. It holds nothing that is "
    "missed for longer than one interval.",
    required=True,
    secret=True,
)

# --- Mail out

_out = partial(Setting, section="Letters out")

EMAIL_URL: Setting[str] = _out(
    name="EMAIL_URL",
    kind=address(
        *("smtp+tls", "smtp+ssl", "smtps", "smtp"),
        *("consolemail", "filemail", "memorymail", "dummymail"),
        host=False,
    ),
    default="",
    otherwise="letters are captured and not sent",
    meaning="the mail server that takes our letters: `smtp+tls://user:password@host:587`; "
    "`smtps` is another word for it (STARTTLS), `smtp+ssl` speaks TLS at once (port 465).",
    secret=True,
)
EMAIL_BACKEND: Setting[str] = _out(
    name="EMAIL_BACKEND",
    kind=matching(r"[A-Za-z_][\w.]*", "dotted name of a class"),
    default="",
    meaning="instead of `EMAIL_URL`, a provider's backend, such as "
    "`anymail.backends.postmark.EmailBackend`.",
)
EMAIL_TIMEOUT: Setting[float] = _out(
    name="EMAIL_TIMEOUT",
    kind=_SECONDS,
    default=20.0,
    meaning="seconds to wait for an answer of the mail server.",
)
HELPDESK_SUPPORT_ADDRESS: Setting[str] = _out(
    name="HELPDESK_SUPPORT_ADDRESS",
    kind=_MAIL_BOX,
    default="",
    otherwise="`support@HELPDESK_MAIL_DOMAIN`",
    meaning="where customers write to.",
)
DEFAULT_FROM_EMAIL: Setting[str] = _out(
    name="DEFAULT_FROM_EMAIL",
    kind=_MAIL_BOX,
    default="",
    otherwise="`HELPDESK_SUPPORT_ADDRESS`",
    meaning="who letters are from: `Support <support@example.com>`.",
)
HELPDESK_MAIL_INTERVAL: Setting[float] = _out(
    name="HELPDESK_MAIL_INTERVAL",
    kind=_SECONDS,
    default=5.0,
    meaning="seconds between two looks at what is to be sent; a letter that is queued rings at "
    "once, too.",
)
HELPDESK_MAIL_LEASE: Setting[float] = _out(
    name="HELPDESK_MAIL_LEASE",
    kind=_SECONDS,
    default=120.0,
    meaning="seconds after which a letter whose worker is silent is taken back; longer than "
    "sending one can take.",
)
HELPDESK_MAIL_ALARM_AFTER: Setting[float] = _out(
    name="HELPDESK_MAIL_ALARM_AFTER",
    kind=number(above=0, most=86_400),
    default=600.0,
    meaning="seconds for which a letter may be due, with none going out, before webhooks tell "
    "that mail fails.",
)

# --- Mail in

_in = partial(Setting, section="Mail in, and links")

HELPDESK_MAIL_DOMAIN: Setting[str] = _in(
    name="HELPDESK_MAIL_DOMAIN",
    kind=DOMAIN,
    default=DEMO_DOMAIN,
    meaning="domain of the support addresses, the signed reply addresses and our Message-IDs.",
    required=True,
)
HELPDESK_REPLY_LOCALPART: Setting[str] = _in(
    name="HELPDESK_REPLY_LOCALPART",
    kind=matching(r"[A-Za-z0-9._-]{1,32}", "left part of a mail address, up to 32 characters"),
    default="reply",
    meaning="left part of the signed reply addresses, `reply+…@domain`; have your mail server "
    "deliver all of them.",
)
HELPDESK_MAIL_KEYS: Setting[dict[str, str]] = _in(
    name="HELPDESK_MAIL_KEYS",
    kind=Kind("`k2:secret,k1:older`, each secret of 8 characters or more", _mail_keys),
    default={},
    otherwise="one that follows from `SECRET_KEY`",
    meaning="what signs reply addresses, Message-IDs and links in letters: the first signs, all "
    "are believed. A name has one to four of `a-z0-9`.",
    secret=True,
)
HELPDESK_AUTHSERV_ID: Setting[str] = _in(
    name="HELPDESK_AUTHSERV_ID",
    kind=TEXT,
    default="",
    otherwise="none is believed",
    meaning="whose `Authentication-Results` are believed (RFC 8601): your mail server's name in "
    "them.",
)
HELPDESK_MAIL_LIMITS: Setting[dict[str, float]] = _in(
    name="HELPDESK_MAIL_LIMITS",
    kind=Kind("`deadline=5,parts=200`, of the limits in `tickets/inbound/limits.py`", _mail_limits),
    default={},
    otherwise="3 s, 25 MB, …",
    meaning="what one mail may cost before it is quarantined.",
)

# --- Engine, webhooks, API

_engine = partial(Setting, section="Engine, webhooks and API")

HELPDESK_ENGINE_INTERVAL: Setting[float] = _engine(
    name="HELPDESK_ENGINE_INTERVAL",
    kind=_SECONDS,
    default=5.0,
    meaning="seconds between two looks at what is due; a change rings at once, too.",
)
HELPDESK_WEBHOOK_INTERVAL: Setting[float] = _engine(
    name="HELPDESK_WEBHOOK_INTERVAL",
    kind=_SECONDS,
    default=5.0,
    meaning="seconds between two looks at what webhooks are to be told.",
)
HELPDESK_WEBHOOK_LOG_DAYS: Setting[int] = _engine(
    name="HELPDESK_WEBHOOK_LOG_DAYS",
    kind=whole(1, 3650),
    default=30,
    meaning="days for which it can be read what webhooks were told.",
)
HELPDESK_OUTGOING_ALLOW: Setting[list[str]] = _engine(
    name="HELPDESK_OUTGOING_ALLOW",
    kind=listed(Kind("network such as `10.1.2.0/24`", _network)),
    default=[],
    otherwise="none",
    meaning="networks inside that webhooks may reach; they ask nothing but the internet otherwise.",
)
HELPDESK_OUTGOING_HTTP: Setting[bool] = _engine(
    name="HELPDESK_OUTGOING_HTTP",
    kind=YES_OR_NO,
    default=False,
    meaning="whether webhooks may go by plain http.",
)
HELPDESK_API_RATE: Setting[str] = _engine(
    name="HELPDESK_API_RATE",
    kind=matching(
        r"[1-9][0-9]{0,8}/(second|minute|hour|day)", "`600/minute`, or a second, hour or day"
    ),
    default="600/minute",
    meaning="how often a token may ask.",
)

# --- Watching

_watching = partial(Setting, section="Watching and logs")

HELPDESK_METRICS_TOKEN: Setting[str] = _watching(
    name="HELPDESK_METRICS_TOKEN",
    kind=matching(r"\S{16,}", "16 characters or more, without spaces"),
    default="",
    otherwise="nobody reads them in production",
    meaning="who bears it reads `/metrics`, and on `/readyz` every number.",
    secret=True,
)
HELPDESK_READY_LIMITS: Setting[dict[str, float]] = _watching(
    name="HELPDESK_READY_LIMITS",
    kind=pairs(
        "=",
        number(above=-1, most=float("inf")),
        words="`reviews_failed=900,disk_warning=2048`, of the limits in `helpdesk/health/limits.py`",
    ),
    default={},
    otherwise="as there",
    meaning="from where on `/readyz` warns or fails.",
)
LOG_LEVEL: Setting[str] = _watching(
    name="LOG_LEVEL",
    kind=one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
    default="INFO",
    meaning="the least that is logged. `DEBUG` adds the beginning and end of every task and "
    "request, and is for our own modules: libraries would quote what they handle.",
)

SETTINGS: tuple[Setting[Any], ...] = tuple(
    each for each in tuple(globals().values()) if isinstance(each, Setting)
)

ANYMAIL = Family(
    prefix="ANYMAIL_",
    section="Letters out",
    meaning="a provider's keys, as django-anymail names them (`ANYMAIL_POSTMARK_SERVER_TOKEN`); "
    "`ANYMAIL_WEBHOOK_SECRET` (`user:password`) opens `/hooks/PROVIDER/` to what it tells of "
    "letters. Each may stand in a file: `ANYMAIL_…_FILE`.",
)
FAMILIES = (ANYMAIL,)
