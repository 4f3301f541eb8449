import json
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest
import uvicorn
from fastapi.testclient import TestClient
from PIL import Image
from playwright.sync_api import expect

from stages import files, paths
from stages.judge import review, review_records
from tests.helpers.checkouts import ROOT, environment

COUNT = 1000
COLOUR = ("green", "yellow", "white", "red")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A thousand judged candidates of one experiment, and two training images."""
    monkeypatch.chdir(tmp_path)
    review.load.cache_clear()
    review.squashed.cache_clear()
    rng = np.random.default_rng(0)
    folder, subset = paths.CANDIDATES / "wgan_ten", paths.SUBSETS / "ten"
    (subset / "images").mkdir(parents=True)
    folder.mkdir(parents=True)
    for name in ("a.png", "b.png"):
        Image.fromarray(rng.integers(0, 256, (36, 64, 3), np.uint8)).save(subset / "images" / name)
    files.write_json(subset / "annotations.json", {
        "images": [{"id": k, "file_name": n, "width": 64, "height": 36} for k, n in enumerate(("a.png", "b.png"))],
        "annotations": [{"id": 1, "image_id": 0, "category_id": 1, "bbox": [16, 9, 32, 18]}],
        "categories": [{"id": 1, "name": "thing"}],
    })  # fmt: skip
    names = [f"wgan_ten_{k:04}" for k in range(COUNT)]
    for k, name in enumerate(names):
        Image.fromarray(np.full((64, 64, 3), k % 256, np.uint8)).save(folder / f"{name}.png")
    rows = {"id": names, "step": 1, "parents": str(subset), "boxes": "", "frame_width": 64, "frame_height": 64}
    pd.DataFrame(rows).to_csv(folder / "manifest.csv", index=False)
    paths.JUDGED.mkdir(parents=True)
    pd.DataFrame({
        "id": names, "verdict": [COLOUR[k % 4] for k in range(COUNT)], "reason": "new: <1> extra", "nearest": "a.png",
        "distance": 0.2, "threshold": 0.1, "arrangement_like": "", "boxes": json.dumps([[0.1, 0.1, 0.2, 0.3, 0, 0.9]]),
    }).to_csv(paths.JUDGED / "wgan_ten.csv", index=False)  # fmt: skip
    return names


@pytest.fixture
def client(project):
    return TestClient(review.application(), base_url="http://127.0.0.1")


def word(id_, **more):
    return {"who": "Ada", "id": id_, "mark": mark(id_), "what": "verdict", "value": "green"} | more


def mark(id_):
    return review_records.mark(paths.CANDIDATES / "wgan_ten" / f"{id_}.png")


def said():
    return [(row.who, row.id, row.what, row.value) for row in review_records.read(review_records.path("wgan_ten"))]


def test_candidates_come_with_both_sets_of_boxes(client):
    facts = client.get("/experiments/wgan_ten").json()
    assert len(facts["candidates"]) == COUNT
    assert facts["candidates"][1]["boxes"] == [[0.1, 0.1, 0.2, 0.3, 0, 0.9]]
    assert facts["training"] == {"a.png": [[0.25, 0.25, 0.5, 0.5]], "b.png": []}
    assert (
        client.get(f"/pictures/wgan_ten/wgan_ten_0003/{mark('wgan_ten_0003')}").headers["content-type"] == "image/png"
    )
    assert client.get("/training/wgan_ten?image=a.png").headers["content-type"] == "image/jpeg"


def test_what_is_said_is_kept_and_shown_again(client, project):
    assert client.post("/experiments/wgan_ten/say", json=word(project[7])).status_code == 200
    assert said() == [("Ada", project[7], "verdict", "green")]
    assert client.get("/experiments/wgan_ten").json()["said"] == [
        {"who": "Ada", "id": project[7], "what": "verdict", "value": "green"}
    ]
    assert client.post("/experiments/wgan_ten/undo", json={"who": "Bo"}).json() == {"id": None}
    assert client.post("/experiments/wgan_ten/undo", json={"who": "Ada"}).json() == {"id": project[7]}
    assert said() == []


def test_where_the_machine_knows_no_name_the_page_asks_for_one(client, monkeypatch):
    def nobody():
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setattr(review.getpass, "getuser", nobody)
    assert client.get("/experiments").json()["who"] == ""


SAYING = """
import json, sys
from fastapi.testclient import TestClient
from stages.judge import review
client = TestClient(review.application(), base_url="http://127.0.0.1")
client.get("/experiments/wgan_ten")
print("ready", flush=True)
for word in json.loads(sys.stdin.readline()):
    client.post("/experiments/wgan_ten/say", json=word).raise_for_status()
"""


def test_what_is_said_to_two_servers_at_once_is_all_kept(project):
    servers = [subprocess.Popen([sys.executable, "-c", SAYING], stdin=-1, stdout=-1, text=True, env=environment(ROOT))
               for _ in range(2)]  # fmt: skip
    for server in servers:
        assert server.stdout and server.stdout.readline() == "ready\n"
    for server, ids in zip(servers, (project[:60], project[60:120]), strict=True):
        assert server.stdin
        server.stdin.write(json.dumps([word(id_) for id_ in ids]) + "\n")
        server.stdin.close()
    assert [server.wait(120) for server in servers] == [0, 0]
    assert sorted(row[1] for row in said()) == project[:120]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"id": "none"}, "has no candidate 'none'"),
        ({"mark": "of another picture"}, "load the page again"),
        ({"what": "over", "value": "none"}, "has no candidate 'none'"),
        ({"value": "blue"}, "'blue' is not allowed"),
        ({"who": "  "}, "a name is missing"),
    ],
)
def test_nonsense_is_refused_in_one_line_and_not_kept(client, project, change, line):
    answer = client.post("/experiments/wgan_ten/say", json=word(project[0], **change))
    assert answer.status_code == 400 and line in answer.json()["detail"]
    assert said() == []


def test_what_is_no_saying_is_refused_in_words(client):
    """A number that is none could not even be told back as JSON."""
    for content in (b"NaN", b"{", b'{"who": NaN}'):
        answer = client.post("/experiments/wgan_ten/say", content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 422 and isinstance(answer.json()["detail"], str)


def test_only_candidates_and_training_images_are_served_and_only_to_this_machine(client):
    for path in (
        "/pictures/wgan_ten/..%2F..%2Fparams/x", "/pictures/none/x/x", "/experiments/none",
        "/training/wgan_ten?image=../annotations.json",
    ):  # fmt: skip
        assert client.get(path).status_code == 404, path
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


@pytest.fixture
def page(project, browser):
    """The page in a real browser, served as `make review` does."""
    server = uvicorn.Server(uvicorn.Config(review.application(), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    opened = browser.new_page(viewport={"width": 1300, "height": 900})
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.goto(f"http://127.0.0.1:{port}/")
    opened.locator("#who").fill("Ada")
    opened.locator("#who").press("Tab")
    expect(opened.locator(".thumb")).to_have_count(COUNT)
    opened.locator("body").click(position={"x": 5, "y": 890})
    yield opened
    assert not faults
    opened.close()
    server.should_exit = True
    thread.join()


def test_the_keyboard_alone_says_moves_undoes_and_filters(page, project):
    for key in ("1", "4", "ArrowRight", "3", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    expect(page.locator("#count")).to_contain_text("3 of 1000 said · 3 of 1000 shown")
    assert said() == [("Ada", project[0], "verdict", "green"), ("Ada", project[1], "verdict", "red"),
                      ("Ada", project[3], "verdict", "white")]  # fmt: skip
    page.keyboard.press("u")
    expect(page.locator("#count")).to_contain_text("2 of 1000 said · 4 of 1000 shown")
    assert len(said()) == 2
    page.locator("#filter").select_option("open")
    expect(page.locator(".thumb")).to_have_count(COUNT - 2)
    page.locator("#filter").select_option("red")
    expect(page.locator(".thumb")).to_have_count(251)  # Ada's one, too
    page.reload()
    expect(page.locator("#count")).to_contain_text("2 of 1000 said")


def test_stars_and_pairs(page, project):
    page.keyboard.press("s")
    page.keyboard.press("5")
    expect(page.locator("#count")).to_contain_text("1 of 1000 said")
    page.keyboard.press("p")
    pair = page.locator("#stage figcaption").all_inner_texts()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#stage figcaption").first).not_to_have_text(pair[0])
    assert said() == [("Ada", project[0], "stars", "5"), ("Ada", pair[1], "over", pair[0])]


def test_words_that_are_said_faster_than_the_server_answers_land_where_they_were_meant(page, project):
    page.evaluate("""() => {
        const quick = window.fetch;
        window.fetch = async (...of) => { if (of[1]) await new Promise(r => setTimeout(r, 200)); return quick(...of); };
    }""")
    page.keyboard.press("1")
    page.locator("#t5").click()
    for key in ("4", "s", "5", "ArrowLeft"):
        page.keyboard.press(key)
    page.locator("#who").fill("Grace")
    page.locator("#who").press("Tab")
    with page.expect_response(lambda answer: "Grace" in (answer.request.post_data or "")):
        page.locator("body").press("3")
    assert said() == [("Ada", project[0], "verdict", "green"), ("Ada", project[5], "verdict", "red"),
                      ("Ada", project[0], "stars", "5"), ("Grace", project[0], "stars", "3")]  # fmt: skip


def test_a_name_that_is_typed_before_the_page_knows_one_stays(page):
    held = []
    page.route("**/experiments", lambda route: held.append(route))
    page.reload()
    page.locator("#who").fill("Grace")
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(page.locator(".thumb")).to_have_count(COUNT)
    expect(page.locator("#who")).to_have_value("Grace")


def test_the_pair_is_shown_with_its_boxes_and_text_is_text(page):
    expect(page.locator("#stage figure")).to_have_count(2)
    assert page.locator("#stage rect").count() == 2
    assert "<1> extra" in page.locator("#stage").inner_text()
    page.keyboard.press("b")
    assert not page.locator("#stage rect").first.is_visible()


def test_a_thousand_candidates_scroll_smoothly(page):
    """Few frames of a long scroll may take longer than a screen's tenth of a second."""
    late = page.evaluate("""async () => {
      const times = [];
      for (let k = 0; k < 120; k++) {
        const began = performance.now();
        window.scrollBy(0, 60);
        await new Promise(requestAnimationFrame);
        times.push(performance.now() - began);
      }
      return times.filter(ms => ms > 100).length;
    }""")
    assert late < 12
    assert page.evaluate("window.scrollY") > 3000
