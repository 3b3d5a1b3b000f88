"""Figures of merit against closed forms and against their own definitions."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest
from torch import Tensor, nn

from wgan import data
from wgan.config import ExperimentConfig
from wgan.metrics.coverage import coverage
from wgan.metrics.critic import critic_estimate, gradient_norms
from wgan.metrics.transport import w1, w1_floor

SEEDS = st.integers(0, 10_000)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def cloud(n: int, seed: int, dimensions: int = 2) -> Tensor:
    return torch.randn(n, dimensions, generator=seeded(seed))


# W1.


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 40), dx=st.floats(-5, 5), dy=st.floats(-5, 5))
def test_w1_of_a_moved_set_is_the_way_it_moved(seed: int, n: int, dx: float, dy: float):
    a = cloud(n, seed)
    assert w1(a, a + torch.tensor([dx, dy])) == pytest.approx(math.hypot(dx, dy), abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 40), angle=st.floats(0, 6.3))
def test_w1_on_a_line_is_that_of_the_sorted_values(seed: int, n: int, angle: float):
    a, b = cloud(n, seed, 1), 2 * cloud(n, seed + 1, 1) + 1
    direction = torch.tensor([[math.cos(angle), math.sin(angle)]])
    expected = (a.sort(0).values - b.sort(0).values).abs().mean().item()
    assert w1(a * direction, b * direction) == pytest.approx(expected, abs=1e-5)


def test_w1_of_known_sets():
    a = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    b = torch.tensor([[1.0, 1.0], [0.0, 3.0]])
    # The order of the samples does not matter: 0→3 upwards, and 0→1 upwards.
    assert w1(a, b) == pytest.approx(2)


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 30), dimensions=st.integers(1, 5))
def test_w1_is_a_metric(seed: int, n: int, dimensions: int):
    a, b, c = (cloud(n, seed + i, dimensions) for i in range(3))
    assert w1(a, b) == pytest.approx(w1(b, a), abs=1e-6)
    assert w1(a, a[torch.randperm(n, generator=seeded(seed))]) == pytest.approx(0, abs=1e-6)
    assert w1(a, b) > 0
    assert w1(a, c) <= w1(a, b) + w1(b, c) + 1e-6


def test_w1_of_images_is_that_of_their_pixels():
    a, b = cloud(20, 0, 12), cloud(20, 1, 12)
    assert w1(a.view(20, 3, 2, 2), b.view(20, 3, 2, 2)) == w1(a, b)


def test_w1_refuses_unequal_sizes():
    with pytest.raises(ValueError, match=r"equal size.*\(3, 2\).*\(4, 2\)"):
        w1(cloud(3, 0), cloud(4, 0))
    with pytest.raises(ValueError, match="equal size"):
        w1(cloud(0, 0), cloud(0, 0))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_w1_of_a_broken_generator_is_nan(bad: float):
    broken = cloud(8, 0)
    broken[3, 1] = bad
    assert math.isnan(w1(cloud(8, 1), broken))


@pytest.mark.parametrize("theta", [-1.0, 0.25, 0.5, 2.0])
def test_w1_of_parallel_lines_is_their_distance(theta: float):
    # Example 1 of the WGAN paper: (0, Z) against (θ, Z'), Z and Z' uniform and independent.
    z = torch.rand(2, 800, generator=seeded())
    a = torch.stack((torch.zeros(800), z[0]), 1)
    b = torch.stack((torch.full((800,), theta), z[1]), 1)
    assert abs(theta) <= w1(a, b) <= abs(theta) + 0.02


def test_the_two_lines_of_the_data_set_are_one_apart():
    lines = data.load(ExperimentConfig(data="twolines"), torch.device("cpu"))
    xy = lines.sample(2000, seeded())
    left, right = xy[xy[:, 0] < 0][:700], xy[xy[:, 0] > 0][:700]
    assert w1(left, right) == pytest.approx(1, abs=0.02)


def test_the_floor_is_above_zero_and_falls_with_the_sample_size():
    ring = data.load(ExperimentConfig(data="ring8"), torch.device("cpu"))
    few, many = (w1_floor(ring, n, seeded()) for n in (64, 512))
    assert 0 < many < 0.7 * few
    generator = seeded()
    batches = [ring.sample(64, generator) for _ in range(8)]
    by_hand = [w1(a, b) for a, b in zip(batches[::2], batches[1::2], strict=True)]
    assert few == pytest.approx(sum(by_hand) / 4)


# Critics.


class Linear(nn.Module):
    """D(x) = w·x, for any sample shape."""

    def __init__(self, weight: Tensor):
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.weight


def test_critic_estimate_is_the_difference_of_means():
    critic = Linear(torch.tensor([2.0, -1.0]))
    real = torch.tensor([[1.0, 0.0], [3.0, 0.0]])
    fake = torch.tensor([[0.0, 1.0], [0.0, 3.0], [0.0, 5.0]])
    assert critic_estimate(critic, real, fake) == pytest.approx(4 - (-3))
    assert critic.weight.grad is None


@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_a_linear_critic_has_the_norm_of_its_weight_everywhere(mode):
    critic = Linear(torch.randn(12, generator=seeded()))
    with mode():
        real, fake = cloud(50, 1, 12).view(50, 3, 2, 2), cloud(50, 2, 12).view(50, 3, 2, 2)
        norms = gradient_norms(critic, real, fake, seeded())
    assert norms.shape == (50,)
    assert torch.allclose(norms, critic.weight.norm().expand(50))
    assert not norms.requires_grad
    assert critic.weight.grad is None


def test_the_gradient_is_taken_evenly_between_the_samples():
    # ∇ ½‖x‖² = x, so that the norm tells where it was taken: between 1 and 3, here.
    fake, real = torch.zeros(4000, 2), torch.zeros(4000, 2)
    fake[:, 0], real[:, 0] = 1, 3

    def bowl(x: Tensor) -> Tensor:
        return x.square().sum(1) / 2

    norms = gradient_norms(bowl, real, fake, seeded())
    assert kstest(norms.numpy(), "uniform", (1, 2)).pvalue > 0.001
    assert torch.equal(norms, gradient_norms(bowl, real, fake, seeded()))


def test_gradient_norms_neither_read_nor_touch_the_samples_graph():
    weight = torch.ones(2, requires_grad=True)
    fake = cloud(10, 0) * weight
    gradient_norms(Linear(torch.ones(2)), cloud(10, 1), fake, seeded())
    assert weight.grad is None
    fake.sum().backward()  # the graph is still whole
    assert weight.grad is not None


# Coverage.


class Labelled:
    """Modes for tests: a sample is (its mode, 1 if it is of high quality)."""

    high_quality_real = 1.0

    def __init__(self, count: int, confusion: Tensor | None = None):
        self.names = tuple(map(str, range(count)))
        self.confusion = confusion

    def judge(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        return samples[:, 0].long(), samples[:, 1] > 0


def labelled(*groups: tuple[int, int, int]) -> Tensor:
    """Samples from (mode, of high quality, how many)."""
    return torch.cat([torch.tensor([[mode, high]]).repeat(n, 1) for mode, high, n in groups])


@pytest.mark.parametrize(
    ("n", "enough"), [(2500, 20), (1000, 8), (1001, 9), (125, 1), (126, 2), (50, 1), (5000, 40)]
)
def test_a_mode_is_covered_from_twenty_of_2500_on(n: int, enough: int):
    rest = n - enough
    covered = coverage(Labelled(3), labelled((1, 1, enough), (0, 0, rest)))
    assert (covered.modes, covered.modes_any, covered.modes_total) == (1, 1, 3)
    short = coverage(Labelled(3), labelled((1, 1, enough - 1), (0, 0, rest + 1)))
    assert short.modes == 0
    assert short.modes_any == (1 if enough > 1 else 0)


def test_coverage_counts_what_it_says():
    samples = labelled((0, 1, 1000), (0, 0, 500), (2, 1, 19), (3, 0, 981))
    figures = coverage(Labelled(4), samples)
    assert figures.counts == (1000, 0, 19, 0)
    assert figures.samples == 2500
    assert (figures.modes, figures.modes_any, figures.modes_total) == (1, 2, 4)
    assert figures.high_quality == pytest.approx(1019 / 2500)
    p = [1500 / 2500, 19 / 2500, 981 / 2500]
    assert figures.mode_kl == pytest.approx(sum(q * math.log(4 * q) for q in p))


def test_kl_is_zero_when_even_and_log_k_when_collapsed():
    even = coverage(Labelled(5), labelled(*((mode, 0, 10) for mode in range(5))))
    assert even.mode_kl == pytest.approx(0, abs=1e-12)
    assert even.mode_kl >= 0
    collapsed = coverage(Labelled(5), labelled((3, 1, 50)))
    assert collapsed.mode_kl == pytest.approx(math.log(5))


@settings(max_examples=50, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 3000), count=st.integers(1, 12))
def test_coverage_is_consistent(seed: int, n: int, count: int):
    generator = seeded(seed)
    index = torch.randint(count, (n,), generator=generator)
    high = torch.randint(2, (n,), generator=generator)
    figures = coverage(Labelled(count), torch.stack((index, high), 1))
    assert len(figures.counts) == figures.modes_total == count
    assert sum(figures.counts) == int(high.sum()) <= n
    assert figures.high_quality == pytest.approx(sum(figures.counts) / n)
    assert 0 <= figures.modes <= figures.modes_any <= count
    assert 0 <= figures.mode_kl <= math.log(count) + 1e-9


def test_coverage_needs_samples():
    with pytest.raises(ValueError, match="at least one sample"):
        coverage(Labelled(2), torch.zeros(0, 2))
