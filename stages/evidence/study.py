"""Compare arms over several products, draws of the photographs and seeds (`make evidence`).

Every run trains one detector on one draw of a product's training photographs, and is tested on the product's test
images. Runs that are done are kept in reports/study_runs/, so a killed study goes on where it was, on another
machine too; one whose photographs, settings or composing code have changed is made again. What follows from those of
today's settings, or from the earlier ones while there are no others, goes to reports/evidence/study.json.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import as_completed

from stages import command, files, paths, progress, settings
from stages.dataset import coco
from stages.evidence import held_out, study_answer, study_runs, study_training
from stages.evidence.arm_roles import OLD
from stages.evidence.study_runs import Row, Run
from stages.problem import Problem
from stages.settings import NONE, Settings
from stages.training import parallel

MOST = 10_000


def main(most: int = MOST) -> None:
    if most < 0:
        raise Problem(f"--most {most}: no fewer than none")
    params = settings.load()
    there = study_runs.photographs(params)
    for product in there:
        held_out.needed([product], params)
    every = {product: len(of.images) for product, of in there.items()}
    known = len(coco.grouped(coco.read(paths.ANNOTATIONS, masks=False), params.dataset.groups)) > 1
    wanted = list(study_runs.plan(params, every, known))
    marks = {(run.product, run.name): study_runs.mark(run, there[run.product], params) for run in wanted}
    rows = {product: study_runs.read(product, params.scale) for product in there}
    todo = [run for run in wanted if rows[run.product].get(run.name, {}).get("mark") != marks[run.product, run.name]]
    done = len(wanted) - len(todo)
    print(f"{len(wanted)} runs of {params.now.study.steps} steps each, {done} of them done", flush=True)
    left, todo = todo[most:], todo[:most]
    any_new = done + len(todo) > 0
    if old := sum(run.name in rows[run.product] for run in left):
        counted = "left out" if any_new else "counted as they are"
        print(f"{old} others were made before something changed, and are {counted}", flush=True)
    with files.locked(study_training.WORK / "lock"):
        for row in made(todo, marks, params):
            if "problem" in row:
                print(f"{row['product']} {row['name']} is left out: {row['problem']}", flush=True)
            else:
                study_runs.keep(row["product"], params.scale, rows[row["product"]], row)
    marks |= {(product, OLD): study_runs.others(product, params) for product in there}
    kept = {
        product: [
            row for name, row in of.items()
            if (product, name) in marks and (row.get("mark") == marks[product, name] or not any_new)
        ]
        for product, of in rows.items()
    }  # fmt: skip
    found = files.rounded(study_answer.summary(kept, every, params))
    files.write_json(paths.STUDY, found)
    files.write_json(paths.METRICS / "curve.json", study_answer.headline(found))
    if not left:  # else what others go on from is trained once
        shutil.rmtree(study_training.WORK)


def made(todo: list[Run], marks: dict[tuple[str, str], str], params: Settings) -> Iterator[Row]:
    """Train and test what is to be done, as many at a time as the machine allows; yield the rows as they come."""
    warm = {run.product for run in todo if _warm(run, params)}
    for product in sorted({run.product for run in todo if params.others(params.arms[run.arm]) != NONE}):
        study_training.gather(product, params)
    with (
        parallel.trainings(len(todo) + len(warm) or 1) as pool,
        progress.bar(total=len(todo) + len(warm), what="make evidence", unit="run") as bar,
    ):
        jobs = [pool.submit(study_training.begin, product, params) for product in sorted(warm)]
        for part in phases(todo, params):
            jobs += [pool.submit(study_training.execute, run, marks[run.product, run.name], params) for run in part]
            for job in as_completed(jobs):
                yield job.result()
                bar.update()
            jobs = []


def phases(todo: list[Run], params: Settings) -> Iterator[list[Run]]:
    """Yield the runs part by part, as they are planned; those that go on from the known products' detector
    wait a part for it."""
    last = max((study_runs.part(run, params) for run in todo), default=-1)
    for number in range(last + 2):
        part = [run for run in todo if study_runs.part(run, params) == number - _warm(run, params)]
        yield sorted(part, key=lambda run: params.arms[run.arm].ratio)  # first what no other composer would change


def _warm(run: Run, params: Settings) -> bool:
    return params.arms[run.arm].known != NONE


if __name__ == "__main__":
    command.run(main, __doc__, most="runs to train now; 0: say anew what follows from those that are there")
