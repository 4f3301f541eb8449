"""Compare arms over several products, draws of the photographs and seeds (`make evidence`).

Every run trains one detector on one draw of a product's training photographs, and is tested on the product's test
images. Runs that are done are kept in reports/evidence/runs/, so a killed study goes on where it was, on another
machine too; one whose photographs, settings or composing code have changed is made again. What follows from all of them
goes to reports/evidence/study.json.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import as_completed

from stages import command, files, paths, progress, settings
from stages.evidence import study_answer, study_runs, study_training
from stages.evidence.roles import OLD
from stages.evidence.study_runs import Run
from stages.settings import NONE, Settings
from stages.training import parallel


def main() -> None:
    params = settings.load()
    there = study_runs.photographs(params)
    every = {product: len(of.images) for product, of in there.items()}
    wanted = list(study_runs.plan(params, every))
    marks = {run: study_runs.mark(run, there[run.product], params) for run in wanted}
    rows = {product: study_runs.read(product) for product in there}
    todo = [run for run in wanted if rows[run.product].get(run.name, {}).get("mark") != marks[run]]
    print(
        f"{len(wanted)} runs of {params.now.study.steps} steps each, {len(wanted) - len(todo)} of them done", flush=True
    )
    warm = {run.product for run in todo if _warm(run, params)}
    with (
        files.locked(study_training.WORK / "lock"),
        parallel.trainings(len(todo) + len(warm) or 1) as pool,
        progress.bar(total=len(todo) + len(warm), what="make evidence", unit="run") as bar,
    ):
        begun = [pool.submit(study_training.begin, product, params) for product in sorted(warm)]
        for part in phases(todo, params):
            jobs = begun + [pool.submit(study_training.execute, run, params) for run in part]
            for job in as_completed(jobs):
                row = job.result()
                made = next((run for run in part if (run.product, run.name) == (row["product"], row["name"])), None)
                study_runs.keep(row["product"], rows[row["product"]], row | ({"mark": marks[made]} if made else {}))
                bar.update()
            begun = []
    names = {run.name for run in wanted} | {OLD}
    kept = {product: [row for name, row in of.items() if name in names] for product, of in rows.items()}
    found = files.rounded(
        study_answer.summary(kept, {product: len(of.images) for product, of in there.items()}, params)
    )
    files.write_json(study_answer.ANSWER, found)
    files.write_json(paths.METRICS / "curve.json", study_answer.headline(found))
    shutil.rmtree(study_training.WORK)


def phases(todo: list[Run], params: Settings) -> Iterator[list[Run]]:
    """Yield the runs draw by draw; those that go on from the known products' detector wait a phase for it."""
    last = max((run.draw for run in todo), default=-1)
    for draw in range(last + 2):
        part = [run for run in todo if run.draw == draw - _warm(run, params)]
        yield sorted(part, key=lambda run: params.arms[run.arm].ratio)  # first what no other composer would change


def _warm(run: Run, params: Settings) -> bool:
    return params.arms[run.arm].known != NONE


if __name__ == "__main__":
    command.run(main, __doc__)
