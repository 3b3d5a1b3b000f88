"""Tiny experiments, and the one rule about threads, for all tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import settings

from tests.hub_fixtures import hub as hub
from tests.web_host import web as web
from wgan.config import ExperimentConfig, from_dict
from wgan.data import load
from wgan.runs.run import Run
from wgan.threads import use_training_threads
from wgan.trainer import Trainer

# How long an example takes depends on the machine, and on what else it does.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# The runs of a test are kept nowhere, unless it asks for a folder of its own.
os.environ["WGAN_AUTOSAVE"] = "off"

TINY: dict[str, Any] = {"width": 8, "depth": 1, "batch_size": 8, "critic_steps": 2}
IMAGES: dict[str, Any] = {"data": "digits", "latent_dim": 4, "output": "tanh", "image_size": 8}
# A kind of experiment -> its fields: every network, on points and on images.
KINDS: dict[str, dict[str, Any]] = {
    "points": TINY,
    "mlp": TINY | IMAGES,
    "dcgan": TINY | IMAGES | {"width": 4, "network": "dcgan"},
    "resnet": TINY | IMAGES | {"width": 4, "network": "resnet"},
}

MakeConfig = Callable[..., ExperimentConfig]
MakeTrainer = Callable[..., Trainer]
MakeRun = Callable[..., Run]


@pytest.fixture(scope="session", autouse=True)
def training_threads() -> None:
    """As many arithmetic threads as wherever else it trains: bits depend on it."""
    use_training_threads()


@pytest.fixture(autouse=True)
def global_randomness() -> None:
    """What a test draws from torch's global state is the same, whatever ran before it."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def make_config() -> MakeConfig:
    """make_config("points", lr=0.1): the tiny config of a kind, with other fields."""

    def make(kind: str = "points", **fields: Any) -> ExperimentConfig:
        return from_dict(KINDS[kind]).replace(fields)

    return make


@pytest.fixture(scope="session")
def make_trainer(make_config: MakeConfig) -> MakeTrainer:
    """make_trainer("dcgan", norm="layer"): a trainer of the tiny config of a kind."""

    def make(kind: str = "points", **fields: Any) -> Trainer:
        config = make_config(kind, **fields)
        return Trainer(config, load(config, torch.device("cpu")))

    return make


@pytest.fixture(scope="session")
def make_run(make_config: MakeConfig) -> MakeRun:
    """make_run("points", playing=False, lr=0.1): a prepared run that nobody advances yet."""

    def make(kind: str = "points", *, playing: bool = True, **fields: Any) -> Run:
        run = Run("test", make_config(kind, **fields), playing=playing)
        run.prepare()
        return run

    return make
