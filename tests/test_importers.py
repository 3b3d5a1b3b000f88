"""Other people's generators: rebuilt from real layouts to the same pixels, or refused."""

from __future__ import annotations

import contextlib
import inspect
import json
import re
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import PyTorchModelHubMixin
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from wgan import cli
from wgan.config import from_dict
from wgan.networks import build_generator
from wgan.zoo.architecture import ZooError
from wgan.zoo.checkpoint import open_checkpoint
from wgan.zoo.families import FAMILIES, from_plain
from wgan.zoo.importers import Imported, import_weights

Weights = dict[str, Tensor]


def lived_in(network: nn.Module, seed: int = 0) -> nn.Module:
    """Weights and running statistics as after training: none at its first value."""
    rng = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2, generator=rng)
        elif name.endswith("num_batches_tracked"):
            tensor.fill_(7)
        else:
            tensor.normal_(0, 0.2, generator=rng)
    return network.eval()


def latents(size: int, n: int = 5) -> Tensor:
    return torch.randn(n, size, generator=torch.Generator().manual_seed(1))


def saved(folder: Path, weights: Any, ending: str = "pth") -> Path:
    path = folder / f"weights.{ending}"
    if ending == "safetensors":
        save_file(weights, path)
    else:
        torch.save(weights, path)
    return path


def refusal(path: Path, config: Path | None = None) -> str:
    with pytest.raises(ZooError) as error:
        import_weights(path, config)
    sentence = str(error.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


@torch.no_grad()
def check_same(imported: Imported, reference: nn.Module, shaped: bool = False) -> None:
    """The imported generator draws what the reference draws, and so does one rebuilt from JSON."""
    architecture = imported.architecture
    z = latents(architecture.latent_dim)
    expected = reference(z[:, :, None, None] if shaped else z)
    assert not imported.generator.training
    assert torch.equal(imported.generator(z), expected)
    assert tuple(expected.shape[1:]) == architecture.sample_shape
    again = from_plain(json.loads(json.dumps(architecture.to_dict())))
    assert again == architecture
    rebuilt = again.build().eval()
    rebuilt.load_state_dict(imported.generator.state_dict())
    assert torch.equal(rebuilt(z), expected)


# The tutorial's generator, as its many copies write it.


class Tutorial(nn.Module):
    """`main` as in PyTorch's tutorial, with so many doublings."""

    def __init__(
        self,
        nz: int = 6,
        ngf: int = 3,
        nc: int = 3,
        doublings: int = 2,
        norm: bool = True,
        bias: bool = False,
        first: int = 4,
    ) -> None:
        super().__init__()
        widths = [nz, *(ngf * 2**i for i in reversed(range(doublings))), nc]
        layers: list[nn.Module] = []
        for i in range(doublings):
            place = (4, 2, 1) if i else (first, 1, 0)
            layers.append(nn.ConvTranspose2d(widths[i], widths[i + 1], *place, bias=bias))
            layers += [nn.BatchNorm2d(widths[i + 1]), nn.ReLU(True)] if norm else [nn.ReLU(True)]
        layers.append(nn.ConvTranspose2d(widths[-2], nc, 4, 2, 1, bias=bias))
        self.main = nn.Sequential(*layers, nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x)


class Blocks(nn.Module):
    """The same in blocks, as another widespread copy has it; only the last layer has a bias."""

    def __init__(self, z: int = 6, channels: int = 1, width: int = 2) -> None:
        super().__init__()
        self.net = nn.Sequential(
            self._block(z, width * 4, 1, 0),
            self._block(width * 4, width * 2, 2, 1),
            nn.ConvTranspose2d(width * 2, channels, 4, 2, 1),
            nn.Tanh(),
        )

    def _block(self, inputs: int, outputs: int, stride: int, padding: int) -> nn.Sequential:
        return nn.Sequential(
            nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"nz": 100, "ngf": 4, "nc": 1, "doublings": 4},  # as huggan/dcgan-mnist, but for its width
        {"nz": 100, "ngf": 2, "nc": 3, "doublings": 5},
        {"nz": 3, "ngf": 1, "doublings": 6},
        {"nz": 1, "ngf": 5, "nc": 1, "doublings": 1},
        {"norm": False},
        {"norm": False, "bias": True},
        {"bias": True, "nc": 1},
        {"first": 7, "nc": 1},
    ],
)
@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_tutorial_at_any_size(tmp_path: Path, fields: dict[str, Any], ending: str):
    reference = lived_in(Tutorial(**fields))
    imported = import_weights(saved(tmp_path, reference.state_dict(), ending))
    check_same(imported, reference, shaped=True)
    assert imported.architecture.family == "dcgan-tutorial"
    assert imported.architecture.output == "tanh"
    assert "tutorial" in imported.note


def test_the_size_of_the_tutorial(tmp_path: Path):
    reference = lived_in(Tutorial(nz=100, ngf=64, doublings=4))
    imported = import_weights(saved(tmp_path, reference.state_dict()))
    assert imported.architecture.sample_shape == (3, 64, 64)
    check_same(imported, reference, shaped=True)


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
@pytest.mark.parametrize("size", [{}, {"z": 20, "channels": 3, "width": 4}])
def test_tutorial_in_blocks(tmp_path: Path, ending: str, size: dict[str, int]):
    reference = lived_in(Blocks(**size))
    check_same(
        import_weights(saved(tmp_path, reference.state_dict(), ending)), reference, shaped=True
    )


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: name,
        lambda name: name.removeprefix("main."),
        lambda name: name.replace("main.", "net."),
        lambda name: name.replace("main.", "0."),
        lambda name: name.replace("main.", "module.gen."),
        lambda name: name.replace("main.", "module.generator.model."),
        lambda name: name.replace("main.", "layers."),
    ],
)
def test_tutorial_under_any_name(tmp_path: Path, rename: Callable[[str], str]):
    reference = lived_in(Tutorial(doublings=4))
    weights = {rename(name): tensor for name, tensor in reference.state_dict().items()}
    for ending in ("pth", "safetensors"):
        check_same(import_weights(saved(tmp_path, weights, ending)), reference, shaped=True)


def test_tutorial_beside_a_discriminator_and_an_optimiser(tmp_path: Path):
    reference, other = lived_in(Tutorial()), nn.Conv2d(3, 1, 4)
    checkpoint = {
        "epoch": 4,
        "netG": reference.state_dict(),
        "netD": other.state_dict(),
        "optimizer": torch.optim.Adam(other.parameters()).state_dict(),
    }
    check_same(import_weights(saved(tmp_path, checkpoint)), reference, shaped=True)


def test_tutorial_in_half_precision_and_before_torch_counted_batches(tmp_path: Path):
    reference = lived_in(Tutorial())
    reference.half().float()  # numbers that both can hold
    weights = {
        name: tensor.half()
        for name, tensor in reference.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    check_same(import_weights(saved(tmp_path, weights)), reference, shaped=True)


# OpenMMLab's generator, stated a second time: by functions instead of modules.


class TheirBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int, norm: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel)
        if norm:
            self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.conv.weight.shape[-1]
        x = functional.conv2d(x, self.conv.weight, self.conv.bias, padding=kernel // 2)
        return self.bn(x).clamp(min=0) if hasattr(self, "bn") else torch.tanh(x)


class TheirHead(nn.Module):
    def __init__(self, z: int, maps: int) -> None:
        super().__init__()
        self.linear = nn.Linear(z, maps * 16, bias=False)
        self.bias = nn.Parameter(torch.zeros(1, maps, 1, 1))
        self.norm = nn.BatchNorm2d(maps)

    def forward(self, z: Tensor) -> Tensor:
        x = functional.linear(z, self.linear.weight).reshape(len(z), -1, 4, 4)
        return self.norm((x + self.bias).clamp(min=0))


class OpenMMLab(nn.Module):
    def __init__(self, z: int, maps: list[int], channels: int = 3) -> None:
        super().__init__()
        self.noise2feat = TheirHead(z, maps[0])
        self.conv_blocks = nn.ModuleList([TheirBlock(maps[0], maps[0], 3, True)])
        for i in range(1, len(maps)):
            self.conv_blocks.append(nn.Identity())  # where they upsample
            self.conv_blocks.append(TheirBlock(maps[i - 1], maps[i], 3, True))
            self.conv_blocks.append(TheirBlock(maps[i], maps[i], 3, True))
        self.to_rgb = TheirBlock(maps[-1], channels, 1, False)

    def forward(self, z: Tensor) -> Tensor:
        x = self.noise2feat(z)
        for block in self.conv_blocks:
            if isinstance(block, nn.Identity):
                x = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
            x = block(x)
        image = self.to_rgb(x)  # blue first
        return image.flip(1) if image.shape[1] == 3 else image


def mm_checkpoint(**networks: nn.Module) -> dict[str, Any]:
    """A checkpoint as mmcv writes it: all networks in one dictionary."""
    tensors = OrderedDict(
        (f"{owner}.{name}", tensor)
        for owner, network in networks.items()
        for name, tensor in network.state_dict().items()
    )
    return {"meta": {"mmgen_version": "0.1.0", "iter": 160000, "seed": None}, "state_dict": tensors}


@pytest.mark.parametrize(
    ("z", "maps", "channels"), [(5, [6, 4], 3), (8, [8, 8, 4, 2, 2, 2], 3), (3, [4, 3, 2], 1)]
)
def test_openmmlab_at_any_size(tmp_path: Path, z: int, maps: list[int], channels: int):
    reference = lived_in(OpenMMLab(z, maps, channels))
    checkpoint = mm_checkpoint(generator=reference, discriminator=nn.Conv2d(3, 1, 4))
    imported = import_weights(saved(tmp_path, checkpoint))
    check_same(imported, reference)
    assert imported.architecture.family == "openmmlab-wgan-gp"


def test_openmmlab_at_its_own_size(tmp_path: Path):
    reference = lived_in(OpenMMLab(128, [512, 512, 256, 128, 64, 32]))
    imported = import_weights(saved(tmp_path, mm_checkpoint(generator=reference)))
    assert imported.architecture.sample_shape == (3, 128, 128)
    assert imported.architecture.latent_dim == 128
    with torch.no_grad():
        z = latents(128, 2)
        assert torch.equal(imported.generator(z), reference(z))


def test_the_averaged_generator_comes_first(tmp_path: Path):
    last, averaged = lived_in(OpenMMLab(5, [6, 4]), 1), lived_in(OpenMMLab(5, [6, 4]), 2)
    checkpoint = mm_checkpoint(generator=last, discriminator=last, generator_ema=averaged)
    check_same(import_weights(saved(tmp_path, checkpoint)), averaged)


# Ours, by the Hub's mixin.


class Ours(nn.Module, PyTorchModelHubMixin):
    """A generator of this app that was saved by `save_pretrained`."""

    def __init__(
        self,
        data: str = "digits",
        network: str = "dcgan",
        width: int = 4,
        latent_dim: int = 5,
        image_size: int = 16,
        output: str = "tanh",
        norm_g: str = "batch",
    ) -> None:
        super().__init__()
        fields = {name: value for name, value in locals().items() if name in OUR_FIELDS}
        rng = torch.Generator().manual_seed(0)
        self.net = build_generator(from_dict(fields), torch.device("cpu"), rng)

    def forward(self, z: Tensor) -> Tensor:
        return self.net(z)


OUR_FIELDS = {
    name: parameter.default
    for name, parameter in inspect.signature(Ours.__init__).parameters.items()
    if name != "self"
}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"network": "resnet", "norm_g": "layer", "data": "celeba", "image_size": 32},
        {"network": "mlp", "norm_g": "none", "data": "ring8", "output": "linear", "image_size": 8},
        {"norm_g": "spectral", "output": "sigmoid"},
    ],
)
def test_mixin(tmp_path: Path, fields: dict[str, Any]):
    reference = Ours(**fields)
    if fields.get("norm_g") != "spectral":
        lived_in(reference)
    reference.eval().save_pretrained(tmp_path)
    weights, config = tmp_path / "model.safetensors", tmp_path / "config.json"
    assert set(json.loads(config.read_text())) == set(OUR_FIELDS)
    imported = import_weights(weights, config)
    check_same(imported, reference)
    assert imported.architecture.family == "wgan-lab"
    save_file(reference.net.state_dict(), weights)  # without the module's name before them
    check_same(import_weights(weights, config), reference)


# The command line.


def test_import_writes_a_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    reference = lived_in(Tutorial())
    path, out = saved(tmp_path, reference.state_dict()), tmp_path / "out"
    assert cli.main(["import", str(path), "--out", str(out)]) == 0
    told = capsys.readouterr()
    assert told.out == f"{out}\n"
    assert "tutorial" in told.err
    checkpoint = open_checkpoint(out)
    with torch.no_grad():
        assert torch.equal(checkpoint.sample(latents(6)), reference(latents(6)[:, :, None, None]))
    assert cli.main(["import", str(out / "model.safetensors"), "--out", str(tmp_path / "b")]) == 2
    assert "checkpoint of this app" in capsys.readouterr().err


def test_import_takes_the_config_beside_the_weights(tmp_path: Path):
    reference = Ours().eval()
    reference.save_pretrained(tmp_path / "hub")
    weights, out = str(tmp_path / "hub" / "model.safetensors"), str(tmp_path / "out")
    assert cli.main(["import", weights, "--out", out]) == 0
    with torch.no_grad():
        assert torch.equal(
            open_checkpoint(tmp_path / "out").sample(latents(5)), reference(latents(5))
        )


def test_import_refuses_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = saved(tmp_path, lived_in(Tutorial()).state_dict())
    for words in (
        [str(tmp_path / "nowhere.pt"), "--out", str(tmp_path / "out")],
        [str(path), "--out", "/dev/null/x"],
        [str(path)],
        ["", "--out", str(tmp_path / "out")],
        ["/", "--out", str(tmp_path / "out")],
        ["nul\0.pt", "--out", str(tmp_path / "out")],
    ):
        assert cli.main(["import", *words]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert len(told.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


# What is refused.

SMALL: dict[str, Callable[[], tuple[Weights, dict[str, Any] | None]]] = {
    "tutorial": lambda: (lived_in(Tutorial(bias=True)).state_dict(), None),
    "blocks": lambda: (lived_in(Blocks()).state_dict(), None),
    "openmmlab": lambda: (lived_in(OpenMMLab(5, [6, 4])).state_dict(), None),
    "mixin": lambda: (lived_in(Ours()).state_dict(), OUR_FIELDS),
}
# Without it the file is another sound one: a bias of the last layer is everybody's choice.
OPTIONAL = {"net.2.bias"}


def mutated(weights: Weights, name: str, how: str) -> Weights:
    others = {key: tensor for key, tensor in weights.items() if key != name}
    if how == "renamed":
        return others | {f"{name}x": weights[name]}
    if how == "moved":
        return others | {re.sub(r"\d+", lambda m: str(int(m[0]) + 1), name, count=1): weights[name]}
    if how == "an axis more":
        return others | {name: weights[name][None]}
    if how == "extra":
        return weights | {f"{name}.other": torch.ones(1)}
    return others


@pytest.mark.parametrize("how", ["renamed", "moved", "missing", "an axis more", "extra"])
@pytest.mark.parametrize("layout", SMALL)
def test_one_wrong_tensor_is_refused(tmp_path: Path, layout: str, how: str):
    weights, fields = SMALL[layout]()
    config = tmp_path / "config.json" if fields else None
    if config:
        config.write_text(json.dumps(fields))
    for name in weights:
        if (how == "missing" and name in OPTIONAL) or (
            how == "moved" and not re.search(r"\d", name)
        ):
            continue
        refusal(saved(tmp_path, mutated(weights, name, how)), config)


@pytest.mark.parametrize("layout", SMALL)
def test_one_channel_too_many_is_refused(tmp_path: Path, layout: str):
    weights, fields = SMALL[layout]()
    config = tmp_path / "config.json" if fields else None
    if config:
        config.write_text(json.dumps(fields))
    for name, tensor in weights.items():
        # More latents or a wider first layer by itself would be another sound generator.
        axes = [axis for axis in range(tensor.ndim) if tensor.shape[axis] > 1]
        for axis in axes:
            if (layout, name, axis) in {
                ("tutorial", "main.0.weight", 0),
                ("blocks", "net.0.0.weight", 0),
                ("openmmlab", "noise2feat.linear.weight", 1),
            }:
                continue
            wider = torch.cat([tensor, tensor.narrow(axis, 0, 1)], axis)
            refusal(saved(tmp_path, weights | {name: wider}), config)


@pytest.mark.parametrize(
    ("network", "word"),
    [
        (nn.Sequential(nn.ConvTranspose2d(5, 4, 4), nn.ConvTranspose2d(4, 3, 4, 2, 1)), "between"),
        (
            nn.Sequential(
                nn.ConvTranspose2d(5, 4, 4),
                nn.ReLU(),
                nn.Upsample(scale_factor=2),
                nn.ConvTranspose2d(4, 3, 4, 2, 1),
            ),
            "between",
        ),
        (
            nn.Sequential(
                nn.ConvTranspose2d(5, 4, 4),
                nn.ReLU(),
                nn.BatchNorm2d(4),
                nn.ConvTranspose2d(4, 3, 4, 2, 1),
            ),
            "between",
        ),
        (
            nn.Sequential(
                nn.ConvTranspose2d(5, 4, 4), nn.ReLU(), nn.ConvTranspose2d(4, 3, 3, 2, 1)
            ),
            "stride in doubt",
        ),
        (
            nn.Sequential(
                nn.ConvTranspose2d(5, 4, 5), nn.ReLU(), nn.ConvTranspose2d(4, 3, 4, 2, 1)
            ),
            "stride in doubt",
        ),
        (
            nn.Sequential(
                nn.ConvTranspose2d(5, 4, 4), nn.ReLU(), nn.ConvTranspose2d(4, 5, 4, 2, 1)
            ),
            "5 channels",
        ),
        (Tutorial(ngf=1, doublings=7), "maps"),
        (nn.Sequential(nn.Linear(5, 9), nn.ReLU(), nn.Linear(9, 4)), "no square picture"),
        (nn.Sequential(nn.Conv2d(3, 4, 4), nn.ReLU(), nn.Conv2d(4, 1, 4)), "shape 3"),
        (nn.Sequential(nn.Embedding(10, 5), nn.ConvTranspose2d(5, 3, 4)), "known layout"),
        (nn.ModuleDict({"label_emb": nn.Embedding(10, 5)}), "conditional"),
        (nn.ModuleDict({"main": Tutorial(), "embed": nn.Embedding(10, 5)}), "conditional"),
        (nn.ModuleDict({"netD": nn.Conv2d(3, 1, 4)}), "netD"),
        (nn.ModuleDict({"up": nn.ConvTranspose2d(5, 3, 4), "conv1": nn.Conv2d(3, 3, 3)}), "known"),
        (
            nn.ModuleDict(
                {"deconv1": nn.ConvTranspose2d(5, 4, 4), "bn1": nn.BatchNorm2d(4)}
                | {"deconv2": nn.ConvTranspose2d(4, 3, 4, 2, 1)}
            ),
            "order is not known",
        ),
        (Ours().net, "config.json"),
    ],
)
def test_other_networks_are_refused(tmp_path: Path, network: nn.Module, word: str):
    assert word in refusal(saved(tmp_path, network.state_dict()))


def test_one_layer_is_no_generator(tmp_path: Path):
    kernel = torch.ones(4, 3, 4, 4)
    assert "known layout" in refusal(saved(tmp_path, {"0.weight": kernel, "0.bias": kernel}))
    assert "known layout" in refusal(saved(tmp_path, {"weight": kernel, "1.bias": kernel}))


def test_an_unknown_layout_is_named(tmp_path: Path):
    sentence = refusal(saved(tmp_path, {"encoder.weight": torch.ones(3, 2)}))
    assert "'encoder.weight' (3×2)" in sentence
    assert "DCGAN" in sentence
    assert "OpenMMLab" in sentence


@pytest.mark.parametrize(
    ("config", "word"),
    [
        (b"{", "valid JSON"),
        (b"\xff", "valid JSON"),
        (b"[" * 100_000, "valid JSON"),
        (b"[]", "list"),
        (b" " * 1_000_001, "1 MB"),
        (b'{"network": "dcgan", "latent_dim": 5, "image_size": 7}', "image_size"),
        (b'{"network": "dcgan", "latent_dim": 5, "nz": 7}', "nz"),
        (b'{"num_classes": 10, "nz": 6}', "conditional"),
    ],
)
def test_configs_that_do_not_fit(tmp_path: Path, config: bytes, word: str):
    path = saved(tmp_path, lived_in(Tutorial()).state_dict())
    (tmp_path / "config.json").write_bytes(config)
    assert word in refusal(path, tmp_path / "config.json")


def test_a_config_of_other_words_changes_nothing(tmp_path: Path):
    reference = lived_in(Tutorial())
    path = saved(tmp_path, reference.state_dict())
    (tmp_path / "config.json").write_text('{"nz": 6, "ngf": 3, "num_classes": 0}')
    check_same(import_weights(path, tmp_path / "config.json"), reference, shaped=True)
    assert "No such file" in refusal(path, tmp_path / "nowhere.json")


SHAPES = st.sampled_from(
    [
        *((), (0,), (1,), (3,), (4,), (48, 2), (5, 4, 4, 4), (4, 3, 4, 4), (4, 4, 4, 4)),
        *((0, 3, 4, 4), (4, 0, 4, 4), (4, 3, 3, 4), (1, 3, 1, 1), (3, 3, 3, 3), (3, 3, 1, 1)),
    ]
)
NAMES = st.sampled_from(
    [
        *(f"{path}.{leaf}" for path in ("0", "1", "2", "3") for leaf in ("weight", "bias")),
        *(
            "1.running_mean",
            "1.running_var",
            "1.num_batches_tracked",
            "weight",
            "",
            ".",
            "0",
            "w.1",
        ),
        *(
            "0.0.weight",
            "0.1.weight",
            "1.0.weight",
            "generator.0.weight",
            "G.",
            "generator",
            "critic",
        ),
        *("noise2feat.linear.weight", "noise2feat.bias", "to_rgb.conv.weight", "٣.weight", "²"),
        *("conv_blocks.0.conv.weight", "conv_blocks.2.conv.weight", "main.00.weight", "1" * 199),
    ]
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(NAMES, SHAPES, min_size=1, max_size=8))
def test_any_tensors_are_imported_or_refused(tmp_path: Path, shapes: dict[str, tuple[int, ...]]):
    path = saved(tmp_path, {name: torch.ones(shape) for name, shape in shapes.items()})
    with contextlib.suppress(ZooError):
        imported = import_weights(path)
        assert imported.generator(latents(imported.architecture.latent_dim)).isfinite().all()


# Numbers of an architecture, as a config.json has them.

DCGAN = {
    "family": "dcgan-tutorial",
    "latent_dim": 5,
    "first": 4,
    "maps": [4, 3],
    "norm": True,
    "bias": False,
    "last_bias": True,
    "output": "tanh",
    "bgr": False,
}
THEIRS = {"family": "openmmlab-wgan-gp", "latent_dim": 5, "maps": [4, 3], "channels": 3}

PROGRESSIVE = {
    "family": "progressive",
    "variant": "karras",
    "latent_dim": 5,
    "maps": [4, 3],
    "channels": 3,
}
LINEAR = {"family": "linear-layers", "latent_dim": 5, "widths": [4, 64], "output": "sigmoid"}
LSGAN = {
    "family": "openmmlab-lsgan",
    "latent_dim": 5,
    "side": 4,
    "maps": 8,
    "repeats": 1,
    "channels": 3,
}
JACOB = {"family": "jacobaustin-wgan", "latent_dim": 5, "maps": [8, 4, 4, 1]}


@pytest.mark.parametrize(
    "values",
    [
        None,
        [],
        {},
        {"family": "stylegan"},
        {"family": ["dcgan-tutorial"]},
        *(DCGAN | {"latent_dim": bad} for bad in (0, -1, 5.0, True, "5", None, 10**9)),
        *(DCGAN | {"first": bad} for bad in (3, 5, 8, None)),
        *(
            DCGAN | {"maps": bad}
            for bad in ([], [3], [4] * 7 + [3], [0, 3], [4, 2], 3, "43", [4.0, 3])
        ),
        *(DCGAN | {"maps": bad} for bad in ([10**9, 3], [[4], 3], {"4": 3}, [True, 3])),
        *(DCGAN | {"norm": bad} for bad in (1, "true", None, [])),
        DCGAN | {"first": 7, "maps": [4] * 6 + [3]},
        *(THEIRS | {"maps": bad} for bad in ([], [4], [4] * 8, [0, 4])),
        *(DCGAN | {"output": bad} for bad in ("relu", 1, None)),
        DCGAN | {"bgr": 1},
        DCGAN | {"bgr": True, "maps": [4, 1]},
        *(PROGRESSIVE | {"variant": bad} for bad in ("other", None, ["karras"])),
        *(PROGRESSIVE | {"maps": bad} for bad in ([], [4], [4] * 10, [0, 4], 8)),
        *(LINEAR | {"widths": bad} for bad in ([64], [4, 5], [4, 4], [4] * 8 + [64], [10**9, 64])),
        *(LSGAN | {"side": bad} for bad in (5, 3, 16, None)),
        *(LSGAN | {"repeats": bad} for bad in (-1, 5, "1")),
        *(JACOB | {"maps": bad} for bad in ([4, 4, 4], [4, 4, 4, 2], [4] * 5, [4] * 7)),
        *(THEIRS | {"channels": bad} for bad in (2, 0, 4, True, None)),
        {key: value for key, value in DCGAN.items() if key != "bias"},
        {"family": "wgan-lab", "settings": {"width": -1}},
    ],
)
def test_numbers_out_of_range_are_refused(values: Any):
    with pytest.raises(ZooError) as error:
        from_plain(values)
    assert str(error.value).endswith(".")


def test_good_numbers_are_taken():
    # As they were written before there was a choice of the output.
    earlier = {name: value for name, value in DCGAN.items() if name not in ("output", "bgr")}
    assert from_plain(earlier) == from_plain(DCGAN)
    assert {"wgan-lab", "dcgan-tutorial", "openmmlab-wgan-gp"} <= set(FAMILIES)
    for values in (DCGAN, THEIRS, PROGRESSIVE, LINEAR, LSGAN, JACOB):
        architecture = from_plain(values)
        assert architecture.to_dict() == values
        assert architecture.latent == "normal"
        assert all(parameter.is_meta for parameter in architecture.skeleton().parameters())


def test_building_leaves_the_global_random_state_alone():
    state = torch.get_rng_state()
    for values in (DCGAN, THEIRS, PROGRESSIVE, LINEAR, LSGAN, JACOB):
        from_plain(values).build()
    assert torch.equal(torch.get_rng_state(), state)


def test_too_large_a_network_is_not_built(tmp_path: Path):
    # 200 million numbers in three layers, which share what a third of them takes.
    one = torch.zeros(2048 * 2048 * 16, dtype=torch.float16)
    weights = {f"main.{i}.weight": one.view(2048, 2048, 4, 4) for i in (0, 2, 4)}
    weights["main.6.weight"] = one[: 2048 * 3 * 16].view(2048, 3, 4, 4)
    assert "parameters" in refusal(saved(tmp_path, weights))
