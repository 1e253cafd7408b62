"""Every page of the journey, wide and narrow, light and dark: open to all, and nothing cut off."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from desk.selfcheck import keeping
from escalation.models import Escalation
from helpdesk.demo import company
from notifications.identity import status_token
from notifications.models import OutgoingEmail
from tests.browser.conftest import Watched
from tests.browser.soundness import faults, follow
from tests.mail import mail
from tests.pages.acting import paused_by_a_restore
from tests.processes import Installation
from tickets.inbound.ingest import ingest
from tickets.models import Ticket
from training import defaults, drafting, versions
from training.frontmatter import with_front
from training.models import Attempt, ProcedureVersion

pytestmark = [pytest.mark.slow, pytest.mark.browser]

OF_AGENTS = (
    "/desk/",
    "/desk/?view=all_open&priority=1",
    "/desk/?q=nothing+like+it",
    "/tickets/HD-1042/",
    "/tickets/HD-1040/",
    "/tickets/HD-1038/",
    "/tickets/HD-1036/",
    "/tickets/HD-1032/",
    "/tickets/HD-1020/",
    "/tickets/HD-1039/escalate/",
    "/tickets/new/",
    "/search/",
    "/search/?q=invoices+-status:closed",
    "/search/?q=statsu:open",
    "/search/?q=nothing+like+it",
    "/mail/",
    "/mail/held/",
    "/settings/",
    "/settings/tokens/",
    "/accounts/password/change/",
    "/nothing-here/",
)
TRAINING = "/training/ticket-escalation/"
OF_LEARNERS = (
    "/training/",
    TRAINING,
    f"{TRAINING}changes/?since=2",
    f"{TRAINING}lesson/",
    f"{TRAINING}lesson/?step=gather",
    f"{TRAINING}check/",
    f"{TRAINING}record/",
)
OF_LEADS = (
    "/training/procedures/",
    "/training/procedures/new/",
    f"{TRAINING}versions/",
    f"{TRAINING}versions/4/",
    f"{TRAINING}versions/4/edit/",
    f"{TRAINING}versions/4/lesson/",
    f"{TRAINING}changes/?since=1",
    f"{TRAINING}questions/",
    f"{TRAINING}people/",
    "/training/people/",
    "/training/people/?name=nobody",
)
OF_ANYBODY = (
    "/accounts/login/",
    "/accounts/password/reset/",
    "/new/",
    "/new/?category=other",
    "/new/sent/",
    "/portal/sign-in/",
    "/portal/sign-in/sent/",
)


def next_version() -> None:
    """The procedure's next version, as it is being written."""
    now = timezone.now()
    newest = ProcedureVersion.objects.latest("number")
    texts = {
        language: with_front(text, {"changed": "[notify]"}).replace("- ", "- At once: ", 5)
        for language, text in drafting.next_texts(newest, today=now.date()).items()
    }
    assert versions.write(texts=texts, by=None, now=now) is not None


def test_no_page_keeps_anybody_out_on_any_screen(
    installation: Installation, watched: Watched
) -> None:
    defaults.load_defaults(now=timezone.now())
    company.load(now=timezone.now(), past=0)
    next_version()
    ingest(raw=mail("two_from_fields"), source="test", now=timezone.now())
    installation.start("web")
    passwords = dict(
        line.split()[2:4]
        for line in company.sign_ins(now=timezone.now())
        if line.startswith("sign-in")
    )
    wrong: list[str] = []

    def look(page: Page, address: str = "") -> None:
        if address:
            page.goto(address)
        wrong.extend(f"{address or page.url}: {fault}" for fault in faults(page))

    def sign_in(name: str) -> Page:
        email = f"{name}@brightquay.example"
        return watched.sign_in(email, passwords[email])

    anna = sign_in("anna")
    for address in (*OF_AGENTS, *OF_LEARNERS):
        look(anna, address)
    look(anna, f"/mail/{OutgoingEmail.objects.latest('pk').pk}/")
    for page in ("/settings/tokens/", "/settings/tokens/?before=1"):
        anna.goto(page)
        unfold(anna)
        look(anna)
    anna.goto("/settings/tokens/")
    anna.get_by_label("Name").fill("Nightly export")
    anna.get_by_label("Read tickets").check()
    follow(anna.get_by_role("button", name="Make the token"))
    look(anna)
    follow(anna.get_by_role("link", name="I have copied it"))
    look(anna)
    follow(anna.get_by_role("link", name="Revoke"))
    look(anna)
    anna.goto("/tickets/HD-1042/")
    unfold(anna)
    look(anna)
    anna.keyboard.press("?")
    look(anna)
    priya = sign_in("priya")
    look(priya, "/offers/")
    offer = Escalation.objects.get(ticket=1038)
    priya.goto(f"/tickets/{offer.ticket.reference}/")
    look(priya)
    marco = sign_in("marco")
    look(marco, "/escalations/")
    unfold(marco)
    look(marco)

    for address in OF_LEADS:
        marco.goto(address)
        unfold(marco)
        look(marco)
    answered = Attempt.objects.filter(user__email__startswith="ben@").earliest("pk")
    person = f"/training/people/{answered.user_id}/"
    look(marco, person)
    look(marco, f"{person}attempts/{answered.pk}/")
    look(marco, "/settings/webhooks/")
    marco.goto("/settings/webhooks/new/?preset=slack")
    unfold(marco)
    look(marco)
    # Nobody is sent to the machine it runs on: the page says so at its field.
    marco.get_by_label("Name").fill("Slack")
    marco.get_by_label("Address").fill("https://127.0.0.1/hook")
    follow(marco.get_by_role("button", name="Make the webhook"))
    look(marco)
    marco.goto("/settings/webhooks/new/")
    marco.get_by_label("Name").fill("Billing")
    # Nobody's, but outside; nobody is asked.
    marco.get_by_label("Address").fill("https://93.184.216.34/hook")
    follow(marco.get_by_role("button", name="Make the webhook"))
    unfold(marco)
    look(marco)
    follow(marco.get_by_role("button", name="Send a test message"))
    look(marco)
    follow(marco.get_by_role("link", name="Billing"))
    look(marco)
    look(marco, "/settings/webhooks/")
    late = Ticket.objects.filter(pk__in=(1040, 1042))
    late.update(review_at=timezone.now() - timedelta(hours=1))
    keeping.make_due(clock=timezone.now)
    look(marco, "/settings/selfcheck/")
    follow(marco.get_by_role("button", name="Check now"))
    look(marco)
    look(marco, "/mail/pause/")
    paused_by_a_restore(now=timezone.now())
    for address in ("/mail/pause/", "/desk/", f"/mail/{OutgoingEmail.objects.latest('pk').pk}/"):
        look(marco, address)
    marco.goto("/mail/pause/")
    follow(marco.get_by_role("button", name="Let it go"))
    look(marco)

    dana = watched.window()
    for address in OF_ANYBODY:
        look(dana, address)
    look(dana, f"/s/{status_token(1042)}/")
    link = next(
        line for line in company.sign_ins(now=timezone.now()) if line.startswith("portal")
    ).split()[1]
    look(dana, link[link.index("/portal/") :])
    follow(dana.get_by_role("button", name="Sign in"))
    look(dana)
    look(dana, "/portal/HD-1042/")
    # What is not there and what is refused are asked for on purpose.
    meant = ("/nothing-here/", "status of 422")
    watched.faults[:] = [each for each in watched.faults if not any(word in each for word in meant)]
    assert wrong == [], "\n".join(wrong)


def unfold(page: Page) -> None:
    """Open whatever is folded, and what stands behind links of this page."""
    links = page.locator("main a[hx-get]:not([hx-target])")
    while links.count():
        link = links.first.element_handle()
        assert link is not None
        link.evaluate("link => link.click()")
        link.wait_for_element_state("hidden")
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
