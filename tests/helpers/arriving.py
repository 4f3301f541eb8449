"""A product arrives in a checkout."""

from __future__ import annotations

from tests.helpers.checkouts import flow, run

CODE = "from flows.arrivals import arrivals; arrivals(least_free_gb=0)"
WHO = {"GIT_AUTHOR_NAME": "Tester", "GIT_AUTHOR_EMAIL": "t@example.org",
       "GIT_COMMITTER_NAME": "Tester", "GIT_COMMITTER_EMAIL": "t@example.org"}  # fmt: skip


def arrive(project, server):
    return flow(project, server, CODE, **WHO).communicate(timeout=240)[0]


def git(project, *arguments):
    return run(project, "git", *arguments).stdout.strip()
