"""Mail in: from the bytes somebody sent us to a ticket or a message.

What meets hostile bytes (``parsing``, ``decoding``, ``quoting``, ``sanitising``) runs in a child
process with a deadline and imports no Django; neither do ``sender``, ``automatic`` and
``suspicion``, which judge what was read. ``ingest`` brings them together.
"""
