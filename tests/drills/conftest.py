"""A production of a drill's own; servers, tables and static files are made once for all drills."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.drills.production import Host, Production
from tests.drills.servers import TcpServers, seen_by_the_test, tcp_servers
from tests.processes import Mailbox

PREPARED = "prepared"


@pytest.fixture(scope="session")
def own_servers() -> Iterator[TcpServers]:
    with tcp_servers() as servers:
        yield servers


@pytest.fixture(scope="session")
def given(own_servers: TcpServers, collected: Path) -> Callable[[str], dict[str, str]]:
    """What an operator sets, for a database of this name."""

    def settings(database: str) -> dict[str, str]:
        return {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "DATABASE_URL": own_servers.database_url(database),
            "DATABASE_PASSWORD": "",
            "REDIS_URL": own_servers.new_redis_url(),
            "HELPDESK_STATIC_ROOT": str(collected),
            "HELPDESK_METRICS_TOKEN": "who-watches-the-helpdesk",
            "HELPDESK_API_RATE": "100000/minute",
            # Only the machine is slow: no mail here is made to take long.
            "HELPDESK_MAIL_LIMITS": "deadline=60",
            "WEB_CONCURRENCY": "1",
        }

    return settings


@pytest.fixture(scope="session")
def prepared(
    own_servers: TcpServers,
    given: Callable[[str], dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """A database that the service ``prepare`` has made of an empty one, to be copied."""
    own_servers.execute(f"CREATE DATABASE {PREPARED} TEMPLATE template0")
    Host("one", tmp_path_factory.mktemp("prepare"), given(PREPARED)).prepare()
    return PREPARED


@pytest.fixture
def empty(
    own_servers: TcpServers, given: Callable[[str], dict[str, str]], tmp_path: Path
) -> Iterator[Production]:
    """A production whose database is still to be made."""
    mailbox = Mailbox()
    name = f"drill_{secrets.token_hex(4)}"
    made = Production(tmp_path, {**given(name), "EMAIL_URL": mailbox.url}, mailbox)
    try:
        yield made
    finally:
        made.close()
        mailbox.close()
        own_servers.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def production(
    empty: Production,
    prepared: str,
    own_servers: TcpServers,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Production]:
    """A production with tables and defaults; this process's ORM sees its database."""
    name = empty.database_url.rpartition("/")[2]
    own_servers.execute(f"CREATE DATABASE {name} TEMPLATE {prepared}")
    with django_db_blocker.unblock(), seen_by_the_test(empty.database_url):
        yield empty
