"""The demo company: Brightquay, its people and customers, and tickets at every station.

What exists stands in ``calendars``, ``people``, ``customers``, ``categories`` and ``policy``;
what happened to the tickets is told by ``arriving``, ``escalated`` and ``settled``, in words
from ``conversations``, and played by ``director`` through the stations themselves.
"""
