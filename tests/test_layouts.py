"""Published layouts: rebuilt to the same pictures, never confused, refused when a tensor is off."""

from __future__ import annotations

import itertools
import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.layouts import LAYOUTS, Draw, Weights, genforce, mm_lsgan, pyprobml
from wgan.zoo.architecture import Architecture, ZooError, check_size, load_strictly
from wgan.zoo.checkpoint import Checkpoint
from wgan.zoo.families import from_plain
from wgan.zoo.families.base import with_counters
from wgan.zoo.families.layouts import recognised
from wgan.zoo.importers import import_weights

NAMES = list(LAYOUTS)
OPENMMLAB = [name for name in NAMES if name.startswith("mm-")]
# Tensors without which the file is another sound one, or of which there may be more.
OPTIONAL = {"lornatang": {"main.6.bias"}}
MAX_ERROR = 1e-4


def small(name: str) -> Weights:
    make, sizes, _ = LAYOUTS[name]
    return make(**sizes)[0]


def from_file(weights: Any, folder: Path) -> Checkpoint:
    path = folder / "weights.pth"
    torch.save(weights, path)
    imported = import_weights(path)
    return Checkpoint(imported.architecture, imported.generator, card=imported.note)


def rebuilt(weights: Weights) -> Architecture:
    """What `import_weights` does with the tensors of a file."""
    tensors = {name.removeprefix("generator."): tensor for name, tensor in weights.items()}
    read = recognised(with_counters(tensors))
    if read is None:
        raise ZooError("No layout is like this.")
    architecture, named = read
    check_size(architecture.skeleton())
    load_strictly(architecture.build(), named, "generator")
    return architecture


def difference(checkpoint: Checkpoint, weights: Weights, draw: Draw) -> float:
    """The largest difference between the pictures here and those of the published maths."""
    # In double precision: what differs then is the maths, and not the order of the sums.
    checkpoint.generator.double()
    weights.update({k: v.double() for k, v in weights.items() if v.is_floating_point()})
    z = torch.randn(3, checkpoint.architecture.latent_dim).double()
    drawn, expected = checkpoint.sample(z), draw(z)
    assert tuple(drawn.shape[1:]) == checkpoint.architecture.sample_shape
    assert drawn.shape == expected.shape
    assert drawn.std() > 0.02, "a flat picture would prove nothing"
    return (drawn - expected).abs().max().item()


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_the_pictures_are_those_of_the_published_maths(tmp_path: Path, name: str, size: int):
    make = LAYOUTS[name][0]
    _, *sizes = LAYOUTS[name]
    weights, draw = make(**sizes[size - 1])
    checkpoint = from_file(weights, tmp_path)
    assert difference(checkpoint, weights, draw) < MAX_ERROR
    again = from_plain(json.loads(json.dumps(checkpoint.architecture.to_dict())))
    assert again == checkpoint.architecture
    assert checkpoint.card.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_one_tensor_off_is_refused_with_what_was_expected(name: str):
    weights = small(name)
    rebuilt(weights)
    for tensor in weights:
        others = {key: value for key, value in weights.items() if key != tensor}
        wrong = {
            "renamed": others | {f"{tensor}x": weights[tensor]},
            "extra": weights | {re.sub(r"\.?(\w+)$", r".other_\1", tensor): torch.ones(1)},
            "an axis more": others | {tensor: weights[tensor][None]},
            "missing": others,
        }
        if tensor in OPTIONAL.get(name, ()):
            del wrong["missing"]
        for how, changed in wrong.items():
            with pytest.raises(ZooError) as error:
                rebuilt(changed)
            sentence = str(error.value)
            assert "\n" not in sentence, (tensor, how)


@pytest.mark.parametrize("name", NAMES)
def test_one_channel_more_is_refused(name: str):
    weights = small(name)
    for tensor, value in weights.items():
        for axis in range(value.ndim):
            wider = weights | {tensor: torch.cat([value, value.narrow(axis, 0, 1)], axis)}
            try:
                changed = rebuilt(wider)
            except ZooError:
                continue
            # More latents by themselves are another sound generator, and nothing else is.
            assert changed.latent_dim == rebuilt(weights).latent_dim + 1, (tensor, axis)


@pytest.mark.parametrize(("name", "other"), [*itertools.permutations(NAMES, 2)])
def test_no_layout_is_taken_for_another(name: str, other: str):
    weights, foreign = small(name), small(other)
    architecture = rebuilt(weights)
    theirs = rebuilt(foreign)
    if architecture == theirs:  # the same network under two namings
        assert {name, other} <= {"genforce", "higan", "dissect", "dissect-old"} or {
            name,
            other,
        } == {"gan-zoo", "gan-zoo-bare"}
    # One tensor of the other's layout beside all of this one's: refused, not overlooked.
    extra = next((key for key in foreign if key not in weights), None)
    if extra is not None:
        with pytest.raises(ZooError):
            rebuilt(weights | {extra: foreign[extra]})


@pytest.mark.parametrize("name", OPENMMLAB)
@pytest.mark.parametrize(("bgr", "rgb"), [(0, 2), (1, 1), (2, 0)])
def test_openmmlabs_colours_are_turned_round(tmp_path: Path, name: str, bgr: int, rgb: int):
    """A last bias that makes one channel bright shows that colour: their first one is blue."""
    weights = small(name)
    last = [key for key in weights if key.endswith("bias") and weights[key].shape == (3,)][-1]
    kernel = next(key for key in weights if key.startswith(last.removesuffix("bias") + "weight"))
    weights[kernel] = torch.zeros_like(weights[kernel])
    weights[last] = torch.full((3,), -4.0)
    weights[last][bgr] = 4.0
    checkpoint = from_file(
        {"state_dict": {f"generator.{k}": v for k, v in weights.items()}}, tmp_path
    )
    picture = checkpoint.sample(torch.randn(1, checkpoint.architecture.latent_dim))[0]
    expected = torch.full((3, 1, 1), -1.0)
    expected[rgb] = 1.0
    assert (picture - expected).abs().max() < 0.01


def test_openmmlabs_grey_pictures_have_nothing_to_turn(tmp_path: Path):
    for name in OPENMMLAB:
        weights, draw = LAYOUTS[name][0](channels=1)
        checkpoint = from_file(weights, tmp_path)
        assert difference(checkpoint, weights, draw) < MAX_ERROR


@pytest.mark.parametrize(
    ("best", "others"),
    [
        ("generator_smooth", ("generator", "discriminator")),
        ("generator_ema", ("generator", "discriminator")),
        ("avgG", ("netG", "netD")),
    ],
)
def test_the_averaged_generator_comes_first(tmp_path: Path, best: str, others: tuple[str, ...]):
    weights, draw = genforce()
    raw = {name: tensor + 1 for name, tensor in weights.items() if name != "lod"}
    raw["lod"] = weights["lod"]
    for nested in (True, False):
        networks = {**dict.fromkeys(others, raw), best: weights}
        if nested:
            checkpoint = from_file(networks, tmp_path)
        else:
            flat = {f"{owner}.{k}": v for owner, ws in networks.items() for k, v in ws.items()}
            checkpoint = from_file(flat, tmp_path)
        assert (checkpoint.sample(z := torch.randn(2, 6)) - draw(z)).abs().max() < 1e-3


def test_a_progressive_gan_that_still_grows_is_refused():
    weights = small("genforce") | {"lod": torch.tensor(0.5)}
    with pytest.raises(ZooError, match="still growing"):
        rebuilt(weights)


def test_the_parameters_of_the_published_sizes():
    """The counts that the sheets give, 1024 and 256 pixels; the images of other scales apart."""
    for size, expected in ((1024, 23_079_116), (256, 23_044_310)):
        scales = size.bit_length() - 2
        maps = [min(16384 // (4 * 2**s), 512) for s in range(scales)]
        values = {"family": "progressive", "variant": "karras", "latent_dim": 512}
        skeleton = from_plain({**values, "maps": maps, "channels": 3}).skeleton()
        count = sum(parameter.numel() for parameter in skeleton.parameters())
        unused = sum(3 * width + 3 for width in maps[:-1])
        assert count + unused + 1 == expected, "the level of detail is one more"


# The last activation, where no file tells.


def test_the_last_activation_is_a_choice_where_the_file_cannot_tell(tmp_path: Path):
    for name in ("lornatang", "pyprobml", "vanilla"):
        checkpoint = from_file(small(name), tmp_path)
        tanh, sigmoid = (checkpoint.with_output(output) for output in ("tanh", "sigmoid"))
        z = torch.randn(2, checkpoint.architecture.latent_dim)
        before = torch.atanh(tanh.sample(z).double().clamp(-1 + 1e-7, 1 - 1e-7))
        assert torch.allclose(2 * torch.sigmoid(before) - 1, sigmoid.sample(z).double(), atol=1e-3)
        assert checkpoint.architecture.output == ("sigmoid" if name == "pyprobml" else "tanh")
    for name in OPENMMLAB:
        with pytest.raises(ZooError, match="known"):
            from_file(small(name), tmp_path).with_output("sigmoid")


def test_a_lightning_checkpoint_of_pyprobml(tmp_path: Path):
    weights, draw = pyprobml()
    critic = {"discriminator.disc.0.0.weight": torch.ones(4, 3, 4, 4)}
    checkpoint = from_file({"epoch": 3, "state_dict": weights | critic}, tmp_path)
    assert difference(checkpoint, weights, draw) < MAX_ERROR


# What is refused, with a reason.


def stylegan() -> Weights:
    return {"mapping.fc0.weight": torch.ones(8, 8), "synthesis.b4.const": torch.ones(8, 4, 4)}


@pytest.mark.parametrize(
    ("weights", "word"),
    [
        (stylegan(), "StyleGAN"),
        ({"style.1.weight": torch.ones(8, 8), "input.input": torch.ones(1, 8, 4, 4)}, "StyleGAN"),
        ({"label_embedding.weight": torch.ones(10, 8), "main.0.weight": torch.ones(1)}, "class"),
        (small("mm-wgan-gp") | {"noise2feat.conv.weight": torch.ones(1)}, "two layouts"),
        ({"layer0.weight": torch.ones(4, 3, 4, 4)}, "two at each"),
        ({f"layer{10**9}.weight": torch.ones(4, 3, 4, 4)}, "not counted"),
        ({"noise2feat_head.0.weight": torch.ones(9, 3)}, "not counted"),
        (
            {"model.0.weight": torch.ones(4, 3), "model.2.weight": torch.ones(5, 4)}
            | {"model.0.bias": torch.ones(4), "model.2.bias": torch.ones(5)},
            "no square picture",
        ),
        (
            small("vanilla") | {"model.1.running_mean": torch.ones(12)},
            "batch normalisation",
        ),
    ],
)
def test_others_are_refused_with_the_reason(tmp_path: Path, weights: Weights, word: str):
    with pytest.raises(ZooError, match=word):
        from_file(weights, tmp_path)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (pickle.dumps({"fc.weight": np.ones(3)}), "torch.save did not write"),  # Jittor's
        (b"\x89HDF\r\n\x1a\n", "Keras"),
        (pickle.dumps(("G", "D", "Gs"), protocol=3), "torch.save did not write"),  # NVIDIA's
    ],
)
def test_files_of_other_libraries_are_refused(tmp_path: Path, content: bytes, word: str):
    path = tmp_path / "network.pkl"
    path.write_bytes(content)
    with pytest.raises(ZooError, match=word):
        import_weights(path)


def test_giant_shapes_are_refused_before_anything_is_allocated():
    one = torch.zeros(1)
    huge = {
        "layer0.weight": one.expand(4096, 4096, 4, 4),
        "layer0.bias": one.expand(4096),
        **{f"layer{i}.weight": one.expand(4096, 4096, 3, 3) for i in range(1, 18)},
        **{f"layer{i}.bias": one.expand(4096) for i in range(1, 18)},
        **{f"output{s}.weight": one.expand(3, 4096, 1, 1) for s in range(9)},
        **{f"output{s}.bias": one.expand(3) for s in range(9)},
        "lod": torch.tensor(0.0),
    }
    with pytest.raises(ZooError, match="parameters"):
        rebuilt(huge)
    linear = {"noise2feat_head.0.weight": one.expand(4096 * 64, 4096)}
    with pytest.raises(ZooError):
        rebuilt(mm_lsgan()[0] | linear)


# pytorch_GAN_zoo keeps an object beside its weights.


class BaseConfig:
    """Stands for theirs, under its name."""

    def __init__(self) -> None:
        self.depthScales = [512, 512, 256]
        self.alpha, self.imagefolder, self.miniBatchStdDev = 0.0, None, True
        self.inner = {"a": 1, "b": [2, 3], "c": (1.5, "x")}


BaseConfig.__module__, BaseConfig.__qualname__ = "models.utils.config", "BaseConfig"


@pytest.fixture
def their_module(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    import types

    module = types.ModuleType("models.utils.config")
    module.BaseConfig = BaseConfig  # pyright: ignore[reportAttributeAccessIssue]
    for name in ("models", "models.utils"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "models.utils.config", module)


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("config", ["object", "dict"])
def test_the_config_object_is_admitted_and_never_made(
    tmp_path: Path, their_module: None, config: str, legacy: bool, monkeypatch: pytest.MonkeyPatch
):
    weights, draw = LAYOUTS["gan-zoo"][0]()
    other = nn.Conv2d(3, 1, 4).state_dict()
    path = tmp_path / "celeba.pth"
    saved = {
        "config": BaseConfig() if config == "object" else {"alpha": 0.0, "scales": [1, 2]},
        "netG": {name: tensor + 1 for name, tensor in weights.items()},
        "netD": other,
        "avgG": weights,
    }
    torch.save(saved, path, _use_new_zipfile_serialization=not legacy)

    def called(*_: object) -> None:
        raise AssertionError("their class was used")

    monkeypatch.setattr(BaseConfig, "__new__", called)
    monkeypatch.setattr(BaseConfig, "__setstate__", called, raising=False)
    imported = import_weights(path)
    checkpoint = Checkpoint(imported.architecture, imported.generator)
    assert difference(checkpoint, weights, draw) < MAX_ERROR


class Evil:
    def __reduce__(self) -> Any:
        return exec, ("open('/tmp/wgan-lab-was-here', 'w')",)


class OtherConfig(BaseConfig):
    pass


OtherConfig.__module__, OtherConfig.__qualname__ = "models.utils.config", "OtherConfig"


def evil_configs() -> list[Any]:
    """Objects that hide something beside the weights."""
    with_evil, with_class, with_slot = BaseConfig(), BaseConfig(), BaseConfig()
    with_evil.inner = {"a": Evil()}
    with_class.__dict__["__class__"] = Evil()
    with_slot.__dict__["avgG"] = Evil()
    return [with_evil, with_class, with_slot, Evil(), {"a": [Evil()]}]


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("which", range(5))
def test_nothing_hides_in_the_config_object(
    tmp_path: Path, their_module: None, which: int, legacy: bool
):
    path = tmp_path / "celeba.pth"
    saved = {"config": evil_configs()[which], "avgG": small("gan-zoo")}
    torch.save(saved, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(ZooError, match="would run code"):
        import_weights(path)
    assert not Path("/tmp/wgan-lab-was-here").exists()


def test_an_object_of_another_class_is_refused(tmp_path: Path, their_module: None):
    import sys

    sys.modules["models.utils.config"].OtherConfig = OtherConfig  # pyright: ignore
    path = tmp_path / "celeba.pth"
    torch.save({"config": OtherConfig(), "avgG": small("gan-zoo")}, path)
    with pytest.raises(ZooError, match="OtherConfig"):
        import_weights(path)


def test_a_config_object_in_the_place_of_weights_is_refused(tmp_path: Path, their_module: None):
    path = tmp_path / "celeba.pth"
    for saved in (BaseConfig(), {"avgG": BaseConfig()}, {"avgG": {"formatLayer": BaseConfig()}}):
        torch.save(saved, path)
        with pytest.raises(ZooError) as error:
            import_weights(path)
        assert "\n" not in str(error.value)


def test_sheets_of_tensors_without_numbers_are_refused():
    for name in NAMES:
        weights: dict[str, Tensor] = {
            k: v[..., :0] if v.ndim else v for k, v in small(name).items()
        }
        with pytest.raises(ZooError):
            rebuilt(weights)


def test_the_page_has_words_for_every_family():
    from wgan.ui.gallery.viewer import _FAMILIES
    from wgan.zoo.families import FAMILIES

    assert set(_FAMILIES) == set(FAMILIES) - {"wgan-lab"}
