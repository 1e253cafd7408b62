"""The project itself as an app: it carries the commands that belong to no single app."""

import gc
from types import ModuleType

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class HelpdeskConfig(AppConfig):
    name = "helpdesk"
    verbose_name = "Helpdesk"

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        """Begin to load everything: this is the first of all apps.

        What is loaded now stays as long as the process. To look over it for cyclic garbage, again
        and again while it grows, took a sixth of every start.
        """
        gc.disable()
        super().__init__(app_name, app_module)

    def ready(self) -> None:
        """Make our Celery app the current one, for the tasks of all apps.

        Here and not in the package, which must be importable before the settings are read: they
        need to know where the embedded services are.
        """
        from helpdesk import celery  # noqa: F401


class ConfigurationConfig(admin_apps.AdminConfig):
    """Django's admin, with our site."""

    # Named in the settings; never taken for the config of this package.
    default = False
    default_site = "helpdesk.configuration.ConfigurationSite"

    def ready(self) -> None:
        """Load what is configured, which every app says: what comes from now on may be garbage."""
        super().ready()
        gc.freeze()
        gc.enable()
