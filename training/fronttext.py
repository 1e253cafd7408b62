"""A few lines of a course's front matter written otherwise, and all the rest left as it was."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from staff.strictyaml import StrictLoader


def with_front(text: str, values: Mapping[str, str]) -> str:
    """The text with these values, as they stand in YAML, in place of its own.

    What it does not say yet is said at the end of its front matter. Raises ``ValueError`` where there
    is no front matter to write in.
    """
    lines = text.splitlines(keepends=True)
    marks = [place for place, line in enumerate(lines) if line.rstrip() == "---"]
    if len(marks) < 2 or marks[0] != 0:
        raise ValueError("There is no front matter.")
    end = marks[1]
    opening, front, rest = lines[0], "".join(lines[1:end]), "".join(lines[end:])
    try:
        root = StrictLoader(front).get_single_node()
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError("The front matter is not YAML.") from error
    if not isinstance(root, yaml.MappingNode):
        raise ValueError("The front matter is no mapping.")
    missing = dict(values)
    for key, value in reversed(root.value):
        if not isinstance(key, yaml.ScalarNode) or key.value not in missing:
            continue
        first, last = value.start_mark.index, value.end_mark.index
        # A text of several lines ends with the line after it.
        after = "\n" if front[first:last].endswith("\n") else ""
        front = f"{front[:first]}{missing.pop(key.value)}{after}{front[last:]}"
    front += "".join(f"{key}: {value}\n" for key, value in missing.items())
    return f"{opening}{front}{rest}"
