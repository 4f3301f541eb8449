import pytest

from flows import password


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in (password.OF_SERVER, password.OF_CLIENT):
        monkeypatch.delenv(name, raising=False)


def test_it_is_made_once_and_only_its_owner_reads_it(tmp_path):
    assert password.known(tmp_path) is None
    made = password.made(tmp_path)
    assert len(made) > 20 and password.made(tmp_path) == password.known(tmp_path) == made
    assert (tmp_path / password.FILE).stat().st_mode & 0o777 == 0o600
    assert password.made(tmp_path / "other") != made


def test_the_environment_s_comes_first(tmp_path, monkeypatch):
    password.made(tmp_path)
    monkeypatch.setenv(password.OF_SERVER, "ada:lovelace")
    monkeypatch.setenv(password.OF_CLIENT, "ada:byron")
    assert password.made(tmp_path) == "ada:lovelace" and password.known(tmp_path) == "ada:byron"
