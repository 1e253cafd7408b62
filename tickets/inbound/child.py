"""The process that reads mail: requests on standard input, answers on standard output.

It imports no Django, holds no secret and opens nothing; the one who started it gives it a
deadline and kills it when that passes. Frames are a length of eight bytes, then so many bytes. A
request is two frames: JSON and the raw mail. An answer is one frame of JSON, and one for each
attachment it announces.
"""

from __future__ import annotations

import json
import resource
import signal
import struct
import sys
from typing import Any, BinaryIO

from tickets.inbound.limits import Limits, limits_from
from tickets.inbound.parsed import to_json
from tickets.inbound.parsing import Unreadable, html_of, parse
from tickets.inbound.sanitising import TooDeep, to_safe_html

LENGTH = struct.Struct(">Q")


def main() -> None:
    limits = limits_from(json.loads(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    reads, writes = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # nothing a library prints may fall into an answer
    while True:
        request = _frame(reads)
        if request is None:
            return
        raw = _frame(reads) or b""
        # Should the one who kills us be gone: SIGPROF ends the process.
        signal.setitimer(signal.ITIMER_PROF, limits.deadline + 2)
        answer, blobs = _answer(json.loads(request), raw, limits)
        signal.setitimer(signal.ITIMER_PROF, 0)
        for frame in (json.dumps(answer).encode(), *blobs):
            writes.write(LENGTH.pack(len(frame)) + frame)
        writes.flush()


def _answer(
    request: dict[str, Any], raw: bytes, limits: Limits
) -> tuple[dict[str, Any], list[bytes]]:
    try:
        if request["want"] == "html":
            safe = to_safe_html(
                html_of(raw, limits=limits),
                depth=limits.html_depth,
                images=request["images"],
                remote_images=request["remote_images"],
            )
            return {"html": safe}, []
        mail = parse(raw, limits=limits)
    except (Unreadable, TooDeep) as error:
        return {"unreadable": str(error)}, []
    except MemoryError:
        return {"unreadable": "Reading it takes too much memory."}, []
    except Exception as error:  # a mistake of ours must cost this mail only
        return {"unreadable": f"Reading it failed: {type(error).__name__}: {error}"[:400]}, []
    return {"mail": to_json(mail)}, [attachment.data for attachment in mail.attachments]


def _frame(stream: BinaryIO) -> bytes | None:
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    body = stream.read(length)
    return body if len(body) == length else None


if __name__ == "__main__":
    main()
