import pytest
import torch

from stages.problem import Problem
from stages.training import weights


def test_what_is_packed_is_loaded(tmp_path):
    path = tmp_path / weights.FINAL
    path.write_bytes(weights.packed({"a": torch.arange(6.0).view(2, 3).T}))
    assert torch.equal(weights.load(path)["a"], torch.arange(6.0).view(2, 3).T)


@pytest.mark.parametrize(("content", "said"), [(None, "no such file"), (b"\x80\x04K", "no whole weights")])
def test_what_cannot_be_loaded_is_one_line(tmp_path, content, said):
    path = tmp_path / weights.FINAL
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Problem, match=said):
        weights.load(path)
