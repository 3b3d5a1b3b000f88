"""Fixtures for tests of the app without a browser. Each test begins with an empty lab."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import cache

import pytest
import streamlit as st
from lab_app import IMAGES, POINTS, LabApp
from streamlit.components.v2 import manifest_scanner

from wgan.server.duel import duels
from wgan.server.registry import lab

# Every AppTest looks through all installed packages for components: a seventh of the tests' time.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


def clear_lab() -> None:
    """Closes all runs and waits until their threads have ended."""
    for id in lab().ids():
        lab().close(id)
    for thread in threading.enumerate():
        if thread.name.startswith(("trainer", "loader")):
            thread.join(timeout=30)
    duels.cache_clear()  # they would go on in the lab of the test before
    lab.cache_clear()
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(autouse=True)
def empty_lab() -> Iterator[None]:
    clear_lab()
    yield
    clear_lab()


@pytest.fixture
def points() -> LabApp:
    """The page on a small run of 2-D points that is paused at step 0."""
    return LabApp(POINTS)


@pytest.fixture
def images() -> LabApp:
    """The page on a small run of digits that is paused at step 0."""
    return LabApp(IMAGES)


@pytest.fixture
def open_lab() -> Callable[..., LabApp]:
    """Opens the page on a run of a config."""
    return LabApp
