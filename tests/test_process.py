"""What is set up once for the server's process, however many come in at once."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="other C libraries have no such heaps"
)
CLASS = """
import gc, logging, threading, torch
from wgan.ui.process_tuning import SELDOM, settle

gate = threading.Barrier(30)
def come(): gate.wait(); settle()
visitors = [threading.Thread(target=come) for _ in range(30)]
for visitor in visitors: visitor.start()
for visitor in visitors: visitor.join()
logging.getLogger("wgan.lab").info("made run=a")
print(gc.get_freeze_count() > 10_000, gc.get_threshold() == SELDOM)
"""


def test_a_class_that_comes_in_at_once_sets_it_up_once():
    done = subprocess.run(
        [sys.executable, "-c", CLASS], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == ["True", "True"], done.stderr
    assert done.stderr.count("made run=a") == 1


THEME = """
from streamlit import config
from wgan.ui.process_tuning import settle

before = config.get_options_for_section("theme.dark")
settle()
after = config.get_options_for_section("theme.dark")
print(after == before, after is config.get_options_for_section("theme.dark"))
"""


def test_the_theme_is_read_once():
    done = subprocess.run(
        [sys.executable, "-c", THEME], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == ["True", "True"], done.stderr


LEFT = """
import gc, time, weakref
from wgan.ui import process_tuning

process_tuning.TIDY = 0.05
process_tuning.settle()

class Visit: ...
visit = Visit()
visit.itself = visit
left = weakref.ref(visit)
del visit
assert left() is not None
deadline = time.monotonic() + 30
while left() is not None and time.monotonic() < deadline:
    time.sleep(0.01)
print(left() is None)
"""


def test_what_hangs_together_in_cycles_goes_soon():
    done = subprocess.run(
        [sys.executable, "-c", LEFT], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == ["True"], done.stderr


CLOSED = """
import logging
from starlette.websockets import WebSocketDisconnected
from wgan.ui.process_tuning import settle

settle()
server = logging.getLogger("uvicorn.error")
server.addHandler(logging.StreamHandler())
for error in (WebSocketDisconnected("closed"), RuntimeError("a fault")):
    try:
        raise error
    except RuntimeError:
        server.exception("Exception in ASGI application")
"""


def test_a_closed_tab_is_no_fault_and_a_fault_is_one():
    done = subprocess.run(
        [sys.executable, "-c", CLOSED], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.stderr.count("Traceback") == 1, done.stderr
    assert "RuntimeError: a fault" in done.stderr


HOLES = """
import gc, time
from pathlib import Path

import pytest
from wgan.ui import process_tuning

def resident(): return int(Path("/proc/self/statm").read_text().split()[1])
before = resident()
pieces = [bytearray(3000) for _ in range(100_000)]
kept, full = pieces[::100], resident()
del pieces  # what is kept is spread all over the heap
process_tuning.TIDY = 0.05
process_tuning.settle()
deadline = time.monotonic() + 30
while resident() - before > (full - before) / 4 and time.monotonic() < deadline:
    time.sleep(0.01)
print(resident() - before <= (full - before) / 4)
"""


@glibc
def test_what_was_freed_goes_back_to_the_system():
    done = subprocess.run(
        [sys.executable, "-c", HOLES], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == ["True"], done.stderr


SHARED = """
import ctypes, sys, tempfile, threading
from wgan.ui import process_tuning

process_tuning.share_heaps()
gate = threading.Barrier(31)
def visit():
    piece = bytearray(3000)
    gate.wait()
    gate.wait()
for _ in range(30): threading.Thread(target=visit).start()
gate.wait()
libc = ctypes.CDLL(None)
libc.fopen.restype, libc.malloc_info.argtypes = ctypes.c_void_p, (ctypes.c_int, ctypes.c_void_p)
libc.fclose.argtypes = (ctypes.c_void_p,)
with tempfile.NamedTemporaryFile() as told:
    file = libc.fopen(told.name.encode(), b"w")
    libc.malloc_info(0, file)
    libc.fclose(file)
    print(told.read().count(b"<heap nr=") <= process_tuning.HEAPS)
gate.wait()
"""


@glibc
def test_the_threads_of_a_class_share_heaps():
    done = subprocess.run(
        [sys.executable, "-c", SHARED], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == ["True"], done.stderr
