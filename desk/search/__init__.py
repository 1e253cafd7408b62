"""Finding tickets by words and operators."""
