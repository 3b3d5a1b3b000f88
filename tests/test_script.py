"""The exported script: our networks, our losses, our steps, in a file that stands alone."""

from __future__ import annotations

import ast
import contextlib
import itertools
import json
import os
import re
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.conftest import MakeConfig
from wgan import cli, losses
from wgan.config import ConfigError, ExperimentConfig, choices
from wgan.data import load
from wgan.export.script import MAX_LINES, MAX_POINTS, refusal, script
from wgan.presets import PRESETS
from wgan.trainer import Data, Trainer
from wgan.types import Event

Capture = pytest.CaptureFixture[str]
ALLOWED = {"argparse", "copy", "math", "numpy", "torch", "sklearn"}
CPU = torch.device("cpu")


@contextlib.contextmanager
def loaded(text: str):
    """The names that a script defines; the random numbers that it draws are nobody else's."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        names: dict[str, Any] = {"__name__": "exported"}
        exec(compile(text, "exported.py", "exec"), names)
        yield names


def some(objective: str, constraint: str, at: int) -> dict[str, Any]:
    """Fields of a small experiment; the choices that do not depend on each other take turns."""

    def turn(name: str, shift: int = 0) -> Any:
        return choices(name)[(at + shift) % len(choices(name))]

    data = ("ring8", "digits", "grid25", "swissroll", "digits", "moons", "spiral", "twolines")
    name = data[at % len(data)]
    images = name == "digits"
    network = "dcgan" if at % 16 == 1 else "mlp"
    fields = {
        "data": name,
        "objective": objective,
        "constraint": constraint,
        "norm_g": turn("norm_g"),
        "norm_d": turn("norm_d", 2),
        "optimizer_g": turn("optimizer_g"),
        "optimizer_d": turn("optimizer_d", 1),
        "activation": turn("activation"),
        "latent": turn("latent"),
        "network": network,
        "output": ("tanh", "sigmoid", "linear")[at % 3] if images else "linear",
        "image_size": (8, 16)[at // 8 % 2],
        "ema": (0.0, 0.5)[at // 2 % 2],
        "limit": (0, 300)[at % 2],
        "generator_steps": (1, 1, 2)[at % 3],
        "shared_latents": at % 4 == 3,
    }
    if network == "mlp":
        # Not before a batch normalisation: the gradients grow so large there that a bias without
        # effect gets more than rounding from them.
        maxout = at // 3 % 2 and fields["norm_d"] != "batch"
        fields |= {"maxout_d": 3 if maxout else 1, "widths_d": ([], [9], [7, 5])[at % 3]}
        fields |= {"widths_g": ([], [6, 8])[at % 2]}
    # No defaults: a script that ignored one of these would be another experiment.
    numbers = {"gp_weight": 0.7, "gp_target": 0.4, "clip_value": 0.2, "beta1": 0.3, "beta2": 0.95}
    sizes = {"width": 8, "depth": 2, "latent_dim": 3, "batch_size": 8, "critic_steps": 2}
    return fields | numbers | sizes | {"lr_g": 2e-3, "lr_d": 3e-3}


PAIRS = list(itertools.product(choices("objective"), choices("constraint")))


@pytest.mark.parametrize("at", range(len(PAIRS)), ids=["-".join(pair) for pair in PAIRS])
def test_a_script_has_our_losses_and_trains(at: int, capsys: Capture):
    config = ExperimentConfig(**some(*PAIRS[at], at=at))
    text = script(config, steps=3)
    lines = text.splitlines()
    assert len(lines) <= MAX_LINES
    assert max(map(len, lines)) <= 100
    assert not any(line != line.rstrip() for line in lines)
    with loaded(text) as names:
        _same_losses(config, names)
        for parameter in names["train"](3).parameters():
            assert parameter.isfinite().all()
        real = names["sample_real"](5)
        assert real.shape == (5, *config.sample_shape)
        if config.data in ("ring8", "grid25", "digits"):
            names["report"](real * 2 - 1 if config.output == "sigmoid" else real)
    told = capsys.readouterr().out
    assert "step 3: critic" in told
    if config.data in ("ring8", "grid25", "digits"):
        assert float(re.findall(r"high quality (\S+)", told)[0]) >= 0.8  # of real data


def test_a_script_drops_units_as_we_do():
    config = ExperimentConfig(dropout_d=0.3, width=64, depth=1, objective="gan", constraint="none")
    with loaded(script(config)) as names:
        theirs, x = names["make_critic"](), torch.ones(1, 2).expand(20_000, 2)
        spread = theirs(x).std()
        assert theirs.eval()(x).std() < 1e-6
    ours = Trainer(config, load(config, CPU)).critic
    with_our_weights(lambda: theirs.train(), ours)
    torch.testing.assert_close(theirs(x).std(), ours(x).std(), rtol=0.05, atol=0)
    assert spread > 0.01


def layers(network: nn.Module) -> list[nn.Module]:
    """All that has weights, in the order in which it stands."""
    norms = (nn.modules.batchnorm._NormBase, nn.LayerNorm)
    weighted = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    return [module for module in network.modules() if isinstance(module, (*norms, *weighted))]


def with_our_weights(make: Callable[[], nn.Module], ours: nn.Module) -> nn.Module:
    theirs = make()
    for there, here in zip(layers(theirs), layers(ours), strict=True):
        there.load_state_dict(here.state_dict())
    return theirs


@contextlib.contextmanager
def our_draws(trainer: Trainer, names: dict[str, Any]) -> Iterator[None]:
    """Lets the script draw what the trainer will draw from here on."""
    _, data, noise, alpha, _ = (
        torch.Generator().set_state(state) for state in trainer.state_dict()["rng"]
    )
    rand: Any = torch.rand
    to_range = trainer.to_output_range
    names["sample_real"] = lambda n: to_range(trainer.data.sample(n, data))
    names["latents"] = lambda n: trainer.draw_latents(n, noise)

    def drawn_alpha(*shape: int, **options: Any) -> Tensor:
        return rand(*shape, **{"generator": alpha} | options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "rand", drawn_alpha)
        yield


class Doubled:
    """A data set in float64."""

    def __init__(self, data: Data) -> None:
        self._data = data

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return self._data.sample(n, generator).double()


@pytest.fixture
def float64(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything computes in float64, so that rounding leaves nothing to tell apart.

    In float32 a bias before a batch normalisation has a gradient of rounding errors alone, which
    Adam and RMSProp blow up into whole steps.
    """
    monkeypatch.setattr(Tensor, "float", lambda self: self.double())
    # Sets that are shared in the process stay as they are.
    monkeypatch.setattr("wgan.data.images._loaded", weakref.WeakValueDictionary())
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("at", range(len(PAIRS)), ids=["-".join(pair) for pair in PAIRS])
def test_a_script_with_our_weights_and_draws_is_our_run(at: int):
    config = ExperimentConfig(**some(*PAIRS[at], at=at))
    trainer = Trainer(config, Doubled(load(config, CPU)))
    with loaded(script(config)) as names:
        generator = with_our_weights(names["make_generator"], trainer.generator)
        critic = with_our_weights(names["make_critic"], trainer.critic)
        real, latents = trainer.draw_real(8), trainer.draw_latents(8)
        for network, theirs, x in (
            (trainer.generator, generator, latents),
            (trainer.critic, critic, real),
        ):
            torch.testing.assert_close(theirs(x), network(x), rtol=0, atol=1e-12)
        start = [parameter.detach().clone() for parameter in generator.parameters()]
        names |= {"make_generator": lambda: generator, "make_critic": lambda: critic}
        with our_draws(trainer, names):
            shown = names["train"](20)
        for _ in range(20):
            trainer.step()
        moved = zip(start, generator.parameters(), strict=True)
        assert max((old - new).abs().max() for old, new in moved) > 1e-4
        for network, theirs in (
            (trainer.generator, generator),
            (trainer.critic, critic),
            (trainer.shown_generator, shown),
        ):
            for here, there in zip(layers(network), layers(theirs), strict=True):
                for name, value in here.state_dict().items():
                    torch.testing.assert_close(there.state_dict()[name], value, rtol=0, atol=2e-5)


def _same_losses(config: ExperimentConfig, names: dict[str, Any]) -> None:
    scores = torch.randn(2, 7, generator=torch.Generator().manual_seed(1)) * 2
    real, fake = scores
    ours = losses.critic_loss(config.objective, real, fake)
    torch.testing.assert_close(names["critic_loss"](real, fake), ours)
    ours = losses.generator_loss(config.objective, fake)
    torch.testing.assert_close(names["generator_loss"](fake), ours)
    if config.constraint in ("none", "clip"):
        assert "penalty" not in names
        return
    critic = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(4), torch.nn.Tanh(),
                                 torch.nn.Linear(4, 1), torch.nn.Flatten(0))  # fmt: skip
    real, fake = torch.randn(2, 5, *config.sample_shape)
    critic(real)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        theirs = names["penalty"](critic, real, fake)
        torch.manual_seed(3)
        alpha = torch.rand(5, *[1] * (real.dim() - 1))
    ours = losses.penalty(
        config.constraint, critic, real, fake, alpha, weight=config.gp_weight,
        target=config.gp_target,
    )  # fmt: skip
    torch.testing.assert_close(theirs, ours)


def test_real_data_of_a_script_is_ours(make_config: MakeConfig):
    for data in ("ring8", "grid25", "swissroll", "moons", "spiral", "twolines", "digits"):
        images = {"output": "tanh"} if data == "digits" else {}
        config = make_config("mlp" if images else "points", data=data, **images)
        from wgan.data import load

        ours = load(config, CPU).sample(4000, torch.Generator().manual_seed(1)).flatten(1)
        with loaded(script(config)) as names:
            theirs = names["sample_real"](4000).flatten(1)
        # Moments and reach of the same distribution; 4,000 samples each.
        torch.testing.assert_close(theirs.mean(0), ours.mean(0), atol=0.08, rtol=0)
        torch.testing.assert_close(theirs.T.cov(), ours.T.cov(), atol=0.08, rtol=0)
        assert abs(theirs.abs().max() - ours.abs().max()) < 0.12


def test_drawn_points_and_patches_come_along():
    points = ExperimentConfig(data="points", points=((0.5, 1), (-1, 0.25)), width=8)
    with loaded(script(points)) as names:
        samples = names["sample_real"](400)
        distance = torch.cdist(samples, torch.tensor([[0.5, 1], [-1, 0.25]])).min(1).values
        assert distance.max() < 0.1
    patches = ExperimentConfig(data="patches", image_size=8, output="tanh", width=8, limit=50)
    with loaded(script(patches)) as names:
        from wgan.data.patches import load_patches

        assert torch.equal(names["IMAGES"], load_patches(8)[:50])
        assert -1 <= names["sample_real"](20).min() < names["sample_real"](20).max() <= 1


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_has_a_script_or_a_sentence(name: str):
    config = PRESETS[name].config
    if (why := refusal(config)) is not None:
        assert config.data in ("avatars", "mnist", "cifar10", "celeba", "lsun")
        assert why.endswith(".")
        with pytest.raises(ConfigError, match="script"):
            script(config)
        return
    tree = ast.parse(script(config))
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    modules = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        for node in imports
        for alias in node.names
    }
    assert {module.split(".")[0] for module in modules} <= ALLOWED
    names = {alias.asname or alias.name for node in imports for alias in node.names}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert {name.split(".")[0] for name in names} <= used  # nothing is imported for nothing


def test_only_the_branch_in_use_is_shown():
    clip = script(PRESETS["ring-wgan-clip"].config)
    gp = script(PRESETS["ring-wgan-gp"].config)
    assert "clip_weights" in clip
    assert "penalty" not in clip
    assert "RMSprop" in clip
    assert "penalty" in gp
    assert "clip_weights" not in gp
    assert "λ E[(‖∇D(x̂)‖ − k)²]" in gp
    assert "softplus" not in clip + gp
    assert "averaged" in gp
    assert "averaged" not in clip


@pytest.mark.parametrize(
    "fields",
    [
        {"data": "folder", "folder": "0" * 64, "output": "tanh"},
        {"data": "hub:owner/pictures", "output": "tanh"},
        {"data": "points", "points": [[0, 0]] * (MAX_POINTS + 1)},
        {"data": "digits", "network": "resnet", "output": "tanh"},
        {"fakes": "noisy_real"},
        {"faults": ["sign_flipped"]},
        {"freeze_g": True},
        {"precision": "bfloat16"},
    ],
)
def test_what_cannot_be_a_script_is_refused_in_one_sentence(fields: dict[str, Any]):
    why = refusal(ExperimentConfig().replace(fields))
    assert why is not None
    assert why.endswith(".")
    assert "\n" not in why


def test_as_many_points_as_it_takes_still_fit():
    config = ExperimentConfig(
        data="points",
        points=((1.23456, -2.34567),) * MAX_POINTS,
        constraint="gp_onesided",
        norm_g="batch",
        norm_d="layer",
        ema=0.9,
    )
    events = [Event(i, "change", "a change") for i in range(9)]
    lines = script(config, events=events).splitlines()
    assert len(lines) <= MAX_LINES
    assert max(map(len, lines)) <= 100


def test_changes_on_the_way_are_told_and_cannot_break_out_of_the_comment():
    events = [Event(10 * i, "change", f"change {i}") for i in range(1, 9)]
    events.append(Event(99, "change", 'x """\nimport os\\'))
    text = script(PRESETS["ring-gan"].config, events=events, file='"""; import os')
    tree = ast.parse(text)
    told = ast.get_docstring(tree) or ""
    assert "step 80: change 8" in told
    assert "3 earlier changes" in told
    assert "import os" in told
    assert not any(
        alias.name == "os"
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    )


def alone(text: str, folder: Path, *words: str) -> str:
    """What a script prints in a process of its own that cannot see this project."""
    path = folder / "run.py"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", str(path), *words],
        cwd=folder, capture_output=True, text=True, check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def modes_of(printed: str) -> int:
    (modes,) = re.findall(r"^modes (\d+) of \d+ ", printed, re.MULTILINE)
    return int(modes)


def ours(preset: str, steps: int, capsys: Capture) -> int:
    capsys.readouterr()
    words = ["train", preset, "--steps", str(steps), "--device", "cpu", "--json"]
    assert cli.main(words) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])["modes"]


def test_a_script_alone_covers_the_modes_that_we_do(tmp_path: Path, capsys: Capture):
    text = script(PRESETS["digits-wgan-gp"].config, steps=2000)
    printed = alone(text, tmp_path, "--steps", "120", "--seed", "1")
    expected = ours("digits-wgan-gp", 120, capsys)
    assert "step 120:" in printed
    assert expected >= 5  # there is something to agree on
    assert abs(modes_of(printed) - expected) <= 1


# Steps, and the modes that we have by then: with none there would be nothing to agree on.
LONG = {"ring-wgan-gp": (1500, 7), "grid-wgan-gp": (3000, 20), "digits-wgan-gp": (1000, 9)}


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("preset", list(LONG))
def test_a_long_script_alone_covers_the_modes_that_we_do(
    preset: str, tmp_path: Path, capsys: Capture
):
    steps, least = LONG[preset]
    printed = alone(script(PRESETS[preset].config), tmp_path, "--steps", str(steps))
    expected = ours(preset, steps, capsys)
    print(f"{preset}: {modes_of(printed)} modes alone, {expected} ours, {steps} steps")
    assert expected >= least
    assert abs(modes_of(printed) - expected) <= 1
