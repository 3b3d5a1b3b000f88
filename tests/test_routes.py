"""The stream over a real socket: what is served, and what is refused without a trace."""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import json
import logging
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from wgan.config import ExperimentConfig
from wgan.live import theory
from wgan.live.facts import card, facts, server_facts
from wgan.live.table import PARTS
from wgan.runs.run import Run
from wgan.server import routes as server_routes
from wgan.server.registry import lab
from wgan.server.routes import MAX_MESSAGES, MAX_TEXT, Live, routes
from wgan.server.stream import MAX_CHANNELS, Stream, decode

POINTS = ExperimentConfig(width=8, depth=1, batch_size=8, critic_steps=1)
SECRET = "the owner's own secret"
MOST = 12  # connections that the server of these tests takes
SCRIPT = "export const words = 'a module of the page'\n" * 100


class Served:
    """A server of the routes on a thread of its own, and a run that it shows."""

    def __init__(self, run: Run, assets: dict[str, Path]) -> None:
        self.run = run
        self.stream = Stream(PARTS)

        def same_host(origin: str | None, host: str | None) -> bool:
            return origin in (None, f"http://{host}")

        live = Live(self.stream, same_host, MOST, MOST)
        made = routes(
            live, base="", assets=assets, facts=facts, server_facts=server_facts, card=card
        )

        @asynccontextmanager
        async def lifespan(app: Any):
            self.stream.start()
            yield
            self.stream.close()

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.host = f"127.0.0.1:{free.getsockname()[1]}"
        app = Starlette(routes=list(made), lifespan=lifespan)
        port = int(self.host.partition(":")[2])
        self.server = uvicorn.Server(
            uvicorn.Config(app, port=port, ws="websockets-sansio", log_level="warning")
        )
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        until(lambda: self.server.started)

    def connect(self, **options: Any) -> ClientConnection:
        options = {"origin": f"http://{self.host}", "max_size": None} | options
        return connect(f"ws://{self.host}/live", **options)

    @contextmanager
    def viewer(self, *channels: str) -> Iterator[ClientConnection]:
        with self.connect() as connection:
            connection.send(json.dumps({"channels": channels}))
            yield connection

    def meter(self) -> str:
        return f"meter?run={self.run.id}"

    def get(self, path: str, **headers: str) -> tuple[int, Any, bytes]:
        request = urllib.request.Request(f"http://{self.host}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join(30)


def until(condition: Callable[[], Any]) -> None:
    async def wait() -> None:
        async with asyncio.timeout(120):  # a busy machine
            while not condition():
                await asyncio.sleep(0.01)

    asyncio.run(wait())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    lab.cache_clear()
    run = lab().create(POINTS, playing=False, secret=SECRET)
    until(lambda: run.frame.view is not None)
    script = tmp_path_factory.mktemp("assets") / "part.js"
    script.write_text(SCRIPT)
    server = Served(run, {"part.js": script})
    yield server
    server.close()
    lab().close(run.id)
    lab.cache_clear()


@pytest.fixture(autouse=True)
def quiet(served: Served, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever is sent, nothing is logged as an error, and all connections end."""
    yield
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == []
    until(lambda: served.stream.viewers == 0)


def received(connection: ClientConnection) -> list[dict[str, Any]]:
    """The next message that says something."""
    while True:
        message = connection.recv(timeout=120)
        assert isinstance(message, bytes)
        if parts := decode(message):
            return parts


# What is served -------------------------------------------------------------------------------


def test_what_is_subscribed_to_comes(served: Served):
    wanted = {f"{name}?run={served.run.id}" for name in ("page", "status", "meter", "samples")}
    with served.viewer(*wanted) as viewer:
        found: set[str] = set()
        while found != wanted:
            found |= {part["channel"] for part in received(viewer)}
        viewer.send(json.dumps({"channels": [f"modes?run={served.run.id}"]}))
        assert [part["channel"] for part in received(viewer)] == [f"modes?run={served.run.id}"]


def test_server_sent_events_carry_the_same_messages(served: Served):
    with served.viewer(served.meter()) as viewer:
        expected = received(viewer)
    query = urllib.parse.urlencode({"subscription": json.dumps({"channels": [served.meter()]})})
    with urllib.request.urlopen(f"http://{served.host}/live?{query}", timeout=30) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-accel-buffering"] == "no"
        line = answer.readline()
    assert line.startswith(b"data: ")
    assert decode(base64.b64decode(line[6:])) == expected


def test_silence_is_filled_with_signs_of_life(served: Served, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server_routes, "ALIVE", 0.05)
    with served.viewer(f"alarm?run={served.run.id}") as viewer:
        received(viewer)
        assert [viewer.recv(timeout=30) for _ in range(3)] == [b""] * 3


def test_no_secret_comes_over_the_stream_or_its_addresses(served: Served):
    id = served.run.id
    others = {"duel", "job", *theory.PARTS}  # of no run
    parts = [name for name in PARTS if name not in others]
    options = {"curves": "&names=losses,distance", "overlays": "&names=w1"}
    wanted = [f"{name}?run={id}{options.get(name, '')}" for name in parts]
    said = ""
    with served.viewer(*wanted) as viewer:
        found: set[str] = set()
        while found != set(wanted):
            for part in received(viewer):
                found.add(part["channel"])
                said += json.dumps(part)
    for path in (f"/runs/{id}.json", "/status.json"):
        said += served.get(path)[2].decode()
    assert id in said
    assert SECRET not in said
    assert served.run.access._secret_hash not in said


def test_a_runs_facts_are_finite_json_and_asking_is_not_watching(served: Served):
    run = served.run
    before = lab()._slots[run.id].seen
    status, headers, body = served.get(f"/runs/{run.id}.json")
    told = json.loads(body, parse_constant=lambda constant: pytest.fail(constant))
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert told["config"]["data"] == "ring8"
    assert (told["id"], told["state"], told["step"]) == (run.id, "paused", 0)
    assert lab()._slots[run.id].seen == before
    assert served.get("/runs/nothing.json")[0] == 404
    assert served.get("/runs/..%2f..%2fetc%2fpasswd.json")[0] == 404


def test_a_runs_card_is_a_picture(served: Served):
    status, headers, body = served.get(f"/runs/{served.run.id}.png")
    assert (status, headers["content-type"]) == (200, "image/png")
    with Image.open(io.BytesIO(body)) as picture:
        assert picture.size == (1200, 630)
        assert len(set(picture.convert("L").tobytes())) > 2
    assert served.get("/runs/nothing.png")[0] == 404


def test_modules_are_packed_and_kept(served: Served):
    status, headers, body = served.get("/assets/live/any/part.js")
    assert status == 200
    assert headers["content-encoding"] == "gzip"
    assert headers["content-type"].startswith("text/javascript")
    assert "immutable" in headers["cache-control"]
    assert gzip.decompress(body).decode() == SCRIPT
    assert len(body) < len(SCRIPT) / 5
    for path in ("nothing.js", "..%2f..%2fapp.py", "%2fetc%2fpasswd"):
        assert served.get(f"/assets/live/any/{path}")[0] == 404


# What is refused --------------------------------------------------------------------------------


def subscribing(*channels: Any) -> str:
    return json.dumps({"channels": channels})


HOSTILE: dict[str, str | bytes] = {
    "nothing": "",
    "no JSON": "hello",
    "half of it": '{"channels": ["a"',
    "binary": b'{"channels": []}',
    "giant binary": b"\x00" * 1_000_000,
    "giant text": "x" * 1_000_000,
    "a little too long": subscribing() + " " * MAX_TEXT,
    "null": "null",
    "a number": "1e999",
    "NaN": '{"channels": NaN}',
    "a list": '["meter"]',
    "a text": '"meter"',
    "another object": '{"subscribe": []}',
    "channels as a text": '{"channels": "meter"}',
    "channels as an object": '{"channels": {"meter": 1}}',
    "numbers": subscribing(1, 2),
    "lists": subscribing(["meter"]),
    "nothing in it": subscribing(None),
    "ten thousand": json.dumps({"channels": ["meter"] * 10_000}),
    "some too many": subscribing(*(f"meter?run={n}" for n in range(MAX_CHANNELS + 1))),
    "deep lists": "[" * 10_000,
    "deep objects": '{"channels":' * 1500 + "[]" + "}" * 1500,
    "deep channels": '{"channels": ' + "[" * 9000 + "]" * 9000 + "}",
    "an unknown part": subscribing("secrets?run=x"),
    "a part by its path": subscribing("../../etc/passwd"),
    "a private name": subscribing("__class__"),
    "a long unknown part": subscribing("🙂" * 90),
    "a lone surrogate": '{"channels": ["\\ud800"]}',
    "zeros": subscribing("\x00" * 100),
    "an unknown option": subscribing("meter?run=x&owner=" + SECRET[:3]),
    "an unknown long option": subscribing("meter?run=x&" + "ü" * 100 + "=1"),
    "a hundred options": subscribing("meter?" + "&".join(f"o{n}=1" for n in range(60))),
    "a step that is none": subscribing("meter?run=x&at=-1"),
    "a huge step": subscribing("meter?run=x&at=" + "9" * 300),
    "a step in other digits": subscribing("meter?run=x&at=١٢"),
    "an unknown section": subscribing("critic?run=x&section=" + "🙂" * 60),
    "an unknown curve": subscribing("curves?run=x&names=losses,secrets"),
    "a wide median": subscribing("curves?run=x&names=losses&smoothing=100000"),
    "too many runs": subscribing("overlays?run=a,b,c,d,e&names=w1"),
    "too many runs of a page": subscribing("page?run=a,b,c,d,e"),
    "an option of another part": subscribing("duel?run=x"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_subscription_is_refused_and_others_are_served(served: Served, what: str):
    with served.viewer(served.meter()) as other, served.connect() as hostile:
        received(other)
        hostile.send(HOSTILE[what])
        with pytest.raises(ConnectionClosed) as closed:
            hostile.recv(timeout=30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
        assert closed.value.rcvd.reason.strip()
        other.send(json.dumps({"channels": [f"status?run={served.run.id}"]}))
        assert received(other)[0]["channel"].startswith("status")


@pytest.mark.parametrize("what", HOSTILE)
def test_the_events_refuse_the_same(served: Served, what: str):
    sent = HOSTILE[what]
    if isinstance(sent, bytes) or len(sent) > 8000:
        pytest.skip("no address holds that")
    query = urllib.parse.urlencode({"subscription": sent})
    status, _, body = served.get(f"/live?{query}")
    assert status == 400
    assert json.loads(body)["error"]


@pytest.mark.parametrize("run", ["nothing", "", "../x", "x" * 300, "a,b", "%00", "<script>"])
@pytest.mark.parametrize("part", ["page", "meter", "curves"])
def test_a_run_that_there_is_not_shows_nothing(served: Served, part: str, run: str):
    if "," in run and part != "page":
        run = "gone"
    with served.viewer(f"{part}?run={urllib.parse.quote(run, safe='')}") as viewer:
        (found,) = received(viewer)
        if part != "page":
            assert found["blocks"] == []
        assert served.run.id not in json.dumps(found)
    assert lab().ids() == [served.run.id]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1", "file://"])
def test_a_page_of_another_site_reads_nothing(served: Served, origin: str):
    with pytest.raises(InvalidStatus) as refused:
        served.connect(origin=origin)
    assert refused.value.response.status_code == 403
    query = urllib.parse.urlencode({"subscription": subscribing(served.meter())})
    assert served.get(f"/live?{query}", Origin=origin)[0] == 403


def test_a_flood_of_subscriptions_is_cut_off(served: Served):
    with served.viewer(served.meter()) as other, served.connect() as flood:
        with suppress(ConnectionClosed):
            for number in range(MAX_MESSAGES * 100):
                flood.send(subscribing(f"meter?run={number}"))
        with pytest.raises(ConnectionClosed) as closed:
            list(flood)  # whatever still comes
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "Too many messages.")
        assert received(other)


def test_connections_are_limited_and_those_who_have_gone_make_room(served: Served):
    with ExitStack() as stack:
        viewers = [stack.enter_context(served.viewer(served.meter())) for _ in range(MOST)]
        for viewer in viewers:
            received(viewer)
        with pytest.raises(InvalidStatus):
            served.connect()
        viewers.pop().close()
        until(lambda: served.stream.viewers < MOST)
        with served.viewer(served.meter()) as viewer:
            received(viewer)


def test_who_hangs_up_in_the_middle_leaves_nothing(served: Served):
    for _ in range(5):
        with served.viewer(served.meter()) as viewer:
            viewer.socket.shutdown(socket.SHUT_RDWR)  # no closing frame
    query = urllib.parse.urlencode({"subscription": subscribing(served.meter())})
    host, _, port = served.host.partition(":")
    for _ in range(5):
        with socket.create_connection((host, int(port))) as events:
            events.sendall(f"GET /live?{query} HTTP/1.1\r\nHost: {served.host}\r\n\r\n".encode())
    until(lambda: served.stream.viewers == 0)
    until(lambda: not served.stream._channels)


def test_whoever_does_not_read_holds_up_nobody(served: Served):
    run, status = served.run, f"status?run={served.run.id}"
    with served.viewer(f"samples?run={run.id}"), served.viewer(status) as other:
        received(other)
        for _ in range(3):
            step = run.frame.step
            run.update("both")
            until(lambda step=step: run.frame.step > step and not run.active)
            while f"step {step + 1}" not in json.dumps(received(other)):
                pass
