"""The whole road on the command line: train, push, find, pull back, draw."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.hub_server import HubServer
from wgan import cli
from wgan.hub import search
from wgan.zoo.checkpoint import FILES

REPO = "someone/small-ring"


def test_a_trained_generator_comes_back_from_the_hub_bit_for_bit(
    hub: HubServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    made, back = tmp_path / "made", tmp_path / "back"
    words = ["train", "ring-wgan-gp", "--set", "width=8", "--steps", "5", "--device", "cpu"]
    assert cli.main([*words, "--out", str(made)]) == 0

    monkeypatch.setenv("HF_TOKEN", HubServer.TOKEN)
    assert cli.main(["push", str(made), REPO]) == 0
    monkeypatch.delenv("HF_TOKEN")

    (found,) = search("small-ring")
    assert found.id == REPO
    capsys.readouterr()
    assert cli.main(["pull", REPO, "--out", str(back), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["files"]) == set(FILES)
    for name in FILES:
        assert (back / name).read_bytes() == (made / name).read_bytes()

    pictures = []
    for number, source in enumerate((str(made), REPO, str(back))):
        out = tmp_path / f"{number}.png"
        assert cli.main(["sample", source, "-n", "100", "--seed", "3", "--out", str(out)]) == 0
        pictures.append(out.read_bytes())
    assert pictures[0] == pictures[1] == pictures[2]
    assert cli.main(["replay", str(back)]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sample", "checkpoints/not/there", "--out", "x.png"], "OWNER/NAME"),
        (["sample", "checkpoints/ring-gan", "-n", "0", "--out", "x.png"], "-n is 0"),
        (["sample", "checkpoints/ring-gan", "--seed", "-1", "--out", "x.png"], "--seed is -1"),
        (["sample", "checkpoints/ring-gan", "--truncation", "nan", "--out", "x"], "--truncation"),
        (["sample", "checkpoints/ring-gan", "--out", "/proc/nothing/x.png"], "cannot be written"),
        (["sample", "someone/missing", "--out", "x.png"], "someone/missing"),
        (["push", "checkpoints", "someone/else"], "config.json"),
        (["import", "README.md", "--out", "x"], "README.md"),
        (["import", "nothing.pth", "--out", "x"], "nothing.pth"),
    ],
)
def test_bad_words_end_with_one_line(
    hub: HubServer, capsys: pytest.CaptureFixture[str], words: list[str], said: str
):
    assert cli.main(words) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("wgan: ")
    assert said in error
