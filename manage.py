#!/usr/bin/env python
"""Runs a management command, with the embedded PostgreSQL and Redis where none are configured."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    from helpdesk import embedded

    with embedded.provided(sys.argv):
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line

        try:
            execute_from_command_line(sys.argv)
        except ImproperlyConfigured as error:
            # A sentence that says what to set; where it was found out helps nobody who sets it.
            if "--traceback" in sys.argv:
                raise
            sys.exit(str(error))


if __name__ == "__main__":
    main()
