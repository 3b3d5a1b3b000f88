"""What a search's hit says before it is pulled."""

from __future__ import annotations

import pytest

from wgan.hub import Found
from wgan.zoo.likely import verdict

OURS = ("config.json", "history.json", "model.safetensors")


@pytest.mark.parametrize(
    ("name", "tags", "files", "chance", "said"),
    [
        ("huggan/pggan-celebahq-1024", (), ("pytorch_model.bin",), "likely", "in the catalogue"),
        ("keras-io/WGAN-GP", (), (), "no", "Keras"),
        ("a/b", ("wgan-lab",), OURS, "likely", "this app"),
        ("a/b", (), OURS, "likely", "this app"),
        ("a/my-wgan-gp", ("pytorch",), ("netG.pth",), "perhaps", "netG.pth may hold a known"),
        ("a/faces", (), ("netG.pth",), "perhaps", "Nothing tells what netG.pth holds"),
        ("a/gan", (), (), "perhaps", "does not list its files"),
        ("a/gan", (), ("README.md",), "no", "empty"),
        ("a/gan", (), ("generator.h5",), "no", "Keras"),
        ("a/gan", (), ("G.pkl",), "no", "pickle"),
        ("a/gan", (), ("model_index.json", "unet/x.bin"), "no", "diffusers"),
        ("a/stylegan2-ada", (), ("G.pth",), "no", "StyleGAN"),
        ("a/style-gan", (), ("G.pth",), "no", "StyleGAN"),
        ("a/biggan-128", (), ("G.pth",), "no", "conditional"),
        ("a/mnist-cgan", (), ("G.pth",), "no", "conditional"),
        ("a/real-esrgan", (), ("G.pth",), "no", "image to image"),
        ("a/horse2zebra", ("cyclegan",), ("G.pth",), "no", "image to image"),
        ("a/hifigan", (), ("generator.pth",), "no", "sounds"),
        ("a/faces", ("unconditional-image-generation",), ("G.pth",), "perhaps", "shapes"),
    ],
)
def test_a_hit_says_whether_it_could_load(
    name: str, tags: tuple[str, ...], files: tuple[str, ...], chance: str, said: str
):
    found = verdict(Found(name, "model", 1, 1, tags, None, files))
    assert found.chance == chance
    assert said in found.why
    assert found.why.endswith(".")
