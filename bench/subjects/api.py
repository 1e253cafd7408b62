"""The API over HTTP: a list, and tickets opened by eight clients at once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

from django.test import Client

from bench import figures
from bench.desk import Desk, statements
from bench.figures import Figure
from tickets.models import Contact

CLIENTS = 8
LIST = "/api/v1/tickets/?limit=50"
MADE_AT = "/api/v1/tickets/"


def measure(desk: Desk) -> Iterator[Figure]:
    authorized = {"Authorization": f"Bearer {desk.token()}"}
    asked = desk.server.client(authorized)
    took = figures.milliseconds(lambda: asked.get(LIST), runs=desk.runs(60), warm=6)
    asked.close()
    inside = Client(SERVER_NAME="127.0.0.1", headers=authorized)
    yield figures.of(
        "API list of 50", desk.size, took, "ms", sql=statements(lambda: inside.get(LIST))
    )
    addresses = list(Contact.objects.values_list("email", flat=True)[:200])
    rates = [_create(desk, authorized, addresses) for _run in range(desk.runs(5))]
    body = _body(addresses[0], 0)
    yield figures.of(
        "API create, 8 clients",
        desk.size,
        rates,
        "a second",
        better="higher",
        sql=statements(lambda: inside.post(MADE_AT, body, content_type="application/json")),
        memory=desk.server.look(),
    )


def _create(desk: Desk, headers: dict[str, str], addresses: list[str]) -> float:
    """Tickets a second, made by eight clients that connect for each, as scripts do.

    Whether connections that are kept open lie evenly on the workers is a matter of luck.
    """
    each = desk.runs(60)
    failed: list[Exception] = []
    together = threading.Barrier(CLIENTS + 1)

    def work(number: int) -> None:
        asked = desk.server.client(headers)
        bodies = [
            _body(addresses[(number * each + turn) % len(addresses)], turn) for turn in range(each)
        ]
        together.wait()
        try:
            for body in bodies:
                asked.ask("POST", MADE_AT, body, 201)
                asked.close()
        except Exception as error:  # told by the main thread
            failed.append(error)
        finally:
            asked.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    together.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    if failed:
        raise failed[0]
    return CLIENTS * each / took


def _body(address: str, turn: int) -> bytes:
    return json.dumps(
        {
            "requester": {"email": address},
            "subject": f"The import stops after record {turn}",
            "text": "Since this morning the import stops. The log says error 502 for every record.",
            "tags": ["import"],
        }
    ).encode()
