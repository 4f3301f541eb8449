"""A child that a flow may leave behind: a `sleep` of a length that nothing else has."""

import psutil


def sleeping() -> bool:
    """Return whether there is such a child."""
    return any(p.info["cmdline"] == ["sleep", "287"] for p in psutil.process_iter(["cmdline"]))
