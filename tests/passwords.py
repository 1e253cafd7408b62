"""Passwords that cost tests nothing, and that an installation's processes can check none the less."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class Once(PBKDF2PasswordHasher):
    """The usual hasher with one turn instead of a million; every hash says how many it took."""

    iterations = 1
