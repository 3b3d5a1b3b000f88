"""What a repository holds, pulls and pushes as jobs and as commands, and the catalogue."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from tests.hub_server import HubServer
from wgan import cli
from wgan.hub import HubError, describe, fetch, network, never
from wgan.zoo import job as job_module
from wgan.zoo.job import Jobs
from wgan.zoo.pull import pull
from wgan.zoo.repo_files import foreign, weights_file

GAN = "owner/gan"
OURS = {
    "config.json": b'{"format": 1}',
    "model.safetensors": bytes(range(256)) * 400,
    "history.json": b"{}",
    "samples.png": b"\x89PNG",
    "README.md": b"# A generator\n",
    "training.log": b"not pulled",
}
Capture = pytest.CaptureFixture[str]


def quiet(text: str, share: float | None) -> None:
    pass


# What a repository holds.


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        (["config.json", "model.safetensors", "critic.safetensors"], "model.safetensors"),
        (["weights/anything.safetensors"], "weights/anything.safetensors"),
        (["discriminator.safetensors", "generator.safetensors"], "generator.safetensors"),
        (["a.safetensors", "netG.pth", "b.safetensors"], "netG.pth"),
        (["pytorch_model.bin", "optimizer.bin"], "pytorch_model.bin"),
        (["pytorch_model.bin", "only.safetensors"], "only.safetensors"),
        (["generator_final.pth", "discriminator_final.pth"], "generator_final.pth"),
        (["netG_epoch_9.pth", "netG_epoch_99.pth", "netD_epoch_99.pth"], "netG_epoch_99.pth"),
        (["G.pt", "D.pt"], "G.pt"),
        (["3d_gan.pth"], "3d_gan.pth"),
        (["checkpoint.ckpt", "README.md"], "checkpoint.ckpt"),
        (["a.pth", "b.pth"], None),
        (["critic.pth", "training_args.bin", "scheduler.pt"], None),
        (["model.h5"], None),
        ([], None),
    ],
)
def test_the_file_with_the_generator_is_found(files: list[str], chosen: str | None):
    assert weights_file(files) == chosen
    assert weights_file(reversed(files)) == chosen
    assert (foreign(files) is None) == (chosen is not None)


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ([], "empty"),
        ([".gitattributes", "README.md"], "empty"),
        (["saved_model.pb", "variables/variables.index", "keras_metadata.pb"], "Keras"),
        (["g/saved_model.pb"], "Keras"),
        (["generator.h5"], "Keras"),
        (["model.keras"], "Keras"),
        (["model_index.json", "unet/diffusion_pytorch_model.safetensors"], "diffusers"),
        (["flax_model.msgpack", "config.json"], "Flax"),
        (["generator.onnx"], "ONNX"),
        (["config.json", "tokenizer.json", "model.safetensors"], "transformers"),
        (["preprocessor_config.json", "pytorch_model.bin"], "transformers"),
        (["model-00001-of-00002.safetensors"], "several parts"),
        (["adapter_config.json", "adapter_model.safetensors"], "adapter"),
        (["stylegan2.pkl"], "pickle"),
        (["a.pth", "b.pth"], "2 files of weights"),
        (["notes.txt"], "no file of PyTorch weights"),
    ],
)
def test_what_does_not_load_is_named(files: list[str], word: str):
    why = foreign(files)
    assert why is not None
    assert word in why
    assert why.endswith(".")
    assert "\n" not in why


def test_keras_files_beside_a_torch_generator_do_not_matter():
    assert foreign(["generator.h5", "generator.pth"]) is None


# Pulling.


def test_pull_brings_our_files_and_no_others(hub: HubServer):
    hub.add_model(GAN, OURS)
    told: list[tuple[str, float | None]] = []
    pulled = pull(GAN, lambda *now: told.append(now), never)
    assert pulled.fresh
    assert pulled.weights == "model.safetensors"
    assert set(pulled.files) == set(OURS) - {"training.log"}
    assert pulled.folder.name == pulled.repo.commit
    assert {path.name for path in pulled.folder.iterdir()} == set(pulled.files)
    for name in pulled.files:
        assert (pulled.folder / name).read_bytes() == OURS[name]
    shares = [share for _, share in told if share is not None]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert "model.safetensors, 0.1 of 0.1 MB" in told[-1][0]


def test_pull_of_another_layout_brings_its_weights(hub: HubServer):
    hub.add_model(GAN, {"out/netG.pth": b"weights", "README.md": b"hi", "out/netD.pth": b"no"})
    pulled = pull(GAN, quiet, never)
    assert set(pulled.files) == {"out/netG.pth", "README.md"}
    assert (pulled.folder / pulled.weights).read_bytes() == b"weights"


def test_pull_of_an_earlier_commit(hub: HubServer):
    first = hub.add_model(GAN, OURS)
    hub.add_model(GAN, {**OURS, "model.safetensors": b"later"})
    assert pull(GAN, quiet, never, revision=first).repo.commit == first
    later = pull(GAN, quiet, never)
    assert (later.folder / "model.safetensors").read_bytes() == b"later"


def test_pull_refuses_what_does_not_load(hub: HubServer):
    hub.add_model("owner/empty", {".gitattributes": b""})
    hub.add_model("owner/keras", {"saved_model.pb": b"x"})
    with pytest.raises(HubError, match=r"owner/empty does not load: This repository is empty"):
        pull("owner/empty", quiet, never)
    with pytest.raises(HubError, match="Keras"):
        pull("owner/keras", quiet, never)
    assert not hub.asked("GET", "/resolve/")


def test_pull_without_a_network_gives_what_came_before(hub: HubServer):
    earlier = hub.add_model(GAN, OURS)
    first = pull(GAN, quiet, never)
    hub.stop()
    for again in (pull(GAN, quiet, never), pull(GAN, quiet, never, revision=earlier)):
        assert not again.fresh
        assert (again.folder, set(again.files)) == (first.folder, set(first.files))
    with pytest.raises(HubError, match="cannot be reached"):
        pull("owner/other", quiet, never)
    with pytest.raises(HubError, match="cannot be reached"):
        pull(GAN, quiet, never, revision="other")


# Jobs.


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


def until(condition: Callable[[], Any], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_a_job_runs_beside_the_page(jobs: Jobs):
    go = threading.Event()

    def work(report: Any, cancelled: Any) -> str:
        report("half way", 0.5)
        go.wait(60)
        return "result"

    job = jobs.start("a", work)
    assert until(lambda: job.progress == ("half way", 0.5))
    assert job.state == "running"
    assert jobs.get("a") is job
    go.set()
    assert job.wait(60) == "done"
    assert (job.result, job.error) == ("result", None)
    assert jobs.get("a") is job
    assert jobs.get("b") is None


def test_two_visitors_share_one_pull(hub: HubServer, jobs: Jobs):
    hub.add_model(GAN, OURS)
    hub.fault(GAN, "slow")

    def work(report: Any, cancelled: Any) -> Any:
        return pull(GAN, report, cancelled)

    first = jobs.start(GAN, work, "ada")
    assert until(lambda: first.progress[1] is not None)
    assert jobs.start(GAN, work, "bob") is first
    first.cancel("ada")
    assert first.state == "running"
    assert first.wait(60) == "done"
    assert first.result.weights == "model.safetensors"
    assert len(hub.asked("GET", "/large/")) == 2  # the weights and the picture
    assert jobs.start(GAN, work) is not first


@pytest.mark.parametrize("fault", ["slow", "stall", "silent"])
def test_a_cancelled_pull_ends(
    hub: HubServer, jobs: Jobs, fault: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(network, "SILENCE", 1e6)  # so that nothing but the cancelling ends it
    hub.add_model(GAN, OURS)
    repo = describe(GAN)
    hub.fault(GAN, fault)
    asked = len(hub.requests)
    job = jobs.start(GAN, lambda *told: fetch(repo, "model.safetensors", cancelled=told[1]))
    assert until(lambda: len(hub.requests) > asked)
    job.cancel()
    assert job.state == "cancelled"
    assert until(lambda: not any(t.name.startswith("job ") for t in threading.enumerate()))
    assert (job.result, job.error) == (None, None)


def test_a_job_that_reports_learns_that_it_was_cancelled(jobs: Jobs):
    ended = threading.Event()

    def work(report: Any, cancelled: Any) -> None:
        try:
            while True:
                report("on and on", None)
                time.sleep(0.01)
        finally:
            ended.set()

    job = jobs.start("a", work)
    job.cancel("nobody")
    assert job.state == "running"
    job.cancel("")
    assert job.state == "cancelled"
    assert ended.wait(60)


def test_what_fails_is_one_sentence(jobs: Jobs, caplog: pytest.LogCaptureFixture):
    def refused(report: Any, cancelled: Any) -> None:
        raise HubError("It is\nnot there.")

    def broken(report: Any, cancelled: Any) -> None:
        raise ZeroDivisionError("oh\nno")

    job = jobs.start("a", refused)
    assert (job.wait(60), job.error) == ("failed", "It is not there.")
    assert not caplog.records
    job = jobs.start("b", broken)
    assert job.wait(60) == "failed"
    assert job.error is not None
    assert "ZeroDivisionError: oh no" in job.error
    assert "\n" not in job.error
    assert caplog.records[0].exc_info


def test_finished_jobs_are_forgotten(jobs: Jobs, monkeypatch: pytest.MonkeyPatch):
    def work(report: Any, cancelled: Any) -> None:
        pass

    monkeypatch.setattr(job_module, "MAX_KEPT", 3)
    for key in "abcdefg":
        jobs.start(key, work).wait(60)
    assert jobs.get("g") is not None
    assert [key for key in "abcdefg" if jobs.get(key)] == ["e", "f", "g"]
    monkeypatch.setattr(job_module, "KEEP", 0.0)
    time.sleep(0.01)
    assert jobs.get("g") is None


def test_there_is_a_limit_to_what_runs_at_once(jobs: Jobs, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(job_module, "MAX_RUNNING", 2)
    go = threading.Event()
    running = [jobs.start(key, lambda report, cancelled: go.wait(60)) for key in "ab"]
    job = jobs.start("c", lambda report, cancelled: None)
    assert job.state == "failed"
    assert "try again" in (job.error or "")
    assert jobs.start("a", lambda report, cancelled: None) is running[0]
    go.set()
    assert [job.wait(60) for job in running] == ["done", "done"]
    assert jobs.start("c", lambda report, cancelled: None).wait(60) == "done"


# Commands.


def test_pull_and_push_on_the_command_line(
    hub: HubServer, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, content in OURS.items():
        (folder / name).write_bytes(content)
    monkeypatch.setenv("HF_TOKEN", hub.TOKEN)
    assert cli.main(["push", str(folder), GAN]) == 0
    url = capsys.readouterr().out.strip()
    assert url.startswith(f"{hub.url}/{GAN}/commit/")
    assert set(hub.files_of(GAN)) == set(OURS) - {"training.log"}
    assert not hub.repositories["model", GAN].private
    assert cli.main(["push", str(folder), "owner/mine", "--private"]) == 0  # sends nothing twice
    assert capsys.readouterr().err == ""
    assert hub.repositories["model", "owner/mine"].private

    out = tmp_path / "pulled"
    capsys.readouterr()
    assert cli.main(["pull", f"{hub.url}/{GAN}", "--out", str(out)]) == 0
    captured = capsys.readouterr()
    assert captured.out.strip() == str(out)
    assert captured.err == ""
    assert {path.name for path in out.iterdir()} == set(OURS) - {"training.log"}
    assert (out / "model.safetensors").read_bytes() == OURS["model.safetensors"]

    assert cli.main(["pull", GAN, "--json"]) == 0
    told = json.loads(capsys.readouterr().out.strip().split("\n")[-1])
    assert told["commit"] == url.split("/")[-1]
    assert told["files"]["model.safetensors"] == len(OURS["model.safetensors"])
    assert Path(told["out"], "config.json").read_bytes() == OURS["config.json"]

    hub.stop()
    assert cli.main(["pull", GAN]) == 0
    captured = capsys.readouterr()
    assert captured.out.strip() == told["out"]
    assert "this is what was pulled before" in captured.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pull", "no-owner"], "OWNER/NAME"),
        (["pull", "owner/nothing"], "knows no model owner/nothing"),
        (["pull", "owner/keras"], "Keras"),
        (["pull", "owner/gan", "--out", "/proc/nowhere"], "cannot be written"),
        (["pull"], "REPO"),
        (["push", "/nowhere", "owner/gan"], "no checkpoint"),
    ],
)
def test_a_command_that_fails_says_one_line(
    hub: HubServer, capsys: Capture, words: list[str], said: str
):
    hub.add_model(GAN, OURS)
    hub.add_model("owner/keras", {"saved_model.pb": b"x"})
    assert cli.main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("wgan: ")
    assert said in line
    assert "Traceback" not in captured.err


def largest_part() -> int:
    """Bytes of the largest file that is being fetched."""
    sizes = [0]
    for part in Path(constants.HF_HUB_CACHE).rglob("*.wgan-part"):
        with suppress(FileNotFoundError):  # it has become whole meanwhile
            sizes.append(part.stat().st_size)
    return max(sizes)


def test_an_interrupted_pull_goes_on_later(hub: HubServer):
    hub.add_model(GAN, {**OURS, "model.safetensors": bytes(2_000_000)})
    hub.fault(GAN, "slow")
    command = [sys.executable, "-m", "wgan", "pull", GAN]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
        # Tests that run in a shell's background were told to ignore Ctrl-C, and hand that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    # In the midst of the weights: a part of a small file is whole, and gone, at any moment.
    assert until(lambda: largest_part() > 20_000)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=90)
    assert process.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    assert largest_part() > 20_000
