"""What is wrong with a search, in words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from desk.search.query import Problem, Wrong


def sentence(problem: Problem) -> str:
    """Say what is wrong and what would be right."""
    given = {
        "name": problem.name,
        "value": problem.value,
        "instead": ", ".join(problem.instead),
    }
    match problem.wrong:
        case Wrong.UNKNOWN_OPERATOR:
            said = _("There is no %(name)s:, did you mean %(instead)s:?")
        case Wrong.NO_VALUE:
            said = _("%(name)s: needs a value right behind it, without a blank.")
        case Wrong.UNKNOWN_VALUE if problem.instead:
            said = _("%(name)s: does not know “%(value)s”. There is: %(instead)s.")
        case Wrong.UNKNOWN_VALUE:
            said = _("%(name)s: does not know “%(value)s”.")
        case Wrong.NO_DATE:
            said = _(
                "%(name)s: takes a day such as %(instead)s, today or yesterday, not “%(value)s”."
            )
        case Wrong.TOO_LONG:
            said = _("That is too long to search for: at most %(value)s characters.")
        case Wrong.TOO_MANY:
            said = _("At most %(value)s words and operators can be searched for at once.")
        case Wrong.NO_WORDS:
            said = _("There is no letter or digit in “%(value)s” to search for.")
        case Wrong.BEGINNING_TOO_SHORT:
            said = _("Before the * of “%(value)s*” there must be at least three letters or digits.")
        case Wrong.TOO_BROAD:
            said = _("That took too long. Add a word or an operator that says more.")
    return said % given
