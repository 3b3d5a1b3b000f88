"""The Dirac-GAN: why two players who learn at once may circle for ever, and what stops them."""

from __future__ import annotations

from functools import lru_cache

import streamlit as st

from wgan.live.blocks import Number, numbers
from wgan.plots.theory import dirac as drawn
from wgan.theory.dirac import GAMES, Array, Settings, path, radius, verdict
from wgan.ui import live
from wgan.ui.theory.controls import choice, slider, told
from wgan.ui.words import sections

TEXT = "theory_dirac"
ROUNDS = 400
ORDERS = {True: "alternating", False: "simultaneous"}


def draw() -> None:
    """The section."""
    words = sections(TEXT)
    chosen = choice(
        TEXT, "method", {key: game.label for key, game in GAMES.items()}, state="theory_game"
    )
    game = GAMES[chosen]
    how, start = _settings(chosen)
    ways = {key: _way(key, start, _of(key, chosen, how)) for key in GAMES}
    # One below the other: side by side they would not fit a phone.
    lines = game.equation.replace(r",\quad", r"\\")
    st.latex(rf"\begin{{gathered}}{lines}\end{{gathered}}")
    _values(chosen, how, ways[chosen])
    left, right = st.columns(2, gap="large")
    with left:
        live.live_figure(
            drawn.phase_plane(game, ways[chosen], how),
            key="theory_phase",
            height=560,
            alt=f"Phase plane of {game.label}: {verdict(ways[chosen])}",
            title=f"{game.label}: {ROUNDS} updates",
        )
    with right:
        live.live_figure(
            drawn.distances(ways, chosen),
            key="theory_dirac_distances",
            height=420,
            alt="Distance from the equilibrium for eight methods",
            title="All eight with these settings",
        )
        st.markdown(_table(ways))
    st.markdown(words["eigenvalues"])
    st.latex(words["jacobian"])
    if game.jacobian is None:
        st.info(words["breaks"], icon=":material/info:")
    else:
        left, right = st.columns(2, gap="large")
        with left:
            live.live_figure(
                drawn.eigenvalue_plane(game, how),
                key="theory_eigenvalues",
                height=400,
                alt="Eigenvalues of the update's Jacobian beside the unit circle",
                title="Eigenvalues at the equilibrium",
            )
        with right:
            live.live_figure(
                drawn.momentum_curve(game, how),
                key="theory_momentum_curve",
                height=400,
                alt="Largest eigenvalue over the momentum",
                title="What momentum does",
            )
    st.markdown(words["why"])


def _settings(chosen: str) -> tuple[Settings, tuple[float, float]]:
    """How the players move and where they start, from the widgets."""
    game = GAMES[chosen]
    one, two, three = st.columns(3, gap="large")
    with one:
        step = slider(TEXT, "step", 0.01, 0.5, 0.2, 0.01, state="theory_step")
        theta = slider(TEXT, "theta", -2.0, 2.0, 1.0, 0.1, state="theory_dirac_theta")
    with two:
        critic_steps = slider(TEXT, "critic_steps", 1, 10, 1, 1, state="theory_dirac_critic_steps")
        psi = slider(TEXT, "psi", -2.0, 2.0, 1.0, 0.1, state="theory_dirac_psi")
    with three:
        momentum = slider(TEXT, "momentum", -0.9, 0.9, 0.0, 0.05, state="theory_momentum")
        strength = 0.0
        if game.strength is not None:
            label, help = told(TEXT, f"strength_{chosen}")
            strength = st.slider(
                label,
                0.0,
                game.most,
                game.strength,
                0.05,
                key=f"theory_strength_{chosen}",
                help=help,
            )
    alternating = choice(TEXT, "order", ORDERS, state="theory_order")
    how = Settings(step, int(critic_steps), momentum, alternating, strength)
    return how, (theta, psi)


def _of(key: str, chosen: str, how: Settings) -> Settings:
    """The settings for another method: each has its own usual strength."""
    strength = how.strength if key == chosen else GAMES[key].strength or 0.0
    return Settings(how.step, how.critic_steps, how.momentum, how.alternating, strength)


@lru_cache(maxsize=256)
def _way(key: str, start: tuple[float, float], how: Settings) -> Array:
    return path(GAMES[key], start, how, ROUNDS)


def _values(chosen: str, how: Settings, way: Array) -> None:
    largest = radius(GAMES[chosen], how)
    distance = float((way[-1] ** 2).sum() ** 0.5)
    shown = [
        Number(
            "From (0, 0)", verdict(way), f"at {_short(distance)} after {ROUNDS} updates", _MEANS
        ),
        Number("Largest |λ|", "–" if largest is None else f"{largest:.4f}", "below 1: converges"),
    ]
    live.still([numbers(*shown)], key="theory_dirac_values", height=80)


_MEANS = (
    "Over the last quarter: within 1% of the distance at the start it arrives, beyond ten times "
    "that it leaves; otherwise it circles."
)


def _table(ways: dict[str, Array]) -> str:
    """What each method comes to, as one line."""
    by_word: dict[str, list[str]] = {"arrives": [], "circles": [], "leaves": []}
    for key, way in ways.items():
        by_word[verdict(way)].append(GAMES[key].label)
    return "  \n".join(
        f"**{word}:** {'; '.join(labels)}" for word, labels in by_word.items() if labels
    )


def _short(value: float) -> str:
    if value < 1e-4:
        return "less than 0.0001"
    return f"{value:.3g}" if value < 1e4 else "over 10,000"
