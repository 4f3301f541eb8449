"""When and where things run: Prefect flows. They call `dvc` and read reports; no data science lives here."""

import os

for _name, _value in {  # before Prefect is imported, which tells its makers about itself
    "DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DVC_NO_ANALYTICS": "1",
    "PREFECT_CLIENT_MAX_RETRIES": "6",  # each after twice as long: a server may be gone for two minutes
}.items():  # fmt: skip
    os.environ.setdefault(_name, _value)
for _name in (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX",
    "GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE", "GIT_NO_REPLACE_OBJECTS",
):  # fmt: skip
    os.environ.pop(_name, None)  # set in git's hooks; a git begun here would take another folder for its own
