"""The project: settings, addresses, processes and the timetable."""

__version__ = "0.1.0"
