"""The page Compare: every control, who may use it, and what it says when something is missing."""

from __future__ import annotations

import dataclasses
from typing import Any

import live_parts
import pytest
from lab_app import IMAGES, POINTS, ROOT, wait_for
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Widget

from wgan.comparisons import COMPARISONS, Comparison, comparison_of
from wgan.config import ExperimentConfig
from wgan.live.compare import names
from wgan.presets import PRESETS, cure
from wgan.runs.branches import MOST, quick_changes
from wgan.runs.run import Run
from wgan.server import eviction
from wgan.server.demonstration import COMPARED
from wgan.server.limits import limits
from wgan.server.registry import lab
from wgan.ui import compare, own_runs
from wgan.ui.words import sections

# `panel_open` goes to another page: see the test in the browser.
DRIVEN = {
    "compare_ready",
    "compare_own",
    "compare_add_own",
    "compare_play",
    "compare_together",
    "compare_of",
    "compare_change",
    "compare_add_branch",
    "compare_preset",
    "compare_add_preset",
    "compare_curves",
    "compare_by",
    "compare_smoothing",
    "panel_play",
    "panel_open",
    "panel_remove",
}


def make(config: ExperimentConfig = POINTS, secret: str | None = None) -> Run:
    run = lab().create(config, playing=False, secret=secret)
    wait_for(lambda: "loading" not in (run.state, run.frame.state))
    return run


class Compare:
    """The page; after each action it says if the page shows an exception."""

    def __init__(self, *runs: Run, query: str = "") -> None:
        self.at = AppTest.from_file(str(ROOT / "pages" / "compare.py"), default_timeout=60)
        if runs or query:
            self.at.query_params["runs"] = query or ",".join(run.id for run in runs)
        self.redraw()

    def redraw(self) -> None:
        self.at.run()
        assert not self.at.exception, self.at.exception

    @property
    def runs(self) -> list[Run]:
        ids = str(self.at.query_params.get("runs", "")).split(",")
        return [run for id in ids if (run := lab().get(id)) is not None]

    def widget(self, key: str) -> Any:
        (found,) = (node for node in self.at._tree if getattr(node, "key", None) == key)
        return found

    def controls(self) -> set[str]:
        return {str(node.key) for node in self.at._tree if isinstance(node, Widget)}

    def key(self, name: str) -> str:
        """The key that a widget has now, which is drawn anew when what it shows changes."""
        (found,) = (k for k in self.controls() if k == name or k.startswith(f"{name}-"))
        return found

    def click(self, key: str) -> None:
        self.widget(key).click()
        self.redraw()

    def set(self, key: str, value: Any) -> None:
        self.widget(key).set_value(value)
        self.redraw()

    def charts(self, key: str = "overlays") -> dict[str, dict[str, Any]]:
        """The charts of a live part, by name."""
        return live_parts.charts(live_parts.blocks(self.at, key))

    def part(self, key: str) -> str:
        return live_parts.text(live_parts.blocks(self.at, key))

    def samples(self, slot: int) -> dict[str, Any]:
        (chart,) = self.charts(f"panel_samples_{slot}").values()
        return chart

    def notices(self) -> list[str]:
        return [warning.value for warning in self.at.container(key="notices").warning]


def trained(run: Run, steps: int = 4) -> Run:
    run.stop_after(steps)
    run.play()
    wait_for(lambda: run.frame.step >= steps and run.state == "paused" and not run.active)
    return run


def test_every_control_has_a_test():
    page = Compare(trained(make()), make())
    page.at.session_state["secrets"] = {make(secret="mine").id: "mine"}
    page.redraw()
    found = page.controls()
    found = {key.rstrip("0123").removesuffix("_") for key in found}
    assert found == DRIVEN


def test_it_opens_with_a_gan_beside_a_wgan_gp_that_visitors_share():
    page = Compare()
    assert [run.config for run in page.runs] == [PRESETS[name].config for name in COMPARED]
    assert page.at.caption[0].value == sections("compare")["intro"]
    assert page.notices() == []
    shared = page.runs
    assert Compare().runs == shared  # another visitor
    wait_for(lambda: all(run.frame.step > 0 for run in page.runs))
    page.redraw()
    page.click("compare_play")  # the first thing that is done makes them this visitor's
    own = page.runs
    assert not {run.id for run in own} & {run.id for run in shared}
    wait_for(lambda: all(run.state == "paused" for run in own))
    assert all(run.state == "playing" for run in shared)
    page.redraw()
    assert sections("compare")["intro"] not in [text.value for text in page.at.caption]


def test_it_opens_with_the_run_of_the_lab_and_its_cured_branch():
    run = trained(make(POINTS.replace({"objective": "gan", "constraint": "none"}), secret="mine"))
    page = AppTest.from_file(str(ROOT / "pages" / "compare.py"), default_timeout=60)
    page.session_state["run_id"] = run.id
    page.session_state["secrets"] = {run.id: "mine"}
    page.run()
    ids = page.query_params["runs"]
    assert isinstance(ids, str)
    first, second = ids.split(",")
    branch = lab().get(second)
    assert branch is not None
    assert first == run.id
    assert branch.config == run.config.replace(cure(run.config))
    wait_for(lambda: branch.state == "paused")
    page.run()
    assert page.query_params["runs"] == ids  # drawn again, it makes no other


def test_where_not_even_demonstrations_have_room_it_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(eviction, "MOST", 0)
    page = Compare()
    assert "demonstration runs are being watched" in page.notices()[0]
    assert page.runs == []


@pytest.mark.parametrize("name", ["clip-gp", "norms"])
def test_a_ready_comparison_is_one_click_and_makes_room_for_itself(name: str):
    page = Compare()
    assert page.widget("compare_ready").value == "objectives"  # what the page opens with
    page.set(page.key("compare_ready"), name)
    assert [run.config for run in page.runs] == COMPARISONS[name].configs
    assert page.notices() == []
    assert page.widget(compare.CURVES).value == list(COMPARISONS[name].figures)
    first = {run.id for run in page.runs}
    wait_for(lambda: all(run.frame.step > 0 for run in page.runs))
    page.redraw()
    page.set(page.key("compare_ready"), "race")  # four more: those before are left
    assert len(page.runs) == 4
    assert page.notices() == []
    assert not first & {run.id for run in page.runs}
    for run in page.runs:
        run.pause()


def test_the_finding_is_told_by_steps_beside_what_is_expected(monkeypatch: pytest.MonkeyPatch):
    configs: Any = (POINTS, POINTS.replace({"constraint": "clip"}))
    told = Comparison(configs, 5, ("modes", "w1"), lambda found: found[0]["w1"] > 0)
    monkeypatch.setattr(Comparison, "configs", property(lambda self: list(self.fields)))
    monkeypatch.setitem(COMPARISONS, "sides", told)
    comparison_of.cache_clear()
    runs = [trained(make(configs[0]), 4), trained(make(configs[1]), 4)]
    runs[0].update("both")  # which is measured at once
    wait_for(lambda: runs[0].frame.step == 5)
    page = Compare(*runs)
    assert page.widget(page.key("compare_ready")).value == "sides"
    _, expected, found = sections("comparisons")["sides"].split("\n")
    reached = "B has reached step 4"
    for words in (f"Expected: {expected}", f"Found on three seeds: {found}", reached):
        assert words in page.part("finding")
    assert "as before" not in page.part("finding")
    runs[1].update("both")
    wait_for(lambda: runs[1].frame.step == 5)
    assert page.part("finding").endswith("· as before")
    told = dataclasses.replace(told, holds=lambda found: False)
    monkeypatch.setitem(COMPARISONS, "sides", told)
    assert page.part("finding").endswith("· not as before")
    runs[1].apply({"lr": 0.01})  # now they differ in something else
    wait_for(lambda: runs[1].frame.events)
    assert page.part("finding") == ""
    comparison_of.cache_clear()


def test_another_run_of_ones_own_joins_them():
    run, other = make(), make(POINTS.replace({"seed": 1}), secret="mine")
    page = Compare(run)
    page.at.session_state["secrets"] = {other.id: "mine"}
    page.redraw()
    assert page.widget("compare_own").options == [own_runs.told(other)]
    page.click("compare_add_own")
    assert page.runs == [run, other]


def test_what_differs_is_named_and_the_axes_are_the_same():
    other = POINTS.replace({"constraint": "clip", "lr": 5e-5})
    runs = [
        trained(make()),
        trained(make(other)),
        trained(make(POINTS.replace({"data": "grid25"}))),
    ]
    page = Compare(*runs)
    captions = [caption.value.replace("\\", "") for caption in page.at.caption]
    assert "GP → clipping; rate 1e-3 → 5e-5" in captions
    assert "Ring of 8 Gaussians → Grid of 25 Gaussians" in captions
    layouts = [page.samples(slot)["layout"] for slot in range(3)]
    assert len({tuple(layout["xaxis"]["range"]) for layout in layouts}) == 1
    chart = page.charts()["w1"]
    assert [trace["name"][0] for trace in chart["data"]] == ["A", "B", "C", "f"]


def test_play_and_pause_of_one_and_of_all():
    page = Compare(make(), make(POINTS.replace({"seed": 1})))
    one, other = page.runs
    page.click("panel_play_1")
    wait_for(lambda: other.frame.step > 0)
    assert (one.state, other.state) == ("paused", "playing")
    page.redraw()
    assert page.widget("compare_play").label == "Pause all"
    page.click("compare_play")
    assert (one.state, other.state) == ("paused", "paused")
    page.redraw()
    page.click("compare_play")
    assert (one.state, other.state) == ("playing", "playing")
    page.click("compare_play")


def test_start_together_begins_all_at_step_0():
    runs = [trained(make()), trained(make(POINTS.replace({"seed": 1})), 9)]
    for run in runs:
        run.stop_after(2)
    page = Compare(*runs)
    page.click("compare_together")
    wait_for(lambda: all(run.frame.step == 2 and run.state == "paused" for run in runs))


def test_a_branch_of_a_chosen_run_joins_them():
    runs = [trained(make()), trained(make(POINTS.replace({"constraint": "clip"})), 6)]
    page = Compare(*runs)
    page.set("compare_of", "B")
    assert len(page.widget("compare_change").options) == len(quick_changes(runs[1].config))
    page.set("compare_change", "optimizer=rmsprop")
    page.click("compare_add_branch")
    *before, branch = page.runs
    assert before == runs
    wait_for(lambda: branch.state == "paused" and branch.frame.events)
    assert branch.config == runs[1].config.replace({"optimizer": "rmsprop"})
    assert branch.frame.step == 6
    page.redraw()
    assert page.charts()["w1"]["layout"]["shapes"]


def test_all_are_there_before_they_start_together(monkeypatch: pytest.MonkeyPatch):
    runs = [trained(make()), trained(make(), 9)]
    page = Compare(*runs)
    assert not page.widget("compare_together").disabled
    monkeypatch.setattr(runs[1]._loop, "state", "loading")
    page.redraw()
    assert page.widget("compare_together").disabled


def test_presets_join_until_there_is_no_more_room():
    page = Compare(make())
    for name in list(PRESETS)[:1] * (MOST - 1):
        page.set("compare_preset", name)
        page.click("compare_add_preset")
        for run in page.runs:
            run.pause()
    assert len(page.runs) == MOST
    assert page.runs[1].config == PRESETS[next(iter(PRESETS))].config


def test_a_full_server_is_one_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WGAN_MAX_RUNS_PER_VISITOR", "2")
    limits.cache_clear()
    try:
        page = Compare()
        page.set("compare_ready", "race")
        (sentence,) = page.notices()
        assert "2 runs open" in sentence
        assert len(page.runs) == 2
    finally:
        limits.cache_clear()
    for run in page.runs:
        run.pause()


def test_another_page_chooses_the_first_curves():
    page = Compare(trained(make()))
    assert page.widget("compare_curves").value == ["w1", "modes"]
    page.at.session_state[compare.CURVES] = ["gradient_decades"]
    page.redraw()
    assert page.widget("compare_curves").value == ["gradient_decades"]
    assert list(page.charts()) == ["gradient_decades"]
    page.set("compare_curves", ["w1"])
    page.redraw()
    assert page.widget("compare_curves").value == ["w1"]


def test_curves_axis_and_smoothing_change_the_charts():
    run = trained(make(), 60)
    page = Compare(run, make())
    by_steps = page.charts()["w1"]["layout"]["xaxis"]["title"]["text"]
    page.set("compare_by", "seconds")
    by_clock = page.charts()["w1"]["layout"]["xaxis"]["title"]["text"]
    assert (by_steps, by_clock) == ("generator steps", "seconds of training")
    page.set("compare_curves", ["critic_loss"])
    rough = page.charts()["critic_loss"]["data"][0]
    page.set("compare_smoothing", 51)
    assert page.charts()["critic_loss"]["data"][0]["y"] != rough["y"]
    assert list(page.charts()) == ["critic_loss"]


def test_a_run_is_taken_away_and_stays_alive():
    runs = [make(), make(POINTS.replace({"seed": 1}))]
    page = Compare(*runs)
    page.click("panel_remove_0")
    assert page.runs == [runs[1]]
    assert lab().get(runs[0].id) is runs[0]
    assert page.widget("panel_remove_0").disabled  # the last one stays


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("nowhere", "There is no run 'nowhere' here"),
        ("../../etc,<b>x</b>", "There are no runs"),
        (",,,", None),
        ("x" * 5000, "There is no run"),
    ],
)
def test_runs_that_do_not_exist_are_one_sentence(query: str, words: str | None):
    notices = [text.replace("\\", "") for text in Compare(query=query).notices()]
    assert len(notices) == (words is not None)
    assert all(words in text for text in notices if words)


def test_more_than_four_are_cut_with_a_sentence():
    runs = [make(POINTS.replace({"seed": seed})) for seed in range(5)]
    page = Compare(*runs)
    assert page.runs == runs[:4]
    assert "4 runs fit" in page.notices()[0]


def test_a_watcher_has_no_buttons_over_other_peoples_runs():
    run = make(secret="own")
    page = Compare(run)
    for key in ("panel_play_0", "compare_play", "compare_together"):
        widget = page.widget(key)
        assert widget.disabled
        widget.proto.disabled = False  # whatever a browser sends
        page.click(key)
    assert run.state == "paused"
    assert run.frame.step == 0


def test_images_and_a_run_that_failed_are_shown():
    broken = make(POINTS.replace({"device": "cuda"}))
    page = Compare(trained(make(IMAGES), 2), broken)
    (grid,) = live_parts.pictures(live_parts.blocks(page.at, "panel_samples_0"))
    assert (grid["count"], grid["alt"]) == (64, "Run A: generated samples")
    assert "cuda" in page.part("panel_samples_1").lower()


def test_each_panel_has_the_status_and_the_meter_of_its_run():
    runs = [trained(make(), 3), trained(make(), 7)]
    page = Compare(*runs)
    for slot, run in enumerate(runs):
        assert f"step {run.frame.step}" in page.part(f"panel_status_{slot}")
        metrics = run.frame.metrics
        assert metrics is not None
        assert f"{metrics.modes} / {metrics.modes_total} modes" in page.part(f"panel_meter_{slot}")


def test_a_run_that_leaves_has_the_page_drawn_again_without_it():
    gone, kept = make(), make()
    page = Compare(gone, kept)
    drawn = live_parts.mounted(page.at, "wgan-page")
    assert live_parts.state(drawn["channel"])["changed"] is False
    lab().close(gone.id)
    assert live_parts.state(drawn["channel"])["changed"] is True
    page.redraw()
    assert page.runs == [kept]
    assert "There is no run" in page.notices()[0]


def test_names_tell_runs_of_one_method_apart():
    clip, rmsprop, adam, gan = COMPARISONS["race"].configs
    assert names([clip, rmsprop, adam, gan]) == [
        "WGAN, clipped",
        "WGAN-GP, RMSProp",
        "WGAN-GP, Adam",
        "GAN",
    ]
    assert names([adam, adam]) == ["WGAN-GP", "WGAN-GP"]
    assert names([adam, adam.replace({"lr_d": 0.1})])[1] == "WGAN-GP, critic rate 0.1"
