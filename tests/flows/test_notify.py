"""Messages that a real server in this process receives, sent by real runs."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.blocks.system import Secret
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.helpers.checkouts import flow

BROKEN = """
from prefect import flow
from flows import notify
@flow(on_failure=[notify.failed], on_crashed=[notify.failed])
def inner():
    raise RuntimeError("s3://ada:lovelace@store does not take hushhush")
@flow(name="outer", flow_run_name="by-night", on_failure=[notify.failed], on_crashed=[notify.failed])
def outer():
    inner()
outer()
"""
CODE = "from flows.nightly import nightly; nightly(least_free_gb=1e9)"
EACH = """
import os
from flows.nightly import nightly
for named in {named}:
    os.environ["TENFOLD_NOTIFY"] = named
    try:
        nightly(least_free_gb=1e9)
    except RuntimeError as error:
        print("ENDED", error)
"""


@pytest.fixture
def heard():
    """What was posted to a server of this process, whose address comes first."""
    messages = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200 if "refuse" not in self.path else 500)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as web:
        Thread(target=web.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{web.server_port}", messages
        web.shutdown()


@pytest.fixture
def block(server, heard):
    """A maker of notification blocks."""

    def make(name, path):
        with temporary_settings({PREFECT_API_URL: server["PREFECT_API_URL"]}):
            made = CustomWebhookNotificationBlock(
                name=name, url=heard[0] + path, json_data={"subject": "{{subject}}", "body": "{{body}}"}
            )
            made.save(name, overwrite=True)
        return f"custom-webhook/{name}"

    return make


def test_a_run_that_fails_is_told_of_once_without_secrets(pipeline, server, heard, block):
    said = flow(pipeline, server, BROKEN, TENFOLD_NOTIFY=block("ops", "/"), MY_TOKEN="hushhush").communicate(
        timeout=120
    )
    assert len(heard[1]) == 1, said
    (message,) = heard[1]
    assert message["subject"] == "tenfold: outer failed"
    assert message["body"].startswith("outer (by-night): ") and "s3://***@store does not take ***" in message["body"]


def test_the_project_s_flows_tell(pipeline, server, heard, block):
    flow(pipeline, server, CODE, TENFOLD_NOTIFY=block("ops", "/")).communicate(timeout=120)
    (message,) = heard[1]
    assert message["subject"] == "tenfold: nightly failed" and "are wanted before a run begins" in message["body"]


def test_where_nobody_can_be_told_that_is_said_and_nothing_else_changes(pipeline, server, block):
    with temporary_settings({PREFECT_API_URL: server["PREFECT_API_URL"]}):
        Secret(value="lovelace").save("hush", overwrite=True)
    named = ["", "custom-webhook/unknown", "secret/hush", block("refuse", "/refuse-hushhush")]
    said = flow(pipeline, server, EACH.format(named=named)).communicate(timeout=240)[0]
    ends = said.split("ENDED ")
    assert len(ends) == len(named) + 1, said
    assert all("nobody is told of this" in before for before in ends[:-1])
    assert all("are wanted before a run begins" in why.partition("\n")[0] for why in ends[1:])
    assert "hushhush" not in said and "lovelace" not in said
