from django.core.management.commands import makemessages


class Command(makemessages.Command):
    # A guess from a similar sentence reads like a translation, and is none.
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]
