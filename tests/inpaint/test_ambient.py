"""`inpaint_ambient` learns from images that are never complete."""

from dataclasses import replace

import torch

from stages.inpaint import inpainter
from stages.inpaint.networks import MARK
from stages.inpaint.windows import Windows
from tests.helpers.small_inpainter import HOLES, SMALL, train, windows

AMBIENT = replace(SMALL, network="ambient")


def test_no_complete_image_reaches_a_network(tmp_path, monkeypatch):
    """All that any of the three networks is given, in training and when held-out images are looked at."""
    seen = {"network": 0, "whole": 0, "near": 0}

    def watched(name, of):
        def look(_module, given):
            missing = (given[0] == MARK).any(1).flatten(1).any(1)
            assert name == "near" or missing.all(), name
            seen[name] += len(missing)

        of.register_forward_pre_hook(look)

    before = inpainter.Inpainter.__init__

    def init(self, *arguments):
        before(self, *arguments)
        watched("network", self.network)
        for name, critic in self.critics.items():
            watched(name, critic)

    monkeypatch.setattr(inpainter.Inpainter, "__init__", init)
    train(tmp_path, AMBIENT)
    assert min(seen.values()) >= AMBIENT.steps * AMBIENT.batch


def test_what_never_was_seen_has_no_part_in_the_weights(tmp_path):
    """Whatever stands under the holes, were it not thrown away, would change nothing."""
    of = windows(camera=HOLES)
    filled = Windows(of.pixels + 200 * (~of.seen[..., None]).astype("uint8"), of.seen)
    one, two = (train(tmp_path / name, AMBIENT, of=part)[0].state() for name, part in (("a", of), ("b", filled)))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_completed_pictures_are_measured_again_before_a_critic_sees_them(tmp_path):
    """As if by the same camera: what critics get of both kinds has holes of the same kind."""
    trained = inpainter.Inpainter(AMBIENT, 0, torch.device("cpu"))
    given = {}
    for name, critic in trained.critics.items():
        critic.register_forward_pre_hook(lambda _, views, name=name: given.setdefault(name, []).append(views[0]))
    of = windows(4, camera=HOLES)
    pixels = inpainter.torch.from_numpy(of.pixels).permute(0, 3, 1, 2) / 127.5 - 1
    seen = torch.from_numpy(of.seen)[:, None]
    hidden = torch.zeros_like(seen)
    hidden[..., 10:30, 10:30] = True
    trained.step(pixels, seen, hidden)
    real, fake = given["whole"][:2]
    assert torch.equal(real == MARK, ~seen.expand_as(real))
    assert torch.equal(fake == MARK, ~seen.roll(1, 0).expand_as(fake))
    assert given["near"][0].shape[-1] == 32
