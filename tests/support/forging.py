"""Single edits of what was committed: any value of the block, the figures, the steps, or of the evidence."""

import copy
import json

from reconcile.runs.metrics import AGGREGATES, BLOCK
from reconcile.runs.seal import STEP_FIGURES, digest, seal


def leaves(value, path=()):
    """Every place below `value`, containers included."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from leaves(item, (*path, name))


def places(value):
    """Every place of a run's file that reconciliation wrote."""
    yield from ((BLOCK, *path) for path in leaves(value[BLOCK]))
    yield from (("aggregate_metrics", name) for name in (*AGGREGATES, "AEI") if name in value["aggregate_metrics"])
    for position, step in enumerate(value["steps"]):
        yield from (("steps", position, name) for name in STEP_FIGURES if name in step)
    if "recorded_usage" in value:
        yield from (("recorded_usage", *path) for path in leaves(value["recorded_usage"]))
    if "verification_status" in value:
        yield ("verification_status",)
    yield (BLOCK,)


def forged(value, dice, paths):
    """The document with one of these places edited so that its value is another; and what was done."""
    while True:
        after = copy.deepcopy(value)
        path = dice.choice(paths)
        holder = after
        for name in path[:-1]:
            holder = holder[name]
        done = _edit(holder, path[-1], dice)
        if after != value:
            return after, f"{done} {'/'.join(map(str, path))}"


def _edit(holder, name, dice):
    item = holder[name]
    roll = dice.random()
    if roll < 0.15:
        del holder[name]
        return "removed"
    if isinstance(holder, list) and roll < 0.25:
        holder.insert(name, copy.deepcopy(item))
        return "doubled"
    if isinstance(holder, list) and roll < 0.35:
        other = dice.randrange(len(holder))
        holder[name], holder[other] = holder[other], holder[name]
        return "swapped"
    holder[name] = _another(item, dice)
    return "changed"


WORDS = (
    "verified", "warning", "failed", "pending", "stable", "log_matched", "no_api_calls", "calls_matched", "assumed",
    "calls_and_tokens_matched", "closed_key", "gpt-4o", "key_9", "0" * 64,
)  # fmt: skip


def _another(item, dice):
    if isinstance(item, bool):
        return not item
    if isinstance(item, int | float):
        return max(0, item + dice.choice([-1, 1, 60, 1000, -item, item]))
    if isinstance(item, str) and item.endswith("Z"):
        return item.replace(item[11:13], f"{(int(item[11:13]) + 1) % 24:02}", 1)
    if isinstance(item, str):
        return dice.choice([*WORDS, item + "x"])
    if item is None:
        return dice.choice([0, "x", False])
    return type(item)()


def resealed(value):
    """The file with the seal of a forger who knows how it is made."""
    value[BLOCK]["evidence"]["seal"] = seal(value)
    return value


def renamed(value, evidence):
    """The file that names this evidence, sealed over again."""
    value[BLOCK]["evidence"]["sha256"] = digest(evidence)
    return resealed(value)


def text(value):
    return (json.dumps(value, indent=2) + "\n").encode()
