"""How long validating 20,000 files takes, next to just reading them and parsing their JSON.

    python benchmarks/validate.py [FOLDER]

FOLDER holds `<framework>/<run_id>/metrics.json`; without one, the valid cases of the tests are used. The files are read
over and over until 20,000 reads are made, each of three rounds both ways; the best round counts.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from reconcile import schemas
from reconcile.runs.run import RunKey
from reconcile.runs.validation import Checker, Document

READS = 20_000
ROUNDS = 3
CASES = Path(__file__).parent.parent / "tests" / "cases" / "metrics" / "valid"
CASES_RUN = "example-run"

Sample = tuple[Path, RunKey]


def main() -> None:
    samples = files_in(Path(sys.argv[1])) if len(sys.argv) > 1 else cases()
    chosen = list(itertools.islice(itertools.cycle(samples), READS))
    checker = Checker(schemas.load("metrics-v1"), schemas.load("metrics-v2"))

    def parsed(path: Path, _: RunKey) -> None:
        json.loads(path.read_bytes())

    def validated(path: Path, run: RunKey) -> None:
        if not isinstance(checker.check(str(path), run, path.read_bytes()), Document):
            raise SystemExit(f"{path} is not valid")

    plain, whole = zip(*((seconds(parsed, chosen), seconds(validated, chosen)) for _ in range(ROUNDS)), strict=True)
    size = sum(path.stat().st_size for path, _ in samples) / len(samples)
    sys.stdout.write(
        f"{READS} reads of {len(samples)} files, {size:,.0f} bytes on average\n"
        f"read and parse     {min(plain):6.2f} s\n"
        f"read and validate  {min(whole):6.2f} s\n"
        f"ratio              {min(whole) / min(plain):6.2f}\n"
    )


def files_in(folder: Path) -> list[Sample]:
    return [(path, RunKey(path.parts[-3], path.parts[-2])) for path in sorted(folder.glob("*/*/metrics.json"))]


def cases() -> list[Sample]:
    return [(path, RunKey("cases", CASES_RUN)) for path in sorted(CASES.glob("*.json"))]


def seconds(act: Callable[[Path, RunKey], None], samples: list[Sample]) -> float:
    start = time.perf_counter()
    for path, run in samples:
        act(path, run)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
