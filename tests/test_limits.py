"""How much a server takes: what its environment may say, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import KINDS, MakeConfig, MakeTrainer
from wgan.config import ConfigError
from wgan.presets import PRESETS
from wgan.server import limits as module
from wgan.server.limits import LimitError, Limits, count_parameters, describe, read_limits


def test_without_an_environment_there_are_defaults():
    assert read_limits({}) == read_limits({"WGAN_MAX_RUNS": " "}) == Limits()
    folder = Limits().folder
    assert folder is not None
    assert folder.name == "runs"
    assert folder.is_absolute()


def test_the_environment_sets_limits():
    read = read_limits({"WGAN_MAX_RUNS": "7", "WGAN_SLEEP_AFTER": "5", "WGAN_AUTOSAVE": "/a/b"})
    assert (read.max_runs, read.sleep_after, read.folder) == (7, 5, Path("/a/b"))
    assert read_limits({"WGAN_AUTOSAVE": "OFF"}).folder is None


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "1" * 5000, "٣", "1e3", "\x00"])
def test_a_bad_value_is_one_sentence(value: str):
    with pytest.raises(LimitError) as caught:
        read_limits({"WGAN_MAX_RUNS": value})
    text = str(caught.value)
    assert text.startswith("WGAN_MAX_RUNS is ")
    assert text.endswith("allowed: a whole number from 1 to 10,000.")
    assert len(text) < 140
    with pytest.raises(LimitError, match=r"WGAN_AUTOSAVE is .*; allowed: a folder, or off"):
        read_limits({"WGAN_AUTOSAVE": "a\nb"})


def test_limits_are_read_once(monkeypatch: pytest.MonkeyPatch):
    module.limits.cache_clear()
    monkeypatch.setenv("WGAN_MAX_RUNS", "9")
    assert module.limits().max_runs == 9
    monkeypatch.setenv("WGAN_MAX_RUNS", "8")
    assert module.limits().max_runs == 9
    module.limits.cache_clear()


def test_every_limit_is_described():
    rows = describe(Limits(autosave="off"))
    assert ("WGAN_MAX_RUNS", "128", "Runs in memory at once.") in rows
    assert [value for name, value, _ in rows if name == "WGAN_AUTOSAVE"] == ["off"]
    for name, value, sentence in rows:
        assert name.startswith("WGAN_")
        assert value
        assert sentence.endswith(".")


@pytest.mark.parametrize("norm", ["none", "batch", "layer", "instance", "spectral"])
@pytest.mark.parametrize("kind", KINDS)
def test_parameters_are_counted_without_building(
    make_config: MakeConfig, make_trainer: MakeTrainer, kind: str, norm: str
):
    trainer = make_trainer(kind, norm=norm)
    built = [*trainer.generator.parameters(), *trainer.critic.parameters()]
    assert count_parameters(make_config(kind, norm=norm)) == sum(p.numel() for p in built)


def test_a_huge_network_is_counted_at_once(make_config: MakeConfig):
    config = make_config("mlp", width=1024, depth=12, image_size=128, data="celeba")
    with pytest.raises(LimitError, match=r"would have 1[0-9]{2},[0-9]{3},[0-9]{3} parameters"):
        Limits().check(config)


def test_all_presets_are_allowed_by_default():
    for preset in PRESETS.values():
        assert Limits().check(preset.config) > 1000


def test_what_is_too_large_is_refused_with_what_is_allowed(make_config: MakeConfig):
    small = Limits(max_batch=16, max_image_size=16, max_parameters=3000)
    assert small.check(make_config()) < 3000
    for fields, said in (
        ({"batch_size": 17}, "batch_size is 17; this server allows at most 16."),
        ({"width": 900}, "this server allows 3,000, so choose a smaller width"),
    ):
        with pytest.raises(ConfigError, match=said):
            small.check(make_config(**fields))
    with pytest.raises(LimitError, match="image_size is 32; this server allows at most 16 pixels"):
        small.check(make_config("mlp", image_size=32))
    small.check(make_config(image_size=32))  # points have no size
