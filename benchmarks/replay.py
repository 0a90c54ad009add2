"""The recorded reads of real runs, judged again one after the other: what comes of them, as a Markdown table.

    python benchmarks/replay.py FOLDER

FOLDER holds `<framework>/<run_id>/metrics.json` with `attempts` of any tool. Each attempt is taken for a complete read
of the run's window that we made ourselves: the run alone on its key, nothing recorded, the default policy.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from reconcile.attribution.attribute import attribute
from reconcile.minutes import spelled
from reconcile.providers.base import Scope
from reconcile.runs.edits import amend
from reconcile.runs.metrics import BLOCK, read_run
from reconcile.runs.run import Claim, Generation, Run, RunKey
from reconcile.runs.state import Observation, Policy
from reconcile.runs.validation import generation_of
from reconcile.usage import Bucket, Usage
from reconcile.verdict.amendment import amendments
from reconcile.verdict.settlement import settle

SCOPE = Scope("openai", ("key_replayed",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What became of a run: after each of its reads the status with its reasons, and the figure of the file."""

    key: RunKey
    theirs: str
    """The verdict of the tool that made the reads."""
    reads: tuple[Usage, ...]
    verdicts: tuple[str, ...]
    """As in `pending: first_read`."""
    figures: tuple[Usage, ...]

    @property
    def ours(self) -> str:
        return self.verdicts[-1]

    @property
    def too_soon(self) -> bool:
        """Whether a figure was called verified that a later read exceeds."""
        return any(
            verdict.startswith("verified") and any(later.rose_from(figure) for later in self.reads[position + 1 :])
            for position, (verdict, figure) in enumerate(zip(self.verdicts, self.figures, strict=True))
        )

    @property
    def lost(self) -> bool:
        """Whether a read was higher than the figure after it."""
        return any(
            read.rose_from(figure)
            for position, figure in enumerate(self.figures)
            for read in self.reads[: position + 1]
        )

    @property
    def sank(self) -> bool:
        """Whether a read was lower than one before it: a transient zero or a dip."""
        return any(before.rose_from(after) for before, after in zip(self.reads, self.reads[1:], strict=False))


def replays(folder: Path, policy: Policy) -> Iterator[Replay]:
    """Every run below the folder that has recorded reads."""
    for file in sorted(folder.glob("*/*/metrics.json")):
        value = json.loads(file.read_bytes())
        key = RunKey(file.parent.parent.name, file.parent.name)
        run = read_run(key, str(file), value, generation_of(value))
        if run.state and run.state.observations:
            yield replay(run, value[BLOCK].get("verification_status", ""), run.state.observations, policy)


def replay(
    run: Run, theirs: str, observations: Sequence[Observation], policy: Policy, recorded: dict[str, int] | None = None
) -> Replay:
    """The reads as passes would have made them: each is written into a file that the next one reads."""
    text = _file(run, recorded)
    verdicts, figures = [], []
    for observation in observations:
        value = json.loads(text)
        now = read_run(run.key, run.path, value, Generation.V2)
        claim = Claim(run.key, SCOPE, now.window, now.recorded)
        row = Bucket(now.window.start, observation.reported, *SCOPE.api_key_ids)
        attribution = attribute([claim], [row], [now.window.widened(60)]).by_run[run.key]
        verdict = settle(now, attribution, observation.at, policy).verdict
        text = amend(text, amendments(value, now, verdict, policy)) if verdict else text
        state = read_run(run.key, run.path, json.loads(text), Generation.V2).state
        verdicts.append(f"{state.status}: {', '.join(state.reasons)}" if state else "")
        figures.append(state.figure if state else Usage())
    return Replay(
        key=run.key,
        theirs=theirs,
        reads=tuple(observation.reported for observation in observations),
        verdicts=tuple(verdicts),
        figures=tuple(figures),
    )


def _file(run: Run, recorded: dict[str, int] | None) -> str:
    """The run's file before anybody read its usage."""
    value = {
        "run_id": run.key.run_id,
        "start_timestamp": spelled(run.started_at),
        "end_timestamp": spelled(run.ended_at),
        "steps": [],
        "aggregate_metrics": {"TOK_IN": 0, "TOK_OUT": 0},
    }
    return json.dumps(value | ({"recorded_usage": recorded} if recorded else {}), indent=2)


def table(found: Iterable[Replay]) -> str:
    """How our verdicts stand beside theirs."""
    found = list(found)
    theirs = [name for name, _ in Counter(each.theirs for each in found).most_common()]
    rows = Counter((each.ours, each.theirs) for each in found)
    ours = [name for name, _ in Counter(each.ours for each in found).most_common()]
    lines = [
        f"| our verdict after the last recorded read | {' | '.join(f'theirs: {name}' for name in theirs)} | all |",
        f"|{' --- |' * (len(theirs) + 2)}",
    ]
    for name in ours:
        counts = [rows[name, other] for other in theirs]
        lines.append(f"| `{name}` | {' | '.join(map(str, counts))} | {sum(counts)} |")
    facts = {
        "runs with recorded reads": len(found),
        "reads": sum(len(each.reads) for each in found),
        "runs whose reads sank in between": sum(each.sank for each in found),
        "runs with a read of zero": sum(any(read.is_zero for read in each.reads) for each in found),
        "figures lost to a lower read": sum(each.lost for each in found),
        "figures verified that a later read exceeds": sum(each.too_soon for each in found),
    }
    return "\n".join([*lines, "", *(f"- {name}: {count}" for name, count in facts.items())])


if __name__ == "__main__":
    print(table(replays(Path(sys.argv[1]), Policy())))  # noqa: T201
