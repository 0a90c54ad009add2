"""Changes to the structure of a page that a client must notice, or be right in spite of."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import strategies as st

OTHERS: dict[type, tuple[Any, ...]] = {
    dict: (None, True, 1.5, "7", []),
    list: (None, True, 1.5, "7", {}),
    str: (None, False, 2, 1.5, [], {}),
    bool: (None, 1, "true", [], {}),
    int: (None, True, 1.5, "7", [], {}),
    float: (None, True, "x", [], {}),
    type(None): (True, 7, 1.5, [], {}),
}
"""What a value can become that is of another type than it was."""


@st.composite
def mutations(draw: st.DrawFn) -> Callable[[dict[str, Any]], object]:
    """A change to the structure of an answer at a random place: something is lost, renamed, repeated or retyped."""
    seed = draw(st.integers(0, 2**32))  # the dice are thrown in the server's thread, where nothing can be drawn

    def mutate(page: dict[str, Any]) -> None:
        choose = Random(seed)  # noqa: S311 (a test that can be repeated)
        place: Any = choose.choice(
            [page, page["data"], *page["data"], *(r for b in page["data"] for r in b["results"])]
        )
        if place is page["data"]:
            action = choose.choice([place.pop, lambda: place.append(place[0]), lambda: choose.shuffle(place)])
            action()
            return
        name = choose.choice(sorted(place))
        value = place.pop(name)
        action = choose.choice(["lose", "rename", "retype"])
        if action == "rename":
            place[name.upper()] = value
        elif action == "retype":
            place[name] = choose.choice(OTHERS[type(value)])

    return mutate
