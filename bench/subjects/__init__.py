"""What is measured: one module for each subject, with ``measure(desk) -> Iterator[Figure]``."""
