"""The project itself as an app: it carries the commands that belong to no single app."""

from django.apps import AppConfig


class HelpdeskConfig(AppConfig):
    name = "helpdesk"
    verbose_name = "Helpdesk"

    def ready(self) -> None:
        """Make our Celery app the current one, for the tasks of all apps.

        Here and not in the package, which must be importable before the settings are read: they
        need to know where the embedded services are.
        """
        from helpdesk import celery  # noqa: F401
