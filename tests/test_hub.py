"""The Hub through the real client, against a Hub on 127.0.0.1 that can fail in every way."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants
from hypothesis import given
from hypothesis import strategies as st

from tests.hub_server import HubServer
from tests.hub_state import Fault, etag_of
from wgan.hub import (
    Cancelled,
    HubError,
    Repo,
    cached,
    check_repo_id,
    describe,
    fetch,
    network,
    push,
    search,
    upload,
)

RETRIES = 20.0  # seconds; the client alone asks a dead host again and again for 23
GAN = "owner/gan"
WEIGHTS = bytes(range(256)) * 1000  # 256 kB
CARD = "---\r\nlicense: mit\r\n---\r\n# A generator\r\n\r\nOf digits.\r\n"
FILES = {"config.json": b"{}", "model.safetensors": WEIGHTS, "README.md": CARD.encode()}


@pytest.fixture
def gan(hub: HubServer) -> Repo:
    """A described model with one large file."""
    hub.add_model(GAN, FILES, tags=("wgan", "pytorch"), downloads=7, likes=2, licence="mit")
    return describe(GAN)


def refused(call: Callable[[], Any], *words: str, offline: bool = False) -> str:
    """The one sentence of the `HubError` that `call` raises, which says all of `words`."""
    started = time.monotonic()
    with pytest.raises(HubError) as raised:
        call()
    assert time.monotonic() - started < RETRIES
    text = str(raised.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert raised.value.offline == offline
    for word in words:
        assert word in text
    return text


def kept(name: str = "*") -> list[Path]:
    """The files that the client's cache offers under names."""
    return [p for p in Path(constants.HF_HUB_CACHE).glob(f"*/snapshots/*/**/{name}") if p.is_file()]


def threads_end(seconds: float) -> bool:
    """Whether no thread of a download or of a call is left within that time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not [t for t in threading.enumerate() if t.name.startswith("hub-")]:
            return True
        time.sleep(0.05)
    return False


# Names.


@pytest.mark.parametrize(
    "text", [GAN, f"  {GAN}\n", "{url}/owner/gan", "{url}/owner/gan/tree/main"]
)
def test_a_repository_is_named_by_owner_and_name_or_by_its_page(hub: HubServer, text: str):
    assert check_repo_id(text.format(url=hub.url)) == GAN
    assert check_repo_id(f"{hub.url}/datasets/owner/faces/") == "owner/faces"


@pytest.mark.parametrize(
    "text",
    [
        *("", "gan", "a/b/c", "a//b", "../..", "owner/..", "own er/gan", "owner/gan.git"),
        *("owner/a--b", "/owner/gan", "owner/gan\0", "owner/gän", "o/" + "x" * 200),
        *("http://127.0.0.1:1/owner/gan", "{url}/owner", "{url}/spaces/owner/gan", "file:///a/b"),
    ],
)
def test_what_names_no_repository_is_refused(hub: HubServer, text: str):
    refused(lambda: describe(text.format(url=hub.url)), "OWNER/NAME")
    assert not hub.requests


@given(st.text(max_size=30) | st.text(max_size=10).map("http://".__add__))
def test_any_text_is_a_name_or_is_refused(text: str):
    with suppress(HubError):
        assert check_repo_id(text).count("/") == 1


@pytest.mark.parametrize(
    "name",
    [
        *("../x", "a/../../x", "/etc/passwd", "..", ".", "", "a//b", "./a", "a/", "a\\..\\x"),
        *("C:x", "a\0b", "a\nb"),
    ],
)
def test_a_file_name_that_would_leave_the_cache_is_refused(hub: HubServer, gan: Repo, name: str):
    before = len(hub.requests)
    refused(lambda: fetch(gan, name), "not the name of a file")
    assert len(hub.requests) == before


# Finding and describing.


def test_search_by_text_and_tags(hub: HubServer):
    hub.add_model("a/wgan-faces", {"x.bin": b"x"}, tags=("gan", "pytorch"), downloads=3, likes=1)
    hub.add_model("b/WGAN-bedrooms", {}, tags=("gan", "keras"), downloads=9)
    hub.add_model("c/bert", {}, tags=("pytorch",), downloads=99)
    hub.add_dataset("d/wgan-data", {})
    hub.add_model("e/wgan-secret", {}, private=True)
    found = search("wgan")
    assert [item.id for item in found] == ["b/WGAN-bedrooms", "a/wgan-faces"]
    assert (found[1].downloads, found[1].likes, found[1].files) == (3, 1, ("x.bin",))
    assert found[1].last_modified is not None
    assert [item.id for item in search("wgan", ["gan", "pytorch"])] == ["a/wgan-faces"]
    assert [item.id for item in search("", ["pytorch"])] == ["c/bert", "a/wgan-faces"]
    assert [item.id for item in search("", limit=1)] == ["c/bert"]
    assert [item.id for item in search("wgan", kind="dataset")] == ["d/wgan-data"]
    assert search("nothing has this name") == []


def test_describe(hub: HubServer, gan: Repo):
    assert gan.id == GAN
    assert gan.commit == hub.repositories["model", GAN].commits[0].sha
    assert {file.name: file.size for file in gan.files} == {k: len(v) for k, v in FILES.items()}
    assert (gan.licence, gan.downloads, gan.likes, gan.gated) == ("mit", 7, 2, False)
    assert gan.tags == ("wgan", "pytorch", "license:mit")
    assert gan.card == "# A generator\n\nOf digits."
    hub.add_dataset("owner/faces", {"data/train-00000-of-00001.parquet": b"PAR1"})
    faces = describe("owner/faces", "dataset")
    assert (faces.kind, faces.card, faces.licence) == ("dataset", "", None)
    assert [file.name for file in faces.files] == ["data/train-00000-of-00001.parquet"]
    assert fetch(faces, faces.files[0].name).read_bytes() == b"PAR1"


def test_a_long_card_is_read_only_so_far(hub: HubServer):
    hub.add_model(GAN, {"README.md": b"word " * 100_000})
    assert 190_000 < len(describe(GAN).card) <= 200_000


def test_an_empty_repository_has_no_files(hub: HubServer):
    hub.add_model(GAN, {})
    assert describe(GAN).files == ()


def test_a_revision(hub: HubServer, gan: Repo):
    hub.add_model(GAN, {"config.json": b"[]"})
    assert describe(GAN).commit != gan.commit
    assert describe(GAN, revision=gan.commit) == gan
    refused(lambda: describe(GAN, revision="other"), "no such revision")


def test_a_private_repository_needs_the_token(hub: HubServer):
    hub.add_model(GAN, FILES, private=True)
    refused(lambda: describe(GAN), "hf auth login")
    repo = describe(GAN, token=hub.TOKEN)
    assert repo.card
    refused(lambda: fetch(repo, "model.safetensors"), "hf auth login")
    assert fetch(repo, "model.safetensors", token=hub.TOKEN).read_bytes() == WEIGHTS
    sent = [r for r in hub.requests if r.host == "cdn"]
    assert sent
    assert not any("Authorization" in request.headers for request in sent)


# Fetching.


def test_fetch_is_bit_identical_and_tells_how_far_it_is(gan: Repo):
    told: list[tuple[int, int | None]] = []
    thread = set()

    def progress(done: int, total: int | None) -> None:
        told.append((done, total))
        thread.add(threading.current_thread())

    path = fetch(gan, "model.safetensors", progress)
    assert path.read_bytes() == WEIGHTS
    assert told[0] == (0, len(WEIGHTS))
    assert told[-1] == (len(WEIGHTS), len(WEIGHTS))
    assert told == sorted(told)
    assert thread == {threading.current_thread()}
    assert fetch(gan, "config.json").read_bytes() == b"{}"


def test_the_same_content_at_another_commit_is_not_fetched_again(hub: HubServer, gan: Repo):
    fetch(gan, "model.safetensors")
    hub.add_model(GAN, {"renamed.safetensors": WEIGHTS})
    told: list[tuple[int, int | None]] = []
    path = fetch(describe(GAN), "renamed.safetensors", lambda *now: told.append(now))
    assert path.read_bytes() == WEIGHTS
    assert told == [(len(WEIGHTS), len(WEIGHTS))]
    assert len(hub.asked("GET", "/large/")) == 1


def test_an_address_that_is_none_cannot_be_reached(monkeypatch: pytest.MonkeyPatch):
    for address in ("http://127.0.0.1:99999", "nonsense", "http://", "http://127.0.0.1:1"):
        monkeypatch.setenv("HF_ENDPOINT", address)
        refused(lambda: describe(GAN), "cannot be reached", offline=True)


def test_an_empty_file(hub: HubServer):
    hub.add_model(GAN, {"history.json": b""})
    assert fetch(describe(GAN), "history.json").read_bytes() == b""


def test_what_is_kept_needs_no_network(hub: HubServer, gan: Repo):
    path = fetch(gan, "model.safetensors")
    fetch(gan, "README.md")
    hub.stop()
    told: list[tuple[int, int | None]] = []
    assert fetch(gan, "model.safetensors", lambda *now: told.append(now)) == path
    assert told == [(len(WEIGHTS), len(WEIGHTS))]
    refused(lambda: fetch(gan, "config.json"), "cannot be reached", offline=True)
    repo = cached(GAN)
    assert repo is not None
    assert repo.commit == gan.commit
    assert repo.card == gan.card
    assert [file.name for file in repo.files] == ["README.md", "model.safetensors"]
    assert fetch(repo, "model.safetensors") == path
    assert cached("owner/other") is None
    assert cached(GAN, "dataset") is None


def test_a_later_commit_does_not_change_what_an_earlier_one_gives(hub: HubServer, gan: Repo):
    hub.add_model(GAN, {**FILES, "model.safetensors": b"other"})
    later = describe(GAN)
    assert fetch(later, "model.safetensors").read_bytes() == b"other"
    assert fetch(gan, "model.safetensors").read_bytes() == WEIGHTS
    assert fetch(later, "model.safetensors").read_bytes() == b"other"


def test_a_connection_that_breaks_once_is_picked_up(hub: HubServer, gan: Repo):
    hub.fault(GAN, "cut", times=1)
    assert fetch(gan, "model.safetensors").read_bytes() == WEIGHTS
    ranges = [r.headers.get("Range") for r in hub.asked("GET", "/large/")]
    assert ranges == [None, f"bytes={len(WEIGHTS) // 2}-"]


def test_a_file_cut_short_is_refused_and_goes_on_later(hub: HubServer, gan: Repo):
    hub.fault(GAN, "cut")
    refused(lambda: fetch(gan, "model.safetensors"), "cut short", "goes on from there")
    assert kept("model.safetensors") == []
    hub.fault(GAN, None)
    told: list[int] = []
    path = fetch(gan, "model.safetensors", lambda done, total: told.append(done))
    assert path.read_bytes() == WEIGHTS
    assert told[0] == len(WEIGHTS) * 7 // 8  # three halves of what was missing
    assert not list(Path(constants.HF_HUB_CACHE).rglob("*.wgan-part"))


def test_damaged_content_is_thrown_away(hub: HubServer, gan: Repo):
    hub.fault(GAN, "corrupt", times=2)
    refused(lambda: fetch(gan, "model.safetensors"), "damaged")
    refused(lambda: fetch(gan, "config.json"), "damaged")
    assert kept() == []
    assert fetch(gan, "model.safetensors").read_bytes() == WEIGHTS


def test_a_name_for_content_that_is_none_is_refused(
    hub: HubServer, gan: Repo, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tests.hub_handler.etag_of", lambda name, content: "../../../outside")
    refused(lambda: fetch(gan, "config.json"), "does not speak as a Hub")
    assert kept() == []


def test_a_file_that_is_too_large_is_not_fetched(hub: HubServer, gan: Repo):
    before = len(hub.requests)
    refused(lambda: fetch(gan, "model.safetensors", max_bytes=1000), "more than")
    assert len(hub.requests) == before
    unknown = Repo(GAN, "model", gan.commit, ())
    refused(lambda: fetch(unknown, "model.safetensors", max_bytes=1000), "more than")
    assert not hub.asked("GET", "/large/")


def test_a_full_disk_is_named(gan: Repo, monkeypatch: pytest.MonkeyPatch):
    real = shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", lambda path: real(path)._replace(free=1000))
    refused(lambda: fetch(gan, "model.safetensors"), "no room", "HF_HOME")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_a_disk_that_fills_up_is_named(hub: HubServer, gan: Repo):
    fetch(gan, "config.json")
    blobs = next(Path(constants.HF_HUB_CACHE).glob("*/blobs"))
    (blobs / f"{etag_of('model.safetensors', WEIGHTS)}.wgan-part").symlink_to("/dev/full")
    refused(lambda: fetch(gan, "model.safetensors"), "no room")


def test_a_cache_that_cannot_be_written_is_named(gan: Repo, monkeypatch: pytest.MonkeyPatch):
    Path(constants.HF_HUB_CACHE).parent.mkdir(parents=True, exist_ok=True)
    Path(constants.HF_HUB_CACHE).write_text("a file, not a folder")
    refused(lambda: fetch(gan, "model.safetensors"), "HF_HOME")


def test_two_at_once_ask_for_the_content_once(hub: HubServer, gan: Repo):
    hub.fault(GAN, "slow")
    hub.add_model(GAN, {**FILES, "model.safetensors": WEIGHTS[:20_000]})
    repo, paths = describe(GAN), []

    def pull() -> None:
        paths.append(fetch(repo, "model.safetensors"))

    both = [threading.Thread(target=pull) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(60)
    assert len(paths) == 2
    assert paths[0] == paths[1]
    assert len(hub.asked("GET", "/large/")) == 1


@pytest.mark.parametrize("fault", ["slow", "stall", "silent"])
def test_cancel_takes_effect_at_once(hub: HubServer, gan: Repo, fault: Fault):
    hub.fault(GAN, fault)
    started = time.monotonic()
    with pytest.raises(Cancelled):
        fetch(gan, "model.safetensors", cancelled=lambda: time.monotonic() - started > 0.5)
    assert kept() == []
    hub.closing.set()  # lets the server's own waiting end
    assert threads_end(60)


def test_a_cancelled_download_goes_on_later(hub: HubServer, gan: Repo):
    hub.fault(GAN, "stall", times=1)
    started = time.monotonic()
    with pytest.raises(Cancelled):
        fetch(gan, "model.safetensors", cancelled=lambda: time.monotonic() - started > 0.5)
    assert fetch(gan, "model.safetensors").read_bytes() == WEIGHTS
    assert hub.asked("GET", "/large/")[-1].headers["Range"] == f"bytes={len(WEIGHTS) // 2}-"


def test_what_progress_raises_ends_the_download(gan: Repo):
    def progress(done: int, total: int | None) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        fetch(gan, "model.safetensors", progress)
    assert threads_end(60)


# What can go wrong.


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("not_found", ["knows no model owner/gan"]),
        ("unauthorized", ["owner/gan", "hf auth login"]),
        ("error", ["HTTP 500", "try again"]),
        ("busy", ["too many requests", "42 seconds"]),
    ],
)
def test_a_refusal_is_one_sentence(hub: HubServer, gan: Repo, fault: Fault, words: list[str]):
    hub.fault(GAN, fault)
    refused(lambda: describe(GAN), *words)
    words = [word for word in words if "owner/gan" not in word]
    refused(lambda: fetch(gan, "model.safetensors"), *words)
    if fault in ("error", "busy"):
        refused(lambda: search("gan"), *words)


def test_what_is_not_there(hub: HubServer, gan: Repo):
    refused(lambda: describe("owner/nothing"), "knows no model owner/nothing")
    refused(lambda: describe("owner/nothing", "dataset"), "knows no data set owner/nothing")
    refused(lambda: fetch(gan, "nothing.bin"), "no such file", "nothing.bin")


def test_a_gated_repository_can_be_seen_but_not_fetched(hub: HubServer, gan: Repo):
    hub.fault(GAN, "gated")
    repo = describe(GAN)
    assert repo.gated
    assert repo.card == ""
    refused(lambda: fetch(repo, "model.safetensors"), "granted access", "hf auth login")


def test_a_dead_host_is_reported_at_once(hub: HubServer, gan: Repo):
    hub.stop()
    for call in (
        lambda: search("gan"),
        lambda: describe(GAN),
        lambda: fetch(gan, "model.safetensors"),
        lambda: push(_checkpoint(Path(constants.HF_HUB_CACHE)), GAN, token="hf_x"),
    ):
        refused(call, "cannot be reached", "still works", offline=True)


def test_a_host_that_drops_packets_is_reported_soon(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(socket, "create_connection", lambda *_: time.sleep(60))
    refused(lambda: describe(GAN), "cannot be reached", offline=True)


def test_a_proxy_is_where_the_way_begins(hub: HubServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.invalid")
    monkeypatch.setenv("https_proxy", hub.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    network.check_connection()
    monkeypatch.setenv("no_proxy", "hub.invalid")
    refused(network.check_connection, "cannot be reached", offline=True)


def test_the_client_can_be_told_to_stay_offline(hub: HubServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    refused(lambda: describe(GAN), "HF_HUB_OFFLINE", offline=True)
    refused(lambda: search(""), "HF_HUB_OFFLINE", offline=True)
    assert not hub.requests


@pytest.mark.parametrize("fault", ["silent", "stall"])
def test_silence_is_reported(
    hub: HubServer, gan: Repo, fault: Fault, monkeypatch: pytest.MonkeyPatch
):
    for module in ("network", "repos", "download"):
        monkeypatch.setattr(f"wgan.hub.{module}.SILENCE", 0.5)
    monkeypatch.setattr("wgan.hub.repos.CONNECT", 0.5)
    hub.fault(GAN, fault)
    refused(lambda: fetch(gan, "model.safetensors"), "too long")
    if fault == "silent":
        refused(lambda: describe(GAN), "too long")
        refused(lambda: search("gan"), "too long", "search")


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'{"id": 3}', b'{"sha": "../.."}'])
def test_something_else_that_answers_is_no_hub(
    hub: HubServer, answer: bytes, monkeypatch: pytest.MonkeyPatch
):
    hub.add_model(GAN, FILES)
    for name in ("_describe", "_listing"):
        monkeypatch.setattr(
            f"tests.hub_handler.Handler.{name}", lambda self, **_: self._send(200, answer, {})
        )
    refused(lambda: describe(GAN), "does not speak as a Hub")
    if answer != b"[]":
        refused(lambda: search(""), "does not speak as a Hub")


# Pushing.


def _checkpoint(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    (folder / "samples.png").write_bytes(b"\x89PNG")
    (folder / "notes.txt").write_text("not of the format")
    return folder


def test_push_then_pull_gives_the_same_bytes(hub: HubServer, tmp_path: Path):
    folder = _checkpoint(tmp_path / "checkpoint")
    told: list[tuple[int, int | None]] = []
    url = push(folder, GAN, token=hub.TOKEN, progress=lambda *now: told.append(now))
    repo = describe(GAN)
    assert url == f"{hub.url}/{GAN}/commit/{repo.commit}"
    names = {file.name for file in repo.files}
    assert names == {"config.json", "model.safetensors", "samples.png", "README.md"}
    for name in names:
        assert fetch(repo, name).read_bytes() == (folder / name).read_bytes()
    total = sum((folder / name).stat().st_size for name in names)
    assert told[-1] == (total, total)
    assert told == sorted(told)
    assert not hub.repositories["model", GAN].private


def test_a_second_push_is_a_second_commit(hub: HubServer, tmp_path: Path):
    folder = _checkpoint(tmp_path / "checkpoint")
    push(folder, GAN, private=True, token=hub.TOKEN)
    assert hub.repositories["model", GAN].private
    first = describe(GAN, token=hub.TOKEN)
    (folder / "model.safetensors").write_bytes(b"trained on")
    push(folder, GAN, token=hub.TOKEN)
    second = describe(GAN, token=hub.TOKEN)
    assert first.commit != second.commit
    assert fetch(second, "model.safetensors", token=hub.TOKEN).read_bytes() == b"trained on"
    assert fetch(first, "model.safetensors", token=hub.TOKEN).read_bytes() == WEIGHTS


def test_push_refuses_what_it_cannot_do(hub: HubServer, tmp_path: Path):
    folder = _checkpoint(tmp_path / "checkpoint")
    refused(lambda: push(folder, GAN), "needs a token", "hf auth login")
    refused(lambda: push(folder, "gan", token="hf_x"), "OWNER/NAME")
    refused(lambda: push(tmp_path, GAN, token="hf_x"), "no checkpoint", "config.json")
    assert not hub.requests
    refused(lambda: push(folder, GAN, token="hf_wrong"), "token")
    assert GAN not in {repo.id for repo in hub.repositories.values()}


def test_a_push_can_be_cancelled_and_does_not_wait_for_ever(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = _checkpoint(tmp_path / "checkpoint")
    hub.add_model(GAN, {})
    hub.fault(GAN, "no_upload")
    started = time.monotonic()
    with pytest.raises(Cancelled):
        push(folder, GAN, token=hub.TOKEN, cancelled=lambda: time.monotonic() - started > 0.5)
    monkeypatch.setattr(upload, "SILENCE", 0.5)
    refused(lambda: push(folder, GAN, token=hub.TOKEN), "too long")
    assert hub.files_of(GAN) == {}
