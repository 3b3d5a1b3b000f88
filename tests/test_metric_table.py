"""The table of metrics: complete, and its columns those of runs saved earlier."""

from __future__ import annotations

import dataclasses

import pytest

from wgan.metrics.table import COLUMNS, METRICS, metric
from wgan.persistence.run_files import SAVED_METRICS
from wgan.plots import OVERLAYS
from wgan.stages import FIGURES
from wgan.types import Metrics

# As runs are saved since November 2026. New ones go to the end.
SAVED_COLUMNS = (
    "w1", "w1_floor", "modes", "high_quality", "gradient_norm",
    "gradient_decades", "pinned_share", "update_cosine", "mode_kl",
    "estimate_over_slope", "js", "js_floor", "js_critic",
    "gap_train", "gap_held_out", "loss_train", "loss_held_out",
)  # fmt: skip


def test_saved_curves_keep_their_columns():
    assert COLUMNS[: len(SAVED_COLUMNS)] == SAVED_COLUMNS
    assert [METRICS[name].column for name in COLUMNS] == list(range(len(COLUMNS)))


def test_every_metric_is_measured_or_of_a_step():
    fields = {field.name for field in dataclasses.fields(Metrics)}
    assert METRICS.keys() <= fields | set(FIGURES)
    assert {m.reference for m in METRICS.values()} - {""} <= METRICS.keys()


def test_whoever_reads_the_table_finds_what_is_needed():
    assert set(OVERLAYS) <= METRICS.keys()
    assert all(METRICS[name].label for name in SAVED_METRICS)


def test_an_unknown_name_raises():
    with pytest.raises(ValueError, match="no metric 'w2'; there are w1, "):
        metric("w2")
