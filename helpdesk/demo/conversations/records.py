"""About exports and proofs."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[int, Mapping[str, str]] = {
    1039: {
        "customer": """\
Guten Tag,

unser nächtlicher Export bleibt bei 40 % stehen und wird nicht fertig. Im Protokoll bewegt sich
seit Stunden nichts mehr. Wir brauchen die Datei für die Abrechnung.

Kundennummer STM-3302.

Mit freundlichen Grüßen
Jürgen Adler""",
        "reply": """\
Guten Tag Herr Adler,

danke für Ihre Nachricht. Damit ich den Auftrag auf unserer Seite finde: Wie lautet die Nummer
des Exportauftrags (exp_…), und was steht in der letzten Zeile des Protokolls?

Viele Grüße""",
        "details": """\
Gern. Es ist der Auftrag exp_770412, und das Protokoll endet so:

    $stamp INFO  chunk 402 of 1004 written
    $stamp2 ERROR chunk 403: lease lost, retry 12 of 12

Danach kommt nichts mehr. Hilft Ihnen das?

J. Adler""",
        "found": """\
Guten Tag Herr Adler,

das hilft sehr. Ich sehe den Auftrag: Er verliert beim Block 403 seine Sperre und gibt dann auf.
Ich stelle alles zusammen und hole die Kollegen dazu, denen der Exportdienst gehört. Einen neuen
Auftrag brauchen Sie nicht zu starten.

Viele Grüße""",
        "note": """\
Reproduced: exp_770412 and two of its neighbours die at the same chunk, "lease lost". A restart
from the console does not help. Details are complete; this is ready to go to Tier 2.""",
    },
    1036: {
        "customer": """\
Hello,

our auditor asks for a proof that our payment data, backups included, has stayed in the EU since
1 January. A signed statement or an extract from your storage audit log will do. Customer ID
NOR-4471. The auditor closes the file on Friday.

Signe Moe
Norvik Logistics""",
        "reply": """\
Hello Signe,

thank you. Your account is pinned to eu-central, and that has not changed since it was opened. For
the backups I need the extract from the storage audit log, which another team can make. I am asking
them for it.""",
        "tried": "Account is pinned to eu-central since 2023; the console shows nothing on backups.",
        "ask": "Please extract the backups' regions since 1 January for NOR-4471, signed.",
    },
    1023: {
        "customer": """\
Guten Tag,

in unserem Export exp_768120 sind alle Umlaute kaputt: aus „Müller“ wird „MÃ¼ller“. Das Protokoll
meldet

    WARN charset of column customer_name assumed latin-1

STM-3302. Unsere Buchhaltung kann die Datei so nicht einlesen.

Jürgen Adler""",
        "reply": """\
Guten Tag Herr Adler,

danke, das Beispiel ist eindeutig. Die Spalte customer_name wird beim Schreiben falsch umgewandelt.
Ich gebe das mit Ihrem Auftrag an die Kollegen weiter, denen der Exportdienst gehört.

Viele Grüße""",
        "tried": "Same file through the old exporter is right; the new one assumes latin-1 for one column.",
        "ask": "Please correct the column's charset and run exp_768120 again.",
        "first_step": "ein Testlauf Ihres Exports mit richtigem Zeichensatz",
        "headline": "Ursache gefunden",
        "update": """\
Der Exportdienst hielt eine Spalte für latin-1; die Korrektur ist geschrieben und läuft
gerade in der Prüfung.""",
        "next": "wir erstellen exp_768120 neu und schicken Ihnen die Datei",
        "outcome": "Column charset fixed in exporter 3.8.1; exp_768120 was run again and is right.",
        "resolved": "Der Export exp_768120 wurde neu erstellt und enthält alle Umlaute richtig",
        "cause": "eine Spalte, deren Zeichensatz der Exportdienst falsch annahm",
    },
    1019: {
        "customer": """\
Hello,

it is this time of the year again: attached to our vendor portal is a security questionnaire with
140 questions, mostly the same as last year. Could you fill it in by the end of the month?
PCH-1187.

Maya Ortiz
Pinecrest Health""",
        "reply": """\
Hello Maya,

with pleasure. I have last year's answers here; our security team renews the parts on encryption and
sub-processors and gives me theirs next week. You get the whole in time for your deadline.""",
        "note": "Asked security for the two chapters; they deliver after their own audit.",
        "snoozed": "Security's chapters on encryption and sub-processors should be here",
    },
}
