"""The catalogue: what it says, how its entries come to this machine, and what is refused."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.hub_server import HubServer
from tests.layouts import genforce, mm_wgan_gp
from tests.web_host import WebHost
from wgan import cli
from wgan.hub import HubError, network, never
from wgan.zoo import catalog
from wgan.zoo.catalog import HubSource, WebSource, catalog_note, find_entry, load_catalog
from wgan.zoo.catalog_files import place_of, pull_entry, web_file
from wgan.zoo.job import Jobs
from wgan.zoo.open import open_place
from wgan.zoo.web import WebFile, check_address, fetch_web

Capture = pytest.CaptureFixture[str]
PATH = "/models/generator-pinned.pth"


def quiet(text: str, share: float | None) -> None:
    pass


def silent(done: int, total: int | None) -> None:
    pass


def weights() -> bytes:
    out = io.BytesIO()
    torch.save({"generator_smooth": mm_wgan_gp()[0]}, out)
    return out.getvalue()


@pytest.fixture
def file(web: WebHost) -> WebFile:
    """A file of the host, pinned."""
    web.files[PATH] = content = weights()
    return WebFile(f"{web.url}{PATH}", hashlib.sha256(content).hexdigest()[:8])


@pytest.fixture
def listed(
    web: WebHost, file: WebFile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., None]]:
    """Writes a catalogue with one entry, `ours`, of the host."""

    def write(**changed: Any) -> None:
        content = json.loads(Path(catalog.__file__).with_name("catalog.json").read_text())
        source = {"url": file.url, "sha256": file.sha256, "hosts": []}
        entry = next(e for e in content["entries"] if "url" in e["source"])
        content["entries"] = [{**entry, "id": "ours", "source": source, **changed}]
        path = tmp_path / "catalog.json"
        path.write_text(json.dumps(content))
        monkeypatch.setattr(catalog, "CATALOG", path)
        load_catalog.cache_clear()

    write()
    yield write
    load_catalog.cache_clear()


# What it says.


def test_faces_and_bedrooms_come_first_and_every_entry_says_all():
    entries = load_catalog()
    groups = list(dict.fromkeys(entry.group for entry in entries))
    assert groups[:2] == ["Faces", "Bedrooms"]
    assert groups[-1] == "Does not load"
    assert "`python -m wgan catalog --check`" in catalog_note()
    for entry in entries:
        assert entry.why.endswith(".")
        assert entry.about.endswith(".")
        assert entry.loads == (entry.group != "Does not load")
        assert entry.checked_words == "checked against the live source: no"
        if entry.loads:
            assert entry.loss in ("WGAN-GP", "WGAN, clipped", "GAN", "LSGAN")
            assert entry.pixels in (28, 64, 128, 256, 512, 1024)
        if isinstance(entry.source, WebSource):
            check_address(entry.source.url, (web_file(entry).host,))
            # torch.hub's convention: the name ends with the hash's beginning.
            named = entry.source.url.rpartition("-")[2].partition(".")[0]
            assert entry.source.sha256 in (named, None)
    first = entries[0]
    assert isinstance(first.source, HubSource)
    assert first.source.commit == "278449f8416d38a0233c980774528d32c4eee99c"
    assert "CC BY-NC 4.0" in first.licence
    assert find_entry("huggan/pggan-celebahq-1024") is first
    assert find_entry("nothing") is None


@pytest.mark.parametrize(
    "broken",
    [
        *({"id": bad} for bad in ("One", "a/b", "", "../x")),
        *({field: bad} for field in ("loads", "why", "licence", "loss") for bad in ("", None)),
        {"more": 1},
        {"checked": "yesterday"},
        *({"source": bad} for bad in ({"repo": "one-part", "commit": None, "file": None}, {})),
        {"source": {"repo": "a/b", "commit": "main", "file": None}},
        {"source": {"url": "http://a.org/x.pth", "sha256": None, "hosts": []}},
        {"source": {"url": "https://a.org/x.pth", "sha256": "xyz", "hosts": []}},
    ],
)
def test_a_broken_catalogue_is_refused(listed: Callable[..., None], broken: dict[str, Any]):
    listed(**broken)
    with pytest.raises((ValueError, TypeError, KeyError)):
        load_catalog()


# Fetching.


def test_a_file_comes_whole_and_is_not_asked_for_again(web: WebHost, file: WebFile):
    told: list[tuple[int, int | None]] = []
    path = fetch_web(file, lambda *now: told.append(now), never)
    assert path.read_bytes() == web.files[PATH]
    assert path.name == "generator-pinned.pth"
    assert told[-1] == (len(web.files[PATH]),) * 2
    asked = len(web.asked)
    assert fetch_web(file, silent, never) == path
    assert len(web.asked) == asked
    assert sorted(p.name for p in path.parent.iterdir()) == ["generator-pinned.pth", "lock"]


def test_a_cut_download_goes_on_from_where_it_was(web: WebHost, file: WebFile):
    web.faults[PATH] = "cut"
    with pytest.raises(HubError, match=r"cut short after .* MB, and is not used"):
        fetch_web(file, silent, never)
    assert not file.path.exists()
    (part,) = file.path.parent.glob("*.part")
    have = part.stat().st_size
    assert 0 < have < len(web.files[PATH])
    del web.faults[PATH]
    assert fetch_web(file, silent, never).read_bytes() == web.files[PATH]
    assert web.asked[-1] == ("GET", PATH, f"bytes={have}-")


def test_a_cancelled_download_goes_on_later(web: WebHost, file: WebFile):
    web.faults[PATH] = "slow"
    jobs, began = Jobs(), threading.Event()

    def report(done: int, total: int | None) -> None:
        if done > 4000:
            began.set()

    job = jobs.start("a", lambda _, cancelled: fetch_web(file, report, cancelled))
    assert began.wait(10)
    job.cancel()
    job.wait(3)
    assert job.state == "cancelled"
    assert not any(t.name.startswith("job ") for t in threading.enumerate())
    del web.faults[PATH]
    assert fetch_web(file, silent, never).read_bytes() == web.files[PATH]
    assert web.asked[-1][2].startswith("bytes=")


def test_another_file_under_the_name_is_thrown_away(web: WebHost, file: WebFile):
    web.files[PATH] = web.files[PATH][:-1] + b"x"
    with pytest.raises(HubError, match="another file than the catalogue names"):
        fetch_web(file, silent, never)
    assert [p.name for p in file.path.parent.iterdir()] == ["lock"]


@pytest.mark.parametrize("off", [-1, 1, 10**6])
def test_another_size_than_the_catalogues_is_refused(web: WebHost, file: WebFile, off: int):
    pinned = WebFile(file.url, file.sha256, len(web.files[PATH]) + off)
    with pytest.raises(HubError, match=r"where the catalogue says|cut short"):
        fetch_web(pinned, silent, never)
    assert not pinned.path.exists()


@pytest.mark.parametrize(
    "place",
    [
        *("https://example.org/x.pth", "http://{netloc}/x.pth", "https://{netloc}@evil.org/x.pth"),
        *("https://localhost/x.pth", "https://127.0.0.1:1/x.pth", "ftp://{netloc}/x.pth"),
        *("https://{netloc}.evil.org/x.pth", "file:///etc/passwd", "https://evil.org#@{netloc}/x"),
    ],
)
def test_an_answer_that_sends_elsewhere_is_not_followed(web: WebHost, file: WebFile, place: str):
    web.faults[PATH] = "to " + place.format(netloc=web.netloc)
    with pytest.raises(HubError, match="was not followed"):
        fetch_web(file, silent, never)
    assert not file.path.exists()


def test_the_entrys_other_hosts_are_followed(web: WebHost, file: WebFile):
    with_other = WebFile(file.url, file.sha256, hosts=(web.netloc,))
    web.files["/moved/it.pth"] = web.files[PATH]
    web.faults[PATH] = f"to {web.url}/moved/it.pth"
    assert fetch_web(with_other, silent, never).read_bytes() == web.files[PATH]


def test_an_endless_round_of_answers_is_one_sentence(web: WebHost, file: WebFile):
    web.faults[PATH] = f"to {file.url}"
    with pytest.raises(HubError) as error:
        fetch_web(file, silent, never)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("404", "no longer has generator-pinned.pth"),
        ("500", "itself has a problem"),
        ("403", "does not hand out"),
    ],
)
def test_a_refusal_is_one_sentence(web: WebHost, file: WebFile, fault: str, said: str):
    web.faults[PATH] = fault
    with pytest.raises(HubError, match=said):
        fetch_web(file, silent, never)


@pytest.mark.parametrize("fault", ["silent", "stall"])
def test_a_host_that_falls_silent_is_left(
    web: WebHost, file: WebFile, fault: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(network, "SILENCE", 0.5)
    web.faults[PATH] = fault
    with pytest.raises(HubError, match="took too long"):
        fetch_web(file, silent, never)


def test_without_a_network_it_is_said(web: WebHost, file: WebFile):
    web.stop()
    with pytest.raises(HubError, match="cannot be reached") as error:
        fetch_web(file, silent, never)
    assert error.value.offline


def test_a_host_without_a_trusted_certificate_is_not_believed(
    web: WebHost, file: WebFile, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(HubError, match="cannot prove"):
        fetch_web(file, silent, never)
    assert not web.asked


@pytest.mark.parametrize(
    "url",
    [
        *("http://a.org/x.pth", "https://b.org/x.pth", "https://a.org:8443/x.pth"),
        *("https://a.org@b.org/x.pth", "https://u:p@a.org/x.pth", "https://A.ORG/x.pth"),
        *("https://a.org\\@b.org/x.pth", "https://a.org/x.pth\n", "https://a.org /x.pth"),
        *("https://a.org/", "https://a.org", "https://a.org/..", "https://a.org/%2e%2e"),
        *("https://а.org/x.pth", "//a.org/x.pth", "file://a.org/x.pth", "https://[a.org/x.pth"),
        *("https://a.org/" + "x" * 151, "https://a.org/a b", "", "https:/a.org/x.pth"),
    ],
)
def test_tricks_with_addresses_are_refused(url: str):
    with pytest.raises(HubError):
        check_address(url, ("a.org",))


def test_an_answer_that_is_too_large_is_not_kept(
    web: WebHost, file: WebFile, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("wgan.zoo.web.MAX_BYTES", 1000)
    with pytest.raises(HubError, match="more than"):
        fetch_web(file, silent, never)


def test_a_disk_without_room_is_said_first(
    web: WebHost, file: WebFile, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("wgan.zoo.web.shutil.disk_usage", lambda _: _Free())
    with pytest.raises(HubError, match="no room"):
        fetch_web(file, silent, never)


class _Free:
    free = 10


# Entries.


def test_an_entry_is_pulled_opened_and_drawn(listed: Callable[..., None]):
    entry = load_catalog()[0]
    assert place_of(entry) is None
    told: list[tuple[str, float | None]] = []
    path = pull_entry(entry, lambda *now: told.append(now))
    assert place_of(entry) == path
    assert told[-1][1] == 1.0
    checkpoint = open_place(path)
    assert checkpoint.architecture.sample_shape == (3, 16, 16)


def test_an_entry_of_the_hub_is_pulled_at_its_commit(hub: HubServer, listed: Callable[..., None]):
    out = io.BytesIO()
    torch.save(genforce()[0], out)
    commit = hub.add_model("huggan/faces", {"pytorch_model.bin": out.getvalue()})
    hub.add_model("huggan/faces", {"pytorch_model.bin": b"something later"})
    source = {"repo": "huggan/faces", "commit": commit, "file": "pytorch_model.bin"}
    listed(source=source)
    entry = load_catalog()[0]
    assert place_of(entry) is None
    folder = pull_entry(entry, quiet)
    assert folder == place_of(entry)
    assert folder.name == commit
    assert open_place(folder).architecture.family == "progressive"


def test_what_does_not_load_is_not_pulled():
    entry = load_catalog()[-1]
    with pytest.raises(HubError, match="does not load"):
        pull_entry(entry, quiet)


# The command line.


def test_pull_by_name_on_the_command_line(
    web: WebHost, listed: Callable[..., None], capsys: Capture, tmp_path: Path
):
    assert cli.main(["pull", "ours", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["bytes"] == len(web.files[PATH])
    assert cli.main(["pull", "ours", "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "generator-pinned.pth").read_bytes() == web.files[PATH]
    assert cli.main(["sample", "ours", "-n", "4", "--out", str(tmp_path / "x.png")]) == 0
    assert (tmp_path / "x.png").exists()
    capsys.readouterr()
    assert cli.main(["pull", f"{web.url}{PATH}"]) == 2, "an address of one's own"
    assert "is not the name of a repository" in capsys.readouterr().err


def test_the_catalogue_is_listed(listed: Callable[..., None], capsys: Capture):
    assert cli.main(["catalog"]) == 0
    assert capsys.readouterr().out.split()[0] == "ours"
    assert cli.main(["catalog", "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)) == ["ours"]
    assert cli.main(["catalog", "theirs"]) == 2
    assert "no entry 'theirs'" in capsys.readouterr().err


def test_a_check_asks_the_source_and_updates_the_file(
    web: WebHost, listed: Callable[..., None], capsys: Capture
):
    assert cli.main(["catalog", "--check", "--pull"]) == 0
    entry = load_catalog()[0]
    assert entry.bytes == len(web.files[PATH])
    assert entry.checked_words == f"checked against the live source: {time.strftime('%Y-%m-%d')}"
    web.files[PATH] += b"more"
    assert cli.main(["catalog", "--check"]) == 1
    changed = load_catalog()[0]
    assert changed.checked is None
    assert changed.problem is not None
    assert "bytes now" in changed.problem
    del web.files[PATH]
    assert cli.main(["catalog", "--check", "--json"]) == 1
    assert "no longer has" in (load_catalog()[0].problem or "")
    before = catalog.CATALOG.read_text()
    web.stop()
    assert cli.main(["catalog", "--check"]) == 2
    assert "cannot be reached" in capsys.readouterr().err
    assert catalog.CATALOG.read_text() == before, "no network says nothing about an entry"
