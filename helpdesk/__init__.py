"""The project: settings, addresses, processes and the timetable."""

from helpdesk.celery import app as celery_app

__all__ = ["celery_app"]
