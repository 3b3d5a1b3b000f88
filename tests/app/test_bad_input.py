"""Whatever an address or an uploaded file holds, the page says one sentence and the run goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from hypothesis import example, given, settings
from hypothesis import strategies as st
from lab_app import POINTS, LabApp, wait_for

from wgan.config import FIELDS, SHORTHANDS, ConfigError, from_json
from wgan.presets import DEFAULT, PRESETS
from wgan.runs.run import Run
from wgan.server.registry import lab
from wgan.ui import binding, share
from wgan.ui.words import plain

KNOWN = {*FIELDS, *SHORTHANDS}

# No field takes any of these.
WRONG: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.just(float("nan")),
    st.sampled_from([float("inf"), -1, -0.5, 10**40, 1e300, "", "\x00", "ноль", "🙂" * 50]),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
    st.lists(st.none(), min_size=1, max_size=4),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)
UNKNOWN = st.text(max_size=20).filter(lambda name: name not in KNOWN)


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def _is_no_object(data: bytes) -> bool:
    try:
        return not isinstance(json.loads(data), dict)
    except ValueError:
        return True


UPLOADS = st.one_of(
    st.binary(max_size=200).filter(_is_no_object),
    st.text(max_size=200).map(str.encode).filter(_is_no_object),
    JSON.filter(lambda value: not isinstance(value, dict)).map(_encoded),
    st.dictionaries(UNKNOWN, JSON, min_size=1, max_size=3).map(_encoded),
    # The folder is left out: it may be any text, and is looked for when the data are read from it.
    st.dictionaries(st.sampled_from(sorted(KNOWN - {"folder"})), WRONG, min_size=1, max_size=3).map(
        _encoded
    ),
    st.integers(1, len(POINTS.to_json()) - 1).map(lambda n: POINTS.to_json()[:n].encode()),
)
# Those that a person, a bug or an attacker would think of.
NASTY_UPLOADS = [
    b"",
    b" ",
    b"null",
    b"[]",
    b'"digits"',
    b"{",
    b'{"lr": NaN}',
    b'{"lr": 1e999}',
    b'{"lr_g": true}',
    b'{"width": 1e9}',
    b'{"width": 128.5}',
    b'{"width": "128"}',
    b'{"batch_size": ' + b"9" * 5000 + b"}",
    b'{"seed": -1}',
    b'{"data": "/etc/passwd"}',
    b'{"data": "points"}',
    b'{"data": "points", "points": [[0, 9]]}',
    b'{"data": "points", "points": [[0, 0], [1]]}',
    b'{"faults": "raw_log"}',
    b'{"faults": [["raw_log"]]}',
    b'{"network": "dcgan"}',
    b'{"__class__": "os.system"}',
    b'{"![x](http://e.il/x.png)": "<script>alert(1)</script>"}',
    b'{"objective": "\\ud800"}',
    b"\xff\xfe\x00",
    b"\x80\x04\x95.",
    b"\x00" * 1000,
    b"[" * 500 + b"]" * 500,
    b"[" * 100_000,
    b'{"points": ' + b"[" * 700 + b"]" * 700 + b"}",
    b'{"points": [' + b"[0, 0]," * 5000 + b"[0, 0]]}",
    b'{"a": "' + b"x" * 900_000 + b'"}',
]

TEXTS = st.one_of(
    st.text(max_size=60),
    st.text(st.characters(categories=["Cc", "Cf", "Cs", "Co"]), min_size=1, max_size=20),
    st.integers(1, 100_000).map(lambda n: "x" * n),
    st.sampled_from(
        ["../../etc/passwd", "None", "0", "[a](http://e.il)", "$x$", "%00", "' or 1=1"]
    ),
)
ADDRESSES = st.dictionaries(
    st.sampled_from(["run", "preset", "seed", "RUN"]) | st.text(max_size=10), TEXTS, max_size=4
)
NASTY_ADDRESSES = [
    {"run": ""},
    {"run": " "},
    {"run": "nope"},
    {"run": ["a", "b"]},
    {"run": "x" * 100_000},
    {"run": "\x00\x01\x1b[31m"},
    {"run": "\u202e\u200b🙂"},
    {"run": "[a](http://e.il)"},
    {"run": "<script>alert(1)</script>"},
    {"run": "../../../etc/passwd"},
    {"run": "None", "preset": "None"},
    {"run": "nope", "preset": "ring-gan"},
    {"preset": ""},
    {"preset": "ring"},
    {"preset": "RING-GAN"},
    {"preset": ["ring-gan", "nope"]},
    {"preset": "![a](http://e.il/a.png)"},
    {"preset": "$\\frac{1}{0}$"},
    {"preset": "\n\n# big"},
    {"preset": "y" * 50_000},
    {"seed": "1", "width": "1e9"},
    {"": ""},
    {"__proto__": "x"},
    {"a" * 5000: "b" * 5000},
]


# Through the functions -------------------------------------------------------------------------


class _Params(dict[str, str]):
    def to_dict(self) -> dict[str, str]:
        return dict(self)

    def from_dict(self, values: dict[str, str]) -> None:
        self.clear()
        self.update(values)


def _no_toast(text: str, *, icon: str) -> None:
    """A toast that nobody sees."""


@contextmanager
def _a_tab(address: dict[str, str]) -> Iterator[SimpleNamespace]:
    """Streamlit as a tab with this address sees it; runs are made but never begin."""
    tab = SimpleNamespace(session_state={}, query_params=_Params(address), toast=_no_toast)
    with (
        patch.object(binding, "st", tab),
        patch.object(share, "st", tab),
        patch("threading.Thread.start"),
    ):
        try:
            yield tab
        finally:
            for id in lab().ids():
                lab().close(id)


def _is_one_line(text: str) -> bool:
    return bool(text.strip()) and text.isprintable() and len(text) < 1000


@settings(max_examples=100, deadline=None)
@given(UPLOADS)
@example(b'{"points": ' + b"[" * 950 + b"]" * 950 + b"}")
@example(b"[" * 950 + b"]" * 950)
def test_a_malformed_upload_is_refused_with_one_sentence(data: bytes):
    with _a_tab({}) as tab:
        run = binding.current_run()
        tab.session_state["upload_config"] = SimpleNamespace(name="a.json", getvalue=lambda: data)
        share._uploaded(run)
        assert lab().ids() == [run.id]
        assert run.config == PRESETS[DEFAULT].config
        assert binding.current_run() is run
        assert _is_one_line(plain(tab.session_state[binding.NOTICE]))


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(KNOWN)), JSON | WRONG, max_size=4).map(_encoded))
def test_an_upload_is_either_a_config_or_refused(data: bytes):
    try:
        config = from_json(data)
    except ConfigError:
        config = None
    with _a_tab({}) as tab:
        run = binding.current_run()
        tab.session_state["upload_config"] = SimpleNamespace(name="a.json", getvalue=lambda: data)
        share._uploaded(run)
        assert (binding.current_run() is run) == (config is None)
        assert binding.current_run().config == (config or run.config)
        assert (binding.NOTICE in tab.session_state) == (config is None)


@settings(max_examples=200, deadline=None)
@given(ADDRESSES)
def test_a_malformed_address_gives_a_run_and_at_most_one_sentence(address: dict[str, str]):
    with _a_tab(address) as tab:
        other = lab().create(POINTS)
        run = binding.current_run()
        assert isinstance(run, Run)
        assert run.config in [preset.config for preset in PRESETS.values()]
        assert tab.query_params == {"run": run.id}
        assert binding.current_run() is run
        assert lab().ids() == [other.id, run.id]
        wrong = bool(address.get("run")) or address.get("preset", DEFAULT) not in PRESETS
        assert (binding.NOTICE in tab.session_state) == wrong
        if wrong:
            assert _is_one_line(plain(tab.session_state[binding.NOTICE]))


# Through the whole page ------------------------------------------------------------------------


def _goes_on(run: Run) -> None:
    before = run.frame.step
    wait_for(lambda: run.frame.step > before)
    assert run.state == "playing"


def test_malformed_uploads_through_the_page():
    app = LabApp(POINTS, playing=True)
    run = app.run
    app.open_tab("Share and repeat")
    for data in NASTY_UPLOADS:
        app.widget("upload_config").upload("config.json", data)
        app.redraw()
        (sentence,) = app.notices()
        assert _is_one_line(sentence), data[:80]
        assert sentence.startswith("config.json: ")
        assert app.run is run
        assert run.config == POINTS
        app.widget("upload_config").set_value(None)
        app.redraw()
        assert app.notices() == []
    assert lab().ids() == [run.id]
    _goes_on(run)


def test_malformed_addresses_through_the_page():
    first = LabApp(POINTS, playing=True)
    run = first.run
    at = first.at
    for address in NASTY_ADDRESSES:
        at.query_params.clear()
        at.query_params.update(address)
        at.session_state["run_id"] = None  # an address that is typed in begins a session
        first.redraw()
        notices = first.notices()
        assert len(notices) == (bool(address.get("run")) or "preset" in address), address
        assert all(map(_is_one_line, notices))
        assert first.run is not run
        assert set(at.query_params) == {"run"}
        lab().close(first.id)
    assert lab().ids() == [run.id]
    assert run.config == POINTS
    _goes_on(run)
