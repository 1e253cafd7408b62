"""What production refuses to start on: secrets that are none, and settings nobody has made."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote, urlsplit

from helpdesk import declared
from helpdesk.environment import Environment

#: As Django's own check asks (security.W009).
LEAST_KEY_LENGTH = 50
#: A random key of fifty characters has some thirty different ones; fewer than ten is a pattern.
LEAST_KEY_LETTERS = 10
LEAST_MAIL_KEY_LENGTH = 20
#: Written in examples, and so known to everybody.
PLACEHOLDERS = (
    *("changeme", "change-me", "change_me", "replaceme", "replace-me", "replace_me"),
    *("django-insecure", "placeholder", "your-secret", "yoursecret", "secret-key", "secret_key"),
    *("50 random characters", "letters and digits", "random characters", "example", "…"),
)
#: Passwords as images and tutorials have them.
KNOWN_PASSWORDS = frozenset(
    {
        *("password", "passwort", "postgres", "helpdesk", "secret", "admin", "root", "test"),
        *("postgresql", "db", "database", "default", "demo", "pass", "123456", "12345678"),
        *("user", "hunter2", "letmein", "x", "xxx"),
    }
)


def refusals(env: Environment, *, development_key: Path) -> list[str]:
    """What is wrong with an installation's settings, a line each.

    ``development_key`` is the file in which development keeps the key it made for itself.
    """
    return [
        *_key(env, development_key),
        *_mail_keys(env),
        *_passwords(env),
        *_addresses(env),
        *(
            ["DEBUG is on, which shows settings and texts to visitors."]
            if env[declared.DEBUG]
            else []
        ),
    ]


def _key(env: Environment, development_key: Path) -> list[str]:
    said = []
    keys = [("SECRET_KEY", env[declared.SECRET_KEY])]
    keys += [("SECRET_KEY_FALLBACKS", key) for key in env[declared.SECRET_KEY_FALLBACKS]]
    for name, key in keys:
        if not key:
            continue  # said already
        if _is_placeholder(key):
            said.append(f"{name} is an example's; make one: {_RECIPE}")
        elif len(key) < LEAST_KEY_LENGTH or len(set(key)) < LEAST_KEY_LETTERS:
            said.append(
                f"{name} can be guessed: it must have at least {LEAST_KEY_LENGTH} random "
                f"characters; make one: {_RECIPE}"
            )
    if env[declared.SECRET_KEY] and env[declared.SECRET_KEY] == _kept(development_key):
        said.append(
            f"SECRET_KEY is the one that development made in {development_key}; make one of "
            f"production's own: {_RECIPE}"
        )
    return said


_RECIPE = "python -c 'import secrets; print(secrets.token_urlsafe(50))'"


def _kept(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _mail_keys(env: Environment) -> list[str]:
    return [
        f"HELPDESK_MAIL_KEYS: the secret of {key_id} can be guessed; it must have at least "
        f"{LEAST_MAIL_KEY_LENGTH} random characters."
        for key_id, secret in env[declared.HELPDESK_MAIL_KEYS].items()
        if len(secret) < LEAST_MAIL_KEY_LENGTH
        or len(set(secret)) < LEAST_KEY_LETTERS
        or _is_placeholder(secret)
    ]


def _passwords(env: Environment) -> list[str]:
    said = []
    # The host may be a socket, or somebody who trusts us: no password is none that is known.
    given = {
        "DATABASE_PASSWORD": env[declared.DATABASE_PASSWORD],
        "The password in DATABASE_URL": _password_in(env[declared.DATABASE_URL]),
        "The password in REDIS_URL": _password_in(env[declared.REDIS_URL]),
    }
    for name, password in given.items():
        if password and (password.lower() in KNOWN_PASSWORDS or _is_placeholder(password)):
            said.append(f"{name} is one that everybody tries first; choose another one.")
    return said


def _password_in(url: str) -> str:
    return unquote(urlsplit(url).password or "")


def _addresses(env: Environment) -> list[str]:
    said = []
    if env[declared.HELPDESK_MAIL_DOMAIN] == declared.DEMO_DOMAIN and (
        declared.HELPDESK_MAIL_DOMAIN in env
    ):
        said.append(
            f"HELPDESK_MAIL_DOMAIN is the demo's, {declared.DEMO_DOMAIN}; give the domain of your "
            "support addresses."
        )
    url = urlsplit(env[declared.HELPDESK_BASE_URL])
    if url.scheme == "http" and not env[declared.HELPDESK_PLAIN_HTTP]:
        host = url.hostname or ""
        if not _is_this_machine(host):
            said.append(
                f"HELPDESK_BASE_URL is plain http, by which passwords reach {host} in the clear; "
                "let a proxy speak https (docs/operations.md), or set HELPDESK_PLAIN_HTTP=1."
            )
    return said


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_placeholder(text: str) -> bool:
    lowered = text.lower()
    return any(word in lowered for word in PLACEHOLDERS)
