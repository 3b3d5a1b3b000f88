"""The gauge of collapse without labels: real images above covering, above narrow, above one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.conftest import MakeRun
from wgan.metrics.spread import LEAST, SpreadGauge
from wgan.plots.meter import mode_meter


def pictures(n: int, seed: int, reach: float = 1.0) -> Tensor:
    """Images (n, 1, 16, 16) of a soft spot; reach: how much of its places and sizes occurs."""
    rng = torch.Generator().manual_seed(seed)
    x, y, size = (torch.rand(3, n, generator=rng) - 0.5) * reach + 0.5
    line = torch.linspace(0, 1, 16)
    far = (line - x[:, None]).square()[:, None, :] + (line - y[:, None]).square()[:, :, None]
    spot = torch.exp(-far / (0.02 + 0.05 * size[:, None, None]))
    return (2 * spot - 1)[:, None]


@pytest.fixture(scope="module")
def gauge() -> SpreadGauge:
    return SpreadGauge(pictures(2000, 0))


def test_real_images_are_near_the_floor(gauge: SpreadGauge):
    again = gauge.measure(pictures(1000, 1))
    assert again.density == pytest.approx(gauge.floor.density, abs=0.1)
    assert again.coverage == pytest.approx(gauge.floor.coverage, abs=0.05)
    assert gauge.floor.coverage > 0.9
    assert gauge.floor.density == pytest.approx(1, abs=0.15)
    assert max(again.duplicates, gauge.floor.duplicates) < 0.05


def test_the_narrower_the_less_is_reached_and_the_more_is_alike(gauge: SpreadGauge):
    steps = [gauge.measure(pictures(1000, 2, reach)) for reach in (1, 0.7, 0.4, 0.15, 0.0)]
    reached = [one.coverage for one in steps]
    alike = [one.duplicates for one in steps]
    assert reached == sorted(reached, reverse=True)
    assert alike == sorted(alike)
    assert reached[-1] < 0.05
    assert alike[-1] == 1


def test_noise_is_dense_nowhere(gauge: SpreadGauge):
    noise = torch.rand(500, 1, 16, 16, generator=torch.Generator().manual_seed(3)) * 2 - 1
    far = gauge.measure(noise)
    assert far.density == far.coverage == 0


def test_the_figures_are_those_of_the_definition():
    real = pictures(2 * LEAST, 0)
    gauge = SpreadGauge(real)
    balls = gauge._real
    fake = pictures(50, 1).flatten(1)
    inside = 0
    for one in fake:
        for centre, radius in zip(balls, gauge._radii, strict=True):
            inside += int((one - centre).norm() <= radius)
    others = sorted((balls[0] - other).norm().item() for other in balls)
    assert gauge._radii[0] == pytest.approx(others[5], rel=1e-3)  # itself is the nearest
    found = gauge.measure(fake.view(-1, 1, 16, 16))
    assert found.density == pytest.approx(inside / 50 / 5, abs=0.01)


def test_repeated_images_count_once_and_too_few_are_refused():
    few = pictures(60, 0).repeat(20, 1, 1, 1)
    with pytest.raises(ValueError, match="too few"):
        SpreadGauge(few)


def test_a_run_on_images_without_classes_measures_it_and_the_meter_says_so(make_run: MakeRun):
    run = make_run("mlp", data="patches", image_size=8)
    metrics = run.frame.metrics
    assert metrics is not None
    assert metrics.modes is None
    assert metrics.reached is not None
    assert metrics.reached_real is not None
    assert metrics.reached < 0.2 < metrics.reached_real, "an untrained generator reaches nothing"
    assert "measured at step" not in mode_meter(metrics)
    shown = mode_meter(metrics, old=True)
    assert f"measured at step {metrics.step}" in shown
    assert "of the data covered" in shown
    assert f"held-out real images cover {metrics.reached_real:.0%}" in shown
