"""The machine is gone: what a backup made under load shows is restored, and nothing is sent twice."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from contextlib import closing
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path

import psycopg2
import pytest
import redis
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils import timezone

from helpdesk.embedded import Hold
from notifications import pausing
from notifications.models import MailState, OutgoingEmail
from tests.faults.servers import own_database
from tests.house import House
from tests.processes import ROOT, Installation, eventually
from tickets.models import Attachment, InboundEmail, Ticket
from tickets.models.mailin import InboundOutcome

pytestmark = pytest.mark.slow

BUSY = "451 come back later"


def mails(folder: Path, numbers: range) -> Path:
    """A folder of mails to us, each from somebody else, each with a file of its own."""
    folder.mkdir()
    for number in numbers:
        mail = EmailMessage()
        mail["From"] = f"Caller {number} <caller{number}@norvik.example>"
        mail["To"] = "support@help.test"
        mail["Subject"] = f"POST /v2/invoices returns 502, case {number}"
        mail["Message-ID"] = f"<case-{number}@norvik.example>"
        mail.set_content("It has failed since this morning.")
        mail.add_attachment(f"log of case {number}\n".encode() * 500, "text", "plain", filename="l")
        (folder / f"{number:03}.eml").write_bytes(mail.as_bytes())
    return folder


class Looks:
    """Whether the mail worker looks: it silences the bell when it begins."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._bell = f"helpdesk:ring:{settings.HELPDESK_MAIL_TASK}"

    def waits_for_one(self) -> None:
        for _begins in range(2):
            self._client.set(self._bell, 1)
            eventually(
                lambda: not self._client.exists(self._bell), what="a look of the mail worker"
            )


def destroy(hold: Hold, files: Path) -> None:
    """The machine burns; another one has an empty database and an empty folder."""
    connection.close()
    server = hold.database_url.rpartition("/")[0].replace("postgres://", "postgresql://", 1)
    with closing(psycopg2.connect(f"{server}/postgres")) as other:
        other.autocommit = True
        other.cursor().execute("DROP DATABASE helpdesk WITH (FORCE)")
        other.cursor().execute("CREATE DATABASE helpdesk")
    shutil.rmtree(files)


def sent() -> Counter[str]:
    return Counter(OutgoingEmail.objects.values_list("state", flat=True))


def test_what_a_backup_under_load_shows_is_restored_and_nothing_is_sent_twice(
    installation: Installation, redis_client: redis.Redis, tmp_path: Path
) -> None:
    data, archive = tmp_path / "data", tmp_path / "backup.tar"
    installation.environment |= {
        "HELPDESK_ENV": "production",
        "SECRET_KEY": "0bXWq3Yv7LcTn9ZsKd5RfHgJm2PxUe8AiOz4BtNy6CwVl1QrEoSaDk",
        "HELPDESK_MAIL_DOMAIN": "help.test",
        "HELPDESK_DATA_DIR": str(data),
    }
    mailbox = installation.mailbox
    with own_database(installation) as hold:
        House()
        installation.start("engine", "mail", "beat")

        # Mail comes in, letters go out; then the mail server is busy, and some wait.
        first = mails(tmp_path / "first", range(8))
        installation.manage("ingest_email", str(first))
        eventually(lambda: sent() == {MailState.SENT: 8}, what="letters sent")
        mailbox.answers = lambda _envelope: BUSY
        more = subprocess.Popen(
            [sys.executable, "manage.py", "ingest_email", mails(tmp_path / "more", range(8, 400))],
            cwd=ROOT,
            env=installation.environment,
            stdout=subprocess.DEVNULL,
        )
        eventually(lambda: _tried() >= 8, what="letters that are put off")

        # A backup is made while more comes in.
        installation.manage("backup", str(archive))
        assert more.poll() is None, "the load was over before the backup was"
        more.terminate()
        more.wait()

        # The old installation lives on: half of what waited goes out, the rest never.
        mailbox.answers = lambda _envelope: ""
        late = OutgoingEmail.objects.filter(attempts__gt=0, state=MailState.QUEUED)
        half = list(late.order_by("pk").values_list("pk", flat=True)[:4])
        OutgoingEmail.objects.filter(pk__in=half).update(next_attempt_at=timezone.now())
        eventually(lambda: sent()[MailState.SENT] >= 12, what="letters after the backup")
        highest = Ticket.objects.order_by("pk").values_list("pk", flat=True).last()
        assert highest is not None
        for name in list(installation.running):
            installation.kill(name)
        before = Counter(str(letter["Message-ID"]) for letter in mailbox.letters)
        destroy(hold, data)

        # The new one's workers are there before there is anything to work on.
        installation.start("engine", "mail", "beat")
        ContentType.objects.clear_cache()
        installation.manage("restore", str(archive))
        looks = Looks(redis_client)
        looks.waits_for_one()
        pause = pausing.standing()
        assert pause is not None
        assert pause.is_restore
        told = pausing.waiting(pause)
        assert told.letters_in_doubt >= 8
        # Which mail was stored and not read yet, the backup shows as well.
        filed = InboundEmail.objects.exclude(outcome=InboundOutcome.STORED)
        assert Ticket.objects.count() == filed.count() >= 16
        for attachment in Attachment.objects.all():
            content = (data / "files" / str(attachment.file.name)).read_bytes()
            assert sha256(content).digest() == bytes(attachment.sha256)

        # Work goes on, and waits; ids that people have been told are not given out again.
        installation.manage("ingest_email", str(mails(tmp_path / "third", range(400, 404))))
        fresh = Ticket.objects.filter(pk__gt=highest)
        assert fresh.count() == 4
        eventually(lambda: sent()[MailState.QUEUED] >= 4, what="letters of the new installation")
        looks.waits_for_one()
        assert Counter(str(letter["Message-ID"]) for letter in mailbox.letters) == before

        # A person says go.
        waiting = sent()[MailState.QUEUED]
        installation.manage("outbox", "resume", "--yes")
        eventually(lambda: not sent()[MailState.QUEUED], what="what waited")
        looks.waits_for_one()
        after = Counter(str(letter["Message-ID"]) for letter in mailbox.letters)
        assert set(after.values()) == {1}, "sent twice"
        assert (after - before).total() == waiting
        doubtful = OutgoingEmail.objects.filter(state=MailState.UNCERTAIN)
        assert doubtful.count() == told.letters_in_doubt
        arrived = [mail for mail in doubtful if mail.message_id in after]
        assert 0 < len(arrived) < doubtful.count(), (
            "some had gone, and the installation cannot know"
        )
        installation.manage("selfcheck")
        for name, process in installation.running.items():
            assert process.poll() is None, f"{name} gave up\n{installation.log(name)}"


def _tried() -> int:
    return OutgoingEmail.objects.filter(attempts__gt=0, state=MailState.QUEUED).count()
