"""How long each stage took in a run, read from the log that `make repro` leaves: what the time left is told by.

The clock's seconds, with as many stages at a time as the run had; of a stage that was tried several times, those of the
last try. What the run did not take keeps what an earlier one took.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.conditions import record
from flows import run_progress
from stages import command, files
from stages.problem import Problem

LINE = re.compile(
    r"(?P<time>[\d:.]+) \| INFO +\| Task run '(?P<name>[^']+)' - (?P<said>Running stage|Finished in state Completed)"
)


def main(log: str = str(run_progress.LOG)) -> None:
    if not Path(log).is_file():
        raise Problem(f"{log} is not there; `make repro` leaves it")
    before = files.read_json(run_progress.SECONDS)["figures"] if run_progress.SECONDS.exists() else {}
    record("stage_seconds", dict(sorted((before | read(Path(log).read_text())).items())), ())


def read(log: str) -> dict[str, float]:
    """Return the seconds between beginning and end of each stage that came to its end."""
    begun, seconds = {}, {}
    for line in LINE.finditer(log):
        at = datetime.strptime(line["time"], "%H:%M:%S.%f")
        if line["said"] == "Running stage":
            begun[line["name"]] = at
        elif line["name"] in begun:
            seconds[line["name"]] = ((at - begun[line["name"]]) % timedelta(days=1)).total_seconds()
    return seconds


if __name__ == "__main__":
    command.run(main, __doc__, log="what a run has left")
