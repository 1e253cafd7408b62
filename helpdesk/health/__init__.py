"""How the helpdesk is: ``/healthz``, ``/readyz`` and ``/metrics``, for programs that watch it.

What they say is English whoever asks: it is read by programs, and looked up in the runbook.
"""
