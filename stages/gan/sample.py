"""Draw candidates from the generators that an experiment has kept (data/candidates/<experiment>).

Each has a seed of its own in manifest.csv, from which it can be drawn again, to the same pixels on the same kind of
machine.
"""

from __future__ import annotations

import pandas as pd

from stages import command, files, paths, progress, settings, tables
from stages.dataset import photo
from stages.training import run_facts


def main(experiment: str) -> None:
    params = settings.load()
    settings.named(experiment, params.experiments)
    # Torch takes seconds to import: a wrong setting is told before.
    from stages.gan.kept_generators import draw, generator, latent

    trained = paths.GANS / experiment
    facts = run_facts.read(trained)
    rows = []
    with (
        files.replacing(paths.CANDIDATES / experiment) as folder,
        progress.bar(
            total=len(facts["sampled_steps"]) * params.now.candidates, what=f"sample {experiment}", unit="picture"
        ) as shown,
    ):
        for step in facts["sampled_steps"]:
            network = generator(trained, step)
            for number in range(params.now.candidates):
                seed = settings.candidate_seed(params.seed, len(rows))
                name = f"{experiment}_{step}_{number:03}"
                photo.save(folder / f"{name}.png", draw(network, latent(seed, network.z)))
                rows.append({
                    "id": name, "experiment": experiment, "step": step, "seed": seed,
                    "parents": ";".join(facts["parents"]), "boxes": "",
                    "frame_width": facts["frame"][0], "frame_height": facts["frame"][1],
                })  # fmt: skip
                shown.update()
        tables.write(folder / "manifest.csv", pd.DataFrame(rows))


if __name__ == "__main__":
    command.run(main, __doc__, experiment="which of params.yaml's experiments")
