"""The optimizers are torch's to the bit, and leave the compiler where it is."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.optim import Optimizer

from wgan import optimizers

CASES: list[tuple[str, dict[str, Any]]] = [
    ("Adam", {"lr": 0.03, "betas": (0.3, 0.8)}),
    ("Adam", {"lr": 0.03, "betas": (0.0, 0.9), "fused": True}),
    ("RMSprop", {"lr": 0.02}),
    ("SGD", {"lr": 0.1}),
]


@pytest.mark.parametrize(("name", "given"), CASES)
def test_the_steps_are_torchs(name: str, given: dict[str, Any]):
    weights = [torch.randn(3, 4, generator=torch.Generator().manual_seed(s)) for s in (0, 1)]
    ours, theirs = ([w.clone().requires_grad_() for w in weights] for _ in range(2))
    make, reference = getattr(optimizers, name), getattr(torch.optim, name)
    one, other = make(ours, **given), reference(theirs, **given)
    for _ in range(3):
        _descend(one, ours)
        _descend(other, theirs)
    again = make(ours, **given)
    again.load_state_dict(other.state_dict())  # what was saved by either is read by both
    other.load_state_dict(one.state_dict())
    _descend(again, ours)
    _descend(other, theirs)
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(ours, weights, strict=True))


def _descend(optimizer: Optimizer, weights: list[Tensor]) -> None:
    optimizer.zero_grad()
    sum(w.square().sum() for w in weights).backward()  # pyright: ignore[reportAttributeAccessIssue]
    optimizer.step()


def test_a_step_needs_no_compiler():
    code = """
import sys, torch
from wgan.config import from_dict
from wgan.data import load
from wgan.trainer import Trainer
for name in ("adam", "rmsprop", "sgd"):
    config = from_dict({"data": "ring8", "width": 4, "depth": 1, "optimizer": name})
    Trainer(config, load(config, torch.device("cpu"))).step()
print("torch._dynamo" in sys.modules)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert ended.stdout.strip() == "False", ended.stderr
