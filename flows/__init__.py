"""When and where things run: Prefect flows. They call `dvc` and read reports; no data science lives here."""

import os

for _name, _value in (("DO_NOT_TRACK", "1"), ("PREFECT_SERVER_ANALYTICS_ENABLED", "false"), ("DVC_NO_ANALYTICS", "1")):
    os.environ.setdefault(_name, _value)  # before Prefect is imported, which tells its makers about itself
