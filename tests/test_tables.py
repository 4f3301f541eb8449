import numpy as np
import pandas as pd
import pytest

from stages import tables
from stages.problem import Problem


def test_what_a_spreadsheet_would_run_is_written_as_text_and_read_as_it_was(tmp_path):
    texts = ['=HYPERLINK("x")', "+1+1", "-a", "@b", "'c", "d", "", "-0.5", "=1"]
    table = pd.DataFrame({"text": texts, "number": np.linspace(-1, 1, 9), "mixed": ["", -0.5] * 4 + [1]})
    tables.write(tmp_path / "a.csv", table)
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert not [line for line in lines if line.lstrip('"').startswith(("=", "+", "@"))]
    back = tables.read(tmp_path / "a.csv", "text", "number")
    assert back["text"].tolist() == texts
    assert back["number"].tolist() == table["number"].tolist()
    assert [float(of) for of in back["mixed"] if of != ""] == [-0.5] * 4 + [1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        (b"", "no table"),
        (b"id\n\xff\n", "no table"),
        (b'id,verdict\n"a', "no table"),
        (b"id,verdict\na,b,c,d\ne,f\n1,2,3,4,5\n", "no table"),
        (b"id,colour\na,red\n", "there is no column verdict"),
    ],
)
def test_what_is_no_such_table_is_one_line(tmp_path, content, said):
    if content is not None:
        (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(Problem, match=rf"a\.csv: .*{said}"):
        tables.read(tmp_path / "a.csv", "id", "verdict")
