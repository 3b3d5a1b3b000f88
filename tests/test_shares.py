"""Modes over time: the stack holds every sample of high quality once, and losses are named."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.test_plots import decode, trace
from wgan import plots
from wgan.plots.shares import describe_coverage, lost_modes, never_found
from wgan.types import Event, Metrics

HIGH = 20  # samples of 2,500 that a mode needs


def seen(step: int, *counts: int, samples: int = 2500) -> Metrics:
    names = tuple(str(i) for i in range(len(counts)))
    return Metrics(step, 0.0, 1.0, mode_names=names, counts=counts, samples=samples,
                    modes_total=len(counts) or None)  # fmt: skip


TABLES = st.integers(1, 30).flatmap(
    lambda k: st.lists(
        st.lists(st.integers(0, 80), min_size=k, max_size=k), min_size=1, max_size=20
    )
)


@given(TABLES)
def test_the_stack_is_the_share_of_high_quality_samples(table: list[list[int]]):
    metrics = [seen(10 * i, *counts) for i, counts in enumerate(table)]
    figure = plots.mode_shares(metrics)
    json.dumps(figure, allow_nan=False)
    *modes, rest = figure["data"]
    shares = np.stack([decode(t["y"]) for t in modes], 1)
    np.testing.assert_allclose(shares, np.array(table) / 25, rtol=1e-5)
    np.testing.assert_allclose(shares.sum(1) + decode(rest["y"]), 100, rtol=1e-5)
    assert [t["name"] for t in modes] == list(metrics[0].mode_names)
    assert {t["stackgroup"] for t in figure["data"]} == {"modes"}
    assert decode(figure["data"][0]["x"]).tolist() == [m.step for m in metrics]
    assert figure["layout"]["yaxis"]["range"] == [0, 100]


@given(TABLES)
def test_every_mode_is_covered_lost_or_never_found(table: list[list[int]]):
    metrics = [seen(i, *counts) for i, counts in enumerate(table)]
    lost = {name for _, names in lost_modes(metrics) for name in names}
    never = set(never_found(metrics))
    now = {str(i) for i, n in enumerate(table[-1]) if n >= HIGH}
    assert lost | never | now == set(metrics[0].mode_names)
    assert len(lost) + len(never) + len(now) == len(table[0])
    for step, names in lost_modes(metrics):
        for name in names:  # there just before, and at no time since
            counts = [row[int(name)] for row in table]
            assert counts[step - 1] >= HIGH
            assert all(n < HIGH for n in counts[step:])


def test_what_was_lost_is_said_with_its_step():
    metrics = [
        seen(0, 0, 0, 0, 0),
        seen(600, 500, 500, 500, 0),
        seen(1200, 900, 19, 900, 0),
        seen(1800, 2400, 3, 0, 0),
    ]
    assert lost_modes(metrics) == [(1800, ("2",)), (1200, ("1",))]
    told = describe_coverage(metrics, "digit")
    assert told == (
        "Lost since step 1,800: digit 2. Lost since step 1,200: digit 1. "
        "Never covered so far: digit 3."
    )
    assert describe_coverage(metrics[:2], "digit") == "Never covered so far: digit 3."
    assert describe_coverage([seen(5, 600, 600)]) == "All 2 are covered."
    assert describe_coverage(metrics[:1]) == "None of the 4 is covered so far."
    assert describe_coverage([]) == describe_coverage([seen(1)]) == ""


def test_a_mode_that_came_back_is_not_lost():
    assert lost_modes([seen(1, 100), seen(2, 0), seen(3, 100)]) == []
    assert lost_modes([seen(1, 100), seen(2, 0), seen(3, 100), seen(4, 0)]) == [(4, ("0",))]


def test_many_losses_and_many_names_stay_readable():
    table = np.triu(np.full((40, 40), 60)).T  # each step loses nothing; then all but one at once
    metrics = [seen(i, *map(int, row)) for i, row in enumerate(table)]
    metrics.append(seen(50, 60, *[0] * 39))
    told = describe_coverage(metrics)
    assert told.startswith("Lost since step 50: mode 1, 2, 3")
    assert "and 27 more" in told
    each = [seen(i, *[60] * (5 - i), *[0] * i) for i in range(5)]
    assert describe_coverage(each).count("since step") == 3
    assert "Lost before: mode 4." in describe_coverage(each)


def test_events_are_marked_and_names_are_no_markup():
    metrics = [Metrics(7, 0, 1, mode_names=("<b>x",), counts=(2500,), modes_total=1)]
    figure = plots.mode_shares(metrics, [Event(3, "change", "WGAN")])
    texts = [a["text"] for a in figure["layout"]["annotations"]]
    assert "WGAN" in texts
    assert "&lt;b>x" in texts
    assert trace(figure, "mode-0")["name"] == "&lt;b>x"
    assert plots.mode_shares([])["data"] == []
