"""The Space: what the README's front matter and the Dockerfile promise each other."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import SpaceCard

from benchmarks.dockerfile import context, expand, read_dockerfile

ROOT = Path(__file__).parents[1]
INSTRUCTIONS = read_dockerfile(ROOT / "Dockerfile")


def texts(name: str) -> list[str]:
    return [one.text for one in INSTRUCTIONS if one.name == name]


def test_the_front_matter_is_a_docker_space_on_the_port_of_the_command() -> None:
    card = SpaceCard.load(ROOT / "README.md").data.to_dict()
    assert card["sdk"] == "docker"
    assert len(card["short_description"]) <= 60
    (command,) = (one.words() for one in INSTRUCTIONS if one.name == "CMD")
    port = str(card["app_port"])
    assert f"--server.port={port}" in command
    assert texts("EXPOSE") == [port]
    assert f":{port}/_stcore/health" in texts("HEALTHCHECK")[0]


def test_the_front_matter_names_what_the_app_uses() -> None:
    text = (ROOT / "README.md").read_text()
    front, body = text.split("---\n")[1:3]
    card = SpaceCard.load(ROOT / "README.md").data.to_dict()
    assert card["suggested_hardware"] == "cpu-basic"
    names = (ROOT / "wgan/zoo/catalog.json").read_text()
    assert all(f'"{model}"' in names for model in card["models"])
    for data in card["datasets"]:
        assert f"`{data}`" in body or f"hub:{data}" in body, data
    # An address: the Hub takes no path there.
    base, path = card["thumbnail"].split("/resolve/main/")
    assert base.startswith("https://huggingface.co/spaces/")
    assert (ROOT / path).exists()
    assert "suggested_storage" not in front  # the Hub has no such disks any more


def test_the_app_runs_as_a_user_who_owns_nothing_but_its_home() -> None:
    names = [one.name for one in INSTRUCTIONS]
    assert texts("USER") == ["user"]
    assert any("--uid 1000" in text for text in texts("RUN"))
    assert "RUN" not in names[names.index("USER") :]
    assert "COPY" not in names[names.index("USER") :]
    assert not any("--chown" in text for text in texts("COPY"))
    # Were HOME the user's while root installs, root would make folders in it.
    home = next(i for i, one in enumerate(INSTRUCTIONS) if "HOME=/home/user" in one.text)
    assert home > max(i for i, name in enumerate(names) if name == "RUN")
    for name in ("WGAN_DATA", "WGAN_AUTOSAVE", "HF_HOME"):
        assert INSTRUCTIONS[home].settings({})[name].startswith("/home/user/")


def test_the_image_has_all_that_runs_and_nothing_else() -> None:
    names = {path.as_posix() for path in context(ROOT)}
    assert {"app.py", "requirements.txt", "pages/lab.py", ".streamlit/config.toml"} <= names
    assert {f"wgan/{path.name}" for path in (ROOT / "wgan").glob("*.py")} <= names
    assert any(name.startswith("checkpoints/ring-gan/") for name in names)
    assert not any(name.startswith(("tests", "benchmarks", ".git", ".venv")) for name in names)
    assert not any("__pycache__" in name for name in names)


def test_a_dockerfile_is_read_as_docker_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text(
        '# one\nFROM a\nENV A=1 \\\n    B="two words" \\\n    # within\n    C=${A}/$B\n'
        'CMD ["x", \\\n  "y"]\n'
    )
    first, env, command = read_dockerfile(path)
    assert (first.name, first.text) == ("FROM", "a")
    assert env.settings({"A": "0", "B": "b"}) == {"A": "1", "B": "two words", "C": "0/b"}
    assert command.words() == ["x", "y"]
    assert expand("$A-${B}-$C", {"A": "1"}) == "1--"
