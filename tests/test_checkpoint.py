"""Checkpoints of our own: written, opened again bit for bit, and refused when they are broken."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from tests.conftest import MakeRun
from wgan import cli
from wgan.runs.run import Run
from wgan.zoo.architecture import ZooError
from wgan.zoo.bundled import FOLDER, bundled
from wgan.zoo.checkpoint import FILES, open_checkpoint, save_run, zip_of_run
from wgan.zoo.explore import draw_latents
from wgan.zoo.open import open_place
from wgan.zoo.upload import open_upload

LARGEST = 8_000_000  # bytes of a bundled checkpoint's weights


def trained(make_run: MakeRun, kind: str = "points", **fields: Any) -> Run:
    run = make_run(kind, **fields)
    run.stop_after(3)
    while run.active:
        run.advance(1)
    return run


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("points", {"ema": 0.9}),
        ("mlp", {"output": "sigmoid", "norm": "batch"}),
        ("dcgan", {"norm_g": "batch", "norm_d": "layer"}),
        ("resnet", {"norm": "spectral"}),
        ("dcgan", {"data": "avatars", "image_size": 16}),
    ],
)
def test_what_was_on_screen_is_drawn_again(
    make_run: MakeRun, tmp_path: Path, kind: str, fields: dict[str, Any]
):
    run = trained(make_run, kind, **fields)
    save_run(run.export_now(), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(FILES)
    checkpoint = open_checkpoint(tmp_path)
    latents = draw_latents(checkpoint.architecture, 5, seed=0)
    samples = checkpoint.sample(latents)
    # Sums come in another order where the trainer keeps its channels innermost.
    assert torch.allclose(samples, run._loop.trainer.sample(latents), atol=1e-5)
    shown = run._loop.trainer.shown_generator.state_dict()
    kept = checkpoint.generator.state_dict()
    assert all(torch.equal(kept[name], shown[name]) for name in shown)
    inputs = run._loop.trainer.generate(latents)
    assert torch.allclose(checkpoint.score(samples), run._loop.trainer.score(inputs), atol=1e-5)
    assert checkpoint.experiment == run.first_config
    assert checkpoint.steps == 3
    assert set(checkpoint.curves) == set(run.frame.curves)
    assert checkpoint.command == "python " + checkpoint.command.partition(" ")[2]  # pyright: ignore
    assert Image.open(tmp_path / "samples.png").size[0] > 100


def test_a_card_tells_the_hub_what_it_is(make_run: MakeRun, tmp_path: Path):
    from huggingface_hub import ModelCard

    save_run(trained(make_run, "dcgan", data="avatars", image_size=16).export_now(), tmp_path)
    card = ModelCard.load(tmp_path / "README.md")
    front = card.data.to_dict()
    assert {"wgan-lab", "wgan-gp", "avatars", "dcgan"} <= set(front["tags"])
    assert (front["license"], front["library_name"]) == ("mit", "wgan-lab")
    assert "python -m wgan train" in card.text
    assert "| glasses | no glasses" in card.text
    assert "---" not in open_checkpoint(tmp_path).card.partition("\n")[0]


def test_the_card_of_photographs_names_no_licence(make_run: MakeRun, tmp_path: Path):
    from dataclasses import replace

    saved = trained(make_run, "mlp").export_now()
    config = saved.config.replace({"data": "celeba", "image_size": 64})
    save_run(replace(saved, config=config, first_config=config), tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "license:" not in text
    assert "flwrlabs/celeba" in text
    assert "licence is to be named" in text


@pytest.mark.parametrize("one", bundled(), ids=lambda one: one.name)
def test_every_bundled_checkpoint_draws_and_is_small(one: Any, tmp_path: Path):
    assert (one.folder / "model.safetensors").stat().st_size <= LARGEST
    out = tmp_path / "x.png"
    assert cli.main(["sample", str(one.folder), "-n", "16", "--out", str(out)]) == 0
    assert Image.open(out).size[0] > 100
    checkpoint = open_place(one.folder)
    assert checkpoint.critic is not None
    assert checkpoint.curves
    assert "python -m wgan train" in checkpoint.card
    assert one.thumbnail(64).startswith(b"\x89PNG")


def test_the_promised_checkpoints_are_there():
    names = {path.name for path in FOLDER.iterdir() if path.is_dir()}
    assert {"digits-gan", "digits-wgan-clip", "digits-wgan-gp", "avatars-wgan-gp"} <= names
    assert {"ring-wgan-gp", "grid-wgan-gp"} <= names


# Broken ones.

Break = Callable[[Path], None]


def config(change: Callable[[dict[str, Any]], None]) -> Break:
    def apply(folder: Path) -> None:
        values = json.loads((folder / "config.json").read_text())
        change(values)
        (folder / "config.json").write_text(json.dumps(values))

    return apply


def settings(**fields: Any) -> Break:
    return config(lambda values: values["architecture"]["settings"].update(fields))


def tensors(change: Callable[[dict[str, torch.Tensor]], Any]) -> Break:
    def apply(folder: Path) -> None:
        values = load_file(folder / "model.safetensors")
        change(values)
        save_file(values, folder / "model.safetensors")

    return apply


def truncated(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])


W = "generator.0.weight"
BROKEN: dict[str, tuple[Break, str]] = {
    "no config": (lambda f: (f / "config.json").unlink(), "no config.json"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "model.safetensors"),
    "config is no JSON": (lambda f: (f / "config.json").write_text("{"), "not valid JSON"),  # pyright: ignore
    "config is a list": (lambda f: (f / "config.json").write_text("[]"), "format"),  # pyright: ignore
    "config of others": (config(lambda v: v.pop("format")), "format"),
    "no architecture": (config(lambda v: v.pop("architecture")), "architecture"),
    "another family": (config(lambda v: v["architecture"].update(family="gpt")), "family"),
    "a huge width": (settings(width=10**9), "width"),
    "a huge depth": (settings(depth=10**6), "depth"),
    "ten billion parameters": (
        settings(data="celeba", image_size=128, network="dcgan", width=256, output="tanh"),
        "width",
    ),
    "another width": (settings(width=16), "shape"),
    "another depth": (settings(depth=2), "lacks|does not know|shape"),
    "settings are a list": (
        config(lambda v: v["architecture"].update(settings=[])),
        "must be a JSON object",
    ),
    "no generator was trained": (settings(fakes="noisy_real"), "no generator to open"),
    "a renamed tensor": (tensors(lambda t: t.update({"generator.x": t.pop(W)})), "lacks"),
    "a missing tensor": (tensors(lambda t: t.pop(W)), "lacks"),
    "one tensor more": (tensors(lambda t: t.update({"generator.9.x": t[W] + 0})), "does not know"),
    "a wrong shape": (tensors(lambda t: t.update({W: t[W].T.contiguous()})), "shape"),
    "a wrong type": (tensors(lambda t: t.update({W: t[W].int()})), "type"),
    "NaN": (tensors(lambda t: t[W].fill_(torch.nan)), "finite|NaN"),
    "infinite": (tensors(lambda t: t[W].fill_(torch.inf)), "finite|infinite"),
    "a broken critic": (tensors(lambda t: t.pop("critic.1.weight")), "critic"),
    "no generator": (
        tensors(lambda t: [t.pop(name) for name in list(t) if name.startswith("generator")]),
        "generator",
    ),
    "a stranger's network": (tensors(lambda t: t.update({"x.y": torch.zeros(1)})), "x.y"),
    "cut short": (truncated, "."),
    "an HTML page": (
        lambda f: (f / "model.safetensors").write_text("<html>Not found</html>"),  # pyright: ignore
        ".",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_checkpoint_is_refused_with_one_sentence(
    make_run: MakeRun, tmp_path: Path, name: str
):
    save_run(make_run("points", playing=False).export_now(), tmp_path)
    damage, said = BROKEN[name]
    damage(tmp_path)
    with pytest.raises(ZooError, match=said) as refused:
        open_checkpoint(tmp_path)
    message = str(refused.value)
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 400
    assert cli.main(["sample", str(tmp_path), "--out", str(tmp_path / "x.png")]) == 2


@pytest.mark.parametrize("file", ["history.json", "events.json", "README.md", "samples.png"])
def test_what_is_not_needed_may_be_missing_or_broken(make_run: MakeRun, tmp_path: Path, file: str):
    save_run(make_run("points", playing=False).export_now(), tmp_path)
    for damage in (b'{"critic_loss": {"step": [1], "mean": "x"}}', b"\xff\xfe", b"[]"):
        (tmp_path / file).write_bytes(damage)
        open_checkpoint(tmp_path)
    (tmp_path / file).unlink()
    open_checkpoint(tmp_path)


# Uploads.


def test_the_labs_download_opens_again(make_run: MakeRun):
    run = trained(make_run)
    checkpoint = open_upload("mine.zip", zip_of_run(run.export_now()))
    latents = draw_latents(checkpoint.architecture, 4, seed=2)
    assert torch.equal(checkpoint.sample(latents), run._loop.trainer.sample(latents))


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


UPLOADS: dict[str, tuple[str, bytes]] = {
    "not a zip": ("a.zip", b"hello"),
    "an empty zip": ("a.zip", zipped({})),
    "without a config": ("a.zip", zipped({"model.safetensors": b"x"})),
    "outside": ("a.zip", zipped({"../config.json": b"{}", "../model.safetensors": b"x"})),
    "too deep": ("a.zip", zipped({"a/b/c/config.json": b"{}", "a/b/c/model.safetensors": b"x"})),
    "a bomb": ("a.zip", zipped({"config.json": b"{}", "model.safetensors": bytes(300_000_000)})),
    "empty weights": ("a.safetensors", b""),
    "text as weights": ("a.pt", b"import os"),
    "a long name": ("x" * 500 + ".safetensors", b"\x00" * 20),
    "no ending": ("weights", b"\x00" * 20),
}


@pytest.mark.parametrize("name", UPLOADS)
def test_a_hostile_upload_is_refused_with_one_sentence(name: str):
    with pytest.raises(ZooError) as refused:
        open_upload(*UPLOADS[name])
    assert "\n" not in str(refused.value)
    assert str(refused.value).endswith(".")
