import numpy as np
import pytest
import torch

from stages.inpaint.similarity import LOSSES, METRICS, mae, psnr, ssim

RNG = np.random.default_rng(0)
A, B = (torch.from_numpy(RNG.random((2, 3, 24, 30), np.float32)) for _ in range(2))
ALL = torch.ones(2, 1, 24, 30, dtype=torch.bool)
LEFT = ALL & (torch.arange(30) < 10)


@pytest.mark.parametrize("name", METRICS)
def test_a_picture_is_like_itself_and_less_like_another(name):
    same, other = METRICS[name](A, A, ALL), METRICS[name](A, B, ALL)
    assert same.shape == (2,)
    assert torch.allclose(same, torch.tensor(80.0 if name == "psnr" else 1.0), atol=1e-4)
    assert (other < same - 0.05).all()


@pytest.mark.parametrize("name", [*METRICS, "mae"])
def test_only_the_region_counts(name):
    of = METRICS.get(name, mae)
    far = torch.where(torch.arange(30) < 16, A, B)  # SSIM looks five pixels over the region's edge
    assert torch.allclose(of(far, A, LEFT), of(A, A, LEFT), atol=1e-4)
    assert torch.isfinite(of(A, B, ~ALL)).all()  # nothing at all


def test_known_values():
    half, none = torch.full((1, 3, 20, 20), 0.5), torch.zeros(1, 3, 20, 20)
    everywhere = torch.ones(1, 1, 20, 20, dtype=torch.bool)
    assert psnr(half, none, everywhere).item() == pytest.approx(10 * np.log10(4), abs=1e-4)
    assert mae(half, none, everywhere).item() == pytest.approx(0.5)
    values = {name: METRICS[name](half, half / 2, everywhere).item() for name in ("dice", "jaccard", "cosine")}
    assert values == pytest.approx({"dice": 0.8, "jaccard": 2 / 3, "cosine": 1.0}, abs=1e-4)
    # Of flat pictures SSIM compares the light alone.
    light = (2 * 0.5 * 0.25 + 1e-4) / (0.5**2 + 0.25**2 + 1e-4)
    assert ssim(half, half / 2, everywhere).item() == pytest.approx(light, abs=1e-3)


def test_ssim_as_its_paper_writes_it():
    at = np.arange(-5, 6)
    bell = np.exp(-(at**2) / (2 * 1.5**2))
    bell = np.outer(bell, bell) / bell.sum() ** 2
    here = torch.zeros(2, 1, 24, 30, dtype=torch.bool)
    here[:, :, 9, 12] = True
    for n in range(2):
        values = []
        for c in range(3):
            x, y = (of[n, c, 4:15, 7:18].numpy().astype(float) for of in (A, B))
            mx, my = (bell * x).sum(), (bell * y).sum()
            vx, vy = (bell * (x - mx) ** 2).sum(), (bell * (y - my) ** 2).sum()
            both = (bell * (x - mx) * (y - my)).sum()
            values.append((2 * mx * my + 1e-4) * (2 * both + 9e-4) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4)))
        assert ssim(A, B, here)[n].item() == pytest.approx(np.mean(values), abs=1e-4)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_falls_on_the_way_to_the_truth(name):
    made = B.clone().requires_grad_()
    before = LOSSES[name](made, A, LEFT).mean()
    (gradient,) = torch.autograd.grad(before, made)
    assert LOSSES[name](made - 1e-3 * gradient / gradient.abs().max(), A, LEFT).mean() < before
    assert gradient[..., 16:].abs().max() == 0
