"""The page Theory: the papers' reasons, with everything in them movable."""

from __future__ import annotations

from collections.abc import Callable

from wgan.ui.theory import dirac, distances, lipschitz, transport, value

# The sections by their keys in `theory.md`, in the order of the tabs.
SECTIONS: dict[str, Callable[[], None]] = {
    "distances": distances.draw,
    "transport": transport.draw,
    "lipschitz": lipschitz.draw,
    "value": value.draw,
    "dirac": dirac.draw,
}
