from pathlib import Path

import pandas as pd

from stages.judge import reference


def test_what_candidates_may_repeat_is_not_what_only_told_how_objects_lie():
    drawn = pd.DataFrame({"parents": ["data/subsets/ten", "data/subsets/ten;data/subsets/rest"]})
    assert reference.parents(drawn) == [Path("data/subsets/ten"), Path("data/subsets/rest")]
    composed = pd.DataFrame(
        {"parents": ["data/subsets/ten;data/subsets/but_focus"], "known": ["data/subsets/but_focus"]}
    )
    assert reference.parents(composed) == [Path("data/subsets/ten")]
