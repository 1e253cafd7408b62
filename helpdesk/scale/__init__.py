"""Many synthetic tickets, for measuring: a few lives are played through the real stations and the
real engine, and cast as often as it takes.

``rehearsal`` plays lives (``unfinished``, ``finished``) on a ``stage`` and takes it all back,
``moulds`` makes of the rows what can be cast, ``casting`` says which of them becomes which ticket
and when, ``loading`` copies them in.
"""
