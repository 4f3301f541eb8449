"""Write into dvc.yaml what follows from elsewhere (`make deps`): which modules each stage runs, as its code imports
them, and the GANs that are plotted together, as params.yaml names them.

DVC runs a stage again when a file that it depends on has changed, and code is one of these; and it has no `foreach` for
plots. Nobody writes these lists by hand; everything else in dvc.yaml stays as it is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path
from typing import get_args, get_type_hints

from stages import command, files, paths, settings
from stages.schema import Composition

PIPELINE = Path("dvc.yaml")
# Modules that only carry things about: a new setting must not make a week of training stale.
CARRIERS = ("settings", "schema", "setting_errors", "files", "command", "problem", "progress", "paths", "left_out")
_STAGE = re.compile(r"^  (\w+):$")
_COMMAND = re.compile(r"^\s+cmd: python -m (\S+)")
_DEPS = re.compile(r"^(\s+)deps:$")
_CODE = re.compile(r"^\s+- stages/")
_PLOTTED = re.compile(rf"(?:^( +){paths.TIMING}/gan/\w+\.csv: (\w+)\n)+", re.M)


def main() -> None:
    text = PIPELINE.read_text()
    fresh = plotted(written(text, Path()), settings.raw()["experiments"])
    if fresh == text:
        print(f"{PIPELINE}: every stage's code is as it is imported, every GAN is plotted")
        return
    files.write(PIPELINE, fresh)
    print(f"{PIPELINE}: written anew; `git diff {PIPELINE}` shows which stages run other code now")


def plotted(text: str, experiments: Iterable[str]) -> str:
    """Return dvc.yaml's text in which every plot of several GANs shows these experiments."""
    names = list(experiments)
    return _PLOTTED.sub(
        lambda found: "".join(f"{found[1]}{paths.TIMING}/gan/{name}.csv: {found[2]}\n" for name in names), text
    )


def written(text: str, root: Path) -> str:
    """Return dvc.yaml's text with every stage's list of code as the modules under `root` import it."""
    made, code = [], []
    for line in text.split("\n"):
        if _STAGE.match(line):
            code = []
        if found := _COMMAND.match(line):
            code = of_command(found[1], root)
        if not _CODE.match(line):
            made.append(line)
        if found := _DEPS.match(line):
            made += [f"{found[1]}- {name}" for name in code]
    return "\n".join(made)


def of_command(module: str, root: Path) -> list[str]:
    """Return the files that `python -m <module>` runs, in order.

    A composition's module is named by its key `how`: a stage of DVC has one list for all of these, in which that module
    alone differs.
    """
    if not module.endswith(".${item.how}"):
        return sorted(imported(root / f"{module.replace('.', '/')}.py", root))
    room = module.removesuffix(".${item.how}").replace(".", "/")
    each = {f"{room}/{how}.py" for how in get_args(get_type_hints(Composition)["how"])}
    shared = set().union(*(imported(root / name, root) for name in each)) - each
    return sorted([*shared, f"{room}/${{item.how}}.py"])


def modules(text: str) -> list[str]:
    """Return the modules that dvc.yaml's stages start, in order."""
    started = [found[1] for line in text.split("\n") if (found := _COMMAND.match(line))]
    hows = get_args(get_type_hints(Composition)["how"])
    return sorted({name.replace("${item.how}", how) for name in started for how in hows})


def imported(module: Path, root: Path) -> set[str]:
    """Return the files of stages/ that a module imports, wherever in it, and those that they import, and itself."""
    found: set[str] = set()
    todo = [module]
    while todo:
        path = todo.pop()
        name = path.relative_to(root).as_posix()
        if name in found or path.stem in CARRIERS:
            continue
        found.add(name)
        if path.name != "__init__.py" and "import" in (package := path.parent / "__init__.py").read_text():
            todo.append(package)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stages"):
                base = root / str(node.module).replace(".", "/")
                options = [base.with_suffix(".py"), *(base / f"{a.name}.py" for a in node.names)]
                options += [base / a.name / "__init__.py" for a in node.names]
                todo += [option for option in options if option.is_file()]
    return found


if __name__ == "__main__":
    command.run(main, __doc__)
