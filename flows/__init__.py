"""When and where things run: Prefect flows. They call `dvc` and read reports; no data science lives here."""
