import pytest

from stages import plain_yaml
from stages.problem import Problem


def test_one_mapping_may_take_over_another(tmp_path):
    (tmp_path / "a.yaml").write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n")
    assert plain_yaml.load(tmp_path / "a.yaml")["b"] == {"x": 1, "y": 3}


def levels(number, merged):
    """Mappings each of which takes over the last."""
    return "a0: &a0 {x: 1}\n" + "".join(f"a{k}: &a{k} {{<<: {merged % (k - 1)}, k{k}: 1}}\n" for k in range(1, number))


@pytest.mark.parametrize(("text", "says"), [
    (levels(3, "[*a%s]"), "`<<` takes over a list; it may take over one mapping"),
    (levels(500, "*a%s"), "`<<` takes over more than 100,000 entries"),
])  # fmt: skip
def test_mappings_that_grow_with_each_level_are_one_line(tmp_path, text, says):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(Problem) as problem:
        plain_yaml.load(tmp_path / "a.yaml")
    assert str(problem.value) == f"{tmp_path / 'a.yaml'}: {says}"
