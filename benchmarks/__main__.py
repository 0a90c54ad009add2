"""Every benchmark in turn: `python -m benchmarks [FOLDER]`. What they print stands in docs/proof.md.

FOLDER holds recorded runs as `<framework>/<run_id>/metrics.json`; without one, files made here are used. What takes
longest, the worlds of truth.py, is kept block by block in `.truth.ndjson` and goes on from there when started again.
"""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
OPTIONS = {"truth.py": ("--state", str(HERE.parent / ".truth.ndjson"))}


def main() -> None:
    folder = sys.argv[1:2]
    sys.stdout.write(f"{platform.platform()}, Python {platform.python_version()}\n")
    for script in sorted(path for path in HERE.glob("*.py") if path.name != Path(__file__).name):
        if script.name == "replay.py" and not folder:
            continue  # there is nothing to replay without recorded runs
        sys.stdout.write(f"\n## {script.name}\n\n")
        sys.stdout.flush()
        options = OPTIONS.get(script.name, ())
        subprocess.run([sys.executable, script, *options, *folder], check=True)  # noqa: S603  its own scripts


main()
