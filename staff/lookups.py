"""``among``: like ``in``, for hundreds of values.

``in`` turns every value into a parameter of its own, three times over; here all of them are one.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.lookups import Lookup


@models.Field.register_lookup
class Among(Lookup):
    """Whether a column's value is one of a collection's: ``filter(ticket__pk__among=ids)``."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, parameters = self.process_lhs(compiler, connection)
        field = self.lhs.output_field
        kind = field.rel_db_type(connection).partition("(")[0]
        return f"{column} = ANY(%s::{kind}[])", (*parameters, list(self.rhs))
