"""What a process that works through batches does before the first of them."""

from __future__ import annotations

import gc
from importlib import import_module

from django.conf import settings


def begin() -> None:
    """Load what a batch needs sooner or later, and have it looked over no more.

    Whoever names a page first loads every page there is: half a second, for which the rows of a
    first batch would stay locked. What is there by then stays as long as the process, and going
    over all of it again for cyclic garbage took a tenth of the engine's time.
    """
    import_module(settings.ROOT_URLCONF)
    gc.collect()
    gc.freeze()
