#!/usr/bin/env python3
"""From a new ticket to the end of its escalation, through the API; needs nothing but Python.

    HELPDESK=https://helpdesk.example.com \
    TOKEN=hd_…  SPECIALIST=hd_… \
    python3 escalate.py

TOKEN is an agent's, SPECIALIST that of somebody in the team the category's tickets are escalated
to; each with the scopes tickets:read, tickets:write, escalations:read and escalations:write.
"""

import json
import os
import sys
import uuid
from urllib.error import HTTPError
from urllib.request import Request, urlopen

HELPDESK = os.environ["HELPDESK"].rstrip("/")


class Refused(Exception):
    """The desk did not do it; the problem says why."""

    def __init__(self, status, problem):
        super().__init__(f"{status} {problem['title']} {problem['detail']}")
        self.status = status
        self.problem = problem


class Desk:
    """The API as one token sees it."""

    def __init__(self, token):
        self.token = token

    def ask(self, method, path, body=None):
        request = Request(
            f"{HELPDESK}/api/v1{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        if method != "GET":
            # Sent again after a broken connection, it would still be done once.
            request.add_header("Idempotency-Key", str(uuid.uuid4()))
        try:
            with urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except HTTPError as error:
            raise Refused(error.code, json.load(error)) from None

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, **body):
        return self.ask("POST", path, body)


def main():
    agent, specialist = Desk(os.environ["TOKEN"]), Desk(os.environ["SPECIALIST"])

    ticket = agent.post(
        "/tickets/",
        requester={"email": "dana@norvik.example", "name": "Dana Reyes"},
        subject="POST /v2/invoices returns 502",
        text="Every call fails since 09:10 UTC.",
        category="api",
    )["reference"]
    print(f"{ticket} is open.")

    asked = {"tried": "Repeated the call: 502.", "ask": "Why does the gateway refuse it?"}
    try:
        escalation = agent.post(f"/tickets/{ticket}/escalations/", **asked)
    except Refused as refused:
        # The gate: something that the category requires is not there yet.
        if "missing" not in refused.problem:
            raise
        print(f"Still missing: {', '.join(refused.problem['missing'])}.")
        for key in refused.problem["missing"]:
            agent.ask("PUT", f"/tickets/{ticket}/details/{key}/", {"value": "key_4f2a91"})
        escalation = agent.post(f"/tickets/{ticket}/escalations/", **asked)
    print(f"Escalated to {escalation['current']['to_team']['name']}.")

    address = f"/escalations/{escalation['id']}"
    accepted = specialist.post(f"{address}/accept/", first_step="tracing a failed call")
    print(f"{accepted['owner']['name']} has accepted it.")

    [promise] = agent.get(f"/tickets/{ticket}/promises/?state=open")["results"]
    print(f"The customer was told to expect word by {promise['due_at']}.")

    explanation = agent.get(f"/tickets/{ticket}/explanation/")
    for coming in explanation["coming"]:
        print(f"  {coming['at']}  {coming['what']}  {coming['who']}")

    resolved = specialist.post(
        f"{address}/resolve/", outcome="The gateway's limit is raised.", cause="A low limit"
    )
    print(f"The escalation is {resolved['state']}: {resolved['outcome']}")

    for letter in agent.get(f"/tickets/{ticket}/deliveries/")["results"]:
        print(f"  {letter['kind']} to {letter['to']}: {letter['state']}")


if __name__ == "__main__":
    try:
        main()
    except Refused as refused:
        sys.exit(str(refused))
