import shutil

import pytest


@pytest.fixture(scope="module")
def copied(done, tmp_path_factory):
    """A copy of the checkout in which everything has run, for one module's tests."""
    folder = tmp_path_factory.mktemp("copied") / "tenfold"
    shutil.copytree(done, folder, symlinks=True)
    return folder
