"""The self-check: every promise of ``docs/guarantees.md`` that can be counted, counted.

A module for each station, a function or a query for each promise; it reads, and writes nothing.
"""
