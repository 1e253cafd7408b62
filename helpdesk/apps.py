"""The project itself as an app: it carries the commands that belong to no single app."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class HelpdeskConfig(AppConfig):
    name = "helpdesk"
    verbose_name = "Helpdesk"

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
