"""The page Theory: every section, every control, and the experiments that it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import live_parts
import pytest
from lab_app import ROOT, wait_for
from streamlit.testing.v1 import AppTest

from wgan.live.table import PARTS
from wgan.server.stream import StreamError, source
from wgan.theory.board import board
from wgan.theory.line_methods import LABELS
from wgan.ui.theory import SECTIONS
from wgan.ui.words import sections

TITLES = {key: sections("theory")[key].partition("\n")[0] for key in SECTIONS}


@pytest.fixture(autouse=True)
def empty_board() -> Iterator[None]:
    yield
    board().clear()


Open = Callable[[str], AppTest]


@pytest.fixture
def open_section() -> Open:
    def open_it(section: str) -> AppTest:
        at = AppTest.from_file(str(ROOT / "pages/theory.py"), default_timeout=60)
        at.session_state["section"] = TITLES[section]
        return redrawn(redrawn(at))

    return open_it


def redrawn(at: AppTest) -> AppTest:
    at.run()
    assert not at.exception, at.exception
    return at


def change(at: AppTest, key: str, value: Any) -> None:
    at.session_state[key] = value
    redrawn(at)


def finished(at: AppTest, key: str) -> live_parts.Blocks:
    """What a live part shows at its end, watched as the stream does."""
    watched = source(PARTS, live_parts.mounted(at, key)["channel"])
    wait_for(lambda: all(flag for flag, _ in watched.urgent()))  # pyright: ignore
    return live_parts.blocks(at, key)


def figure(at: AppTest, key: str) -> dict[str, Any]:
    """The only figure of a place."""
    (found,) = live_parts.charts(live_parts.blocks(at, key)).values()
    return found


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_opens_and_draws_only_itself(section: str, open_section: Open):
    at = open_section(section)
    places = live_parts.places(at)
    assert places
    for other in SECTIONS:
        if other != section:
            assert not places & live_parts.places(open_section(other))


# Distances --------------------------------------------------------------------------------------


def test_the_generators_place_moves_all_that_is_drawn(open_section: Open):
    at = open_section("distances")
    text = live_parts.text(live_parts.blocks(at, "theory_values"))
    assert "EM0.750" in text
    assert "∞" in text
    change(at, "theory_theta", -0.5)
    assert "EM0.500" in live_parts.text(live_parts.blocks(at, "theory_values"))
    assert figure(at, "theory_segments")["data"][1]["x"] == [-0.5, -0.5]
    point = figure(at, "theory_distance_em")["data"][-2]
    assert (point["x"], point["y"]) == ([-0.5], [0.5])
    assert len(figure(at, "theory_particles")["frames"]) == 41
    change(at, "theory_noise", 0.2)
    assert "∞" not in live_parts.text(live_parts.blocks(at, "theory_values"))


def test_every_objective_is_a_run(open_section: Open):
    at = open_section("distances")
    change(at, "theory_methods", ["wgan_gp", "gan_saturating"])
    change(at, "theory_critic_steps", "5")
    blocks = finished(at, "theory_lines")
    text = live_parts.text(blocks)
    assert "did not arrive" in text.partition("WGAN-GP")[0]
    assert "arrived: " in text.partition("WGAN-GP")[2]
    assert {line["name"] for line in live_parts.charts(blocks)["line-runs"]["data"]} == {
        LABELS["gan_saturating"],
        LABELS["wgan_gp"],
    }
    before = live_parts.mounted(at, "theory_lines")["channel"]
    at.button(key="theory_line_seed_again").click()
    redrawn(at)
    assert live_parts.mounted(at, "theory_lines")["channel"] != before
    change(at, "theory_methods", [])
    assert "theory_lines" not in live_parts.places(at)


@pytest.mark.parametrize(
    "channel", ["theory_lines?methods=magic", "theory_lines?start=3", "theory_lines?seed=20"]
)
def test_a_forged_channel_is_refused(channel: str):
    with pytest.raises(StreamError):
        source(PARTS, channel)


# Dirac-GAN --------------------------------------------------------------------------------------


def test_the_methods_of_the_dirac_gan(open_section: Open):
    at = open_section("dirac")
    assert "circles" in live_parts.text(live_parts.blocks(at, "theory_dirac_values"))
    change(at, "theory_game", "r1")
    assert "arrives" in live_parts.text(live_parts.blocks(at, "theory_dirac_values"))
    assert "0.9487" in live_parts.text(live_parts.blocks(at, "theory_dirac_values"))
    change(at, "theory_strength_r1", 0.0)  # without its penalty it is the GAN again
    assert "circles" in live_parts.text(live_parts.blocks(at, "theory_dirac_values"))
    change(at, "theory_game", "wgan")
    change(at, "theory_order", False)
    assert "leaves" in live_parts.text(live_parts.blocks(at, "theory_dirac_values"))
    for key, value in (
        ("theory_step", 0.1),
        ("theory_dirac_critic_steps", 3),
        ("theory_momentum", -0.3),
        ("theory_dirac_theta", -1.0),
        ("theory_dirac_psi", 0.5),
    ):
        before = figure(at, "theory_phase")
        change(at, key, value)
        assert figure(at, "theory_phase") != before, key


def test_where_the_field_breaks_there_are_no_eigenvalues(open_section: Open):
    at = open_section("dirac")
    change(at, "theory_game", "gp")
    assert "theory_eigenvalues" not in live_parts.places(at)
    assert at.info[0].value == sections("theory_dirac")["breaks"]


# The value function -----------------------------------------------------------------------------


def test_the_value_function_term_by_term(open_section: Open):
    at = open_section("value")
    text = live_parts.text(live_parts.blocks(at, "theory_value_terms"))
    assert "V(D, G)" in text
    for key, figured in (
        ("theory_mean", "theory_densities"),
        ("theory_sigma", "theory_terms"),
        ("theory_sharpness", "theory_over_sharpness"),
    ):
        before = figure(at, figured)
        change(at, key, 0.5)
        assert figure(at, figured) != before, key
    change(at, "theory_score", 0.0)
    assert "0.5000" in live_parts.text(live_parts.blocks(at, "theory_slopes"))


def test_what_reaches_a_generator_is_measured(open_section: Open):
    at = open_section("value")
    at.button(key="theory_reach_seed_again").click()
    redrawn(at)
    assert "seed=1" in live_parts.mounted(at, "theory_reach")["channel"]
    blocks = finished(at, "theory_reach")
    assert "after 400 discriminator steps" in live_parts.text(blocks)
    assert len(live_parts.charts(blocks)["reach"]["data"]) == 2


# Transport --------------------------------------------------------------------------------------


def test_histograms_are_moved_and_drawn_over(open_section: Open):
    at = open_section("transport")
    before = live_parts.text(live_parts.blocks(at, "theory_transport_values"))
    assert "1.0000 to 1.0000" in before
    for key in ("data_mean", "samples_mean", "data_width", "samples_width"):
        change(at, f"theory_{key}", 0.3)
        now = live_parts.text(live_parts.blocks(at, "theory_transport_values"))
        assert now != before, key
        before = now
    pad = live_parts.mounted(at, "theory_bars_data")
    assert len(pad["bars"]) == 24
    figures = live_parts.charts(live_parts.blocks(at, "theory_plan_line"))
    assert len(figures) == 3


def test_a_critic_learns_the_potential_of_two_clouds(open_section: Open):
    at = open_section("transport")
    change(at, "theory_kind", "plane")
    change(at, "theory_clouds", "lines")
    assert "0.8000" in live_parts.text(live_parts.blocks(at, "theory_transport_values"))
    blocks = finished(at, "theory_dual")
    text = live_parts.text(blocks)
    assert "exact W₁ = 0.8000" in text
    assert set(live_parts.charts(blocks)) == {"critic", "estimates", "slopes"}
    change(at, "theory_constraint", "clip")
    change(at, "theory_strength_clip_dual", 0.3)
    assert "strength=0.3" in live_parts.mounted(at, "theory_dual")["channel"]
    assert "constraint=clip" in live_parts.mounted(at, "theory_dual")["channel"]


@pytest.mark.parametrize(
    "channel",
    [
        "theory_dual?pair=blobs&constraint=gp&strength=3",
        "theory_dual?pair=magic&constraint=gp&strength=10",
        "theory_dual?pair=blobs&constraint=magic&strength=10",
    ],
)
def test_a_forged_critic_is_refused(channel: str):
    with pytest.raises(StreamError):
        source(PARTS, channel)


# Lipschitz --------------------------------------------------------------------------------------


def test_the_cone_and_the_class(open_section: Open):
    at = open_section("lipschitz")
    assert "K-Lipschitz?no" in live_parts.text(live_parts.blocks(at, "theory_constant"))
    change(at, "theory_k", 2.5)
    assert "K-Lipschitz?yes" in live_parts.text(live_parts.blocks(at, "theory_constant"))
    before = figure(at, "theory_cone")
    change(at, "theory_at", 0.5)
    assert figure(at, "theory_cone") != before
    change(at, "theory_function", "root")
    assert "∞" in live_parts.text(live_parts.blocks(at, "theory_constant"))
    change(at, "theory_apart", 0.5)
    assert "W₁0.50" in live_parts.text(live_parts.blocks(at, "theory_class_values"))


def test_clipped_critics_train_at_once(open_section: Open):
    at = open_section("lipschitz")
    change(at, "theory_c", 0.01)
    assert "c=0.01" in live_parts.mounted(at, "theory_clips")["channel"]
    watched = source(PARTS, live_parts.mounted(at, "theory_clips")["channel"])
    wait_for(lambda: watched.version() and not any(new for _, new in watched.urgent()))  # pyright: ignore
    blocks = live_parts.blocks(at, "theory_clips")
    assert "at most 0.00410" in live_parts.text(blocks)
    assert set(live_parts.charts(blocks)) == {"clipped", "clips"}
