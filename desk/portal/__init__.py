"""The customer's doors: the web form at ``/new/`` and the portal."""
