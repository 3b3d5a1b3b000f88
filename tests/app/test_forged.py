"""What a watcher's browser would never send changes nothing; the owner's same message does.

Each message is made from the owner's page, widget ids included, and sent twice: by a watcher, after
which a fingerprint of the run has to be the same, and by the owner, after which it must differ. So
a message that nobody could do harm with proves nothing here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from lab_app import IMAGES, POINTS, LabApp, wait_for
from streamlit.proto.WidgetStates_pb2 import WidgetState

from wgan.config import ExperimentConfig
from wgan.nested import leaves
from wgan.runs.run import Run
from wgan.server.registry import lab

SECRET = "the owner's own"
# What there is to do to a page before a message can be sent from it.
Prepare = Callable[[LabApp], None]


@dataclass(frozen=True)
class Message:
    """Widgets of the owner's page and what they are sent with; None presses a button.

    config: of a run that is paused at step 0. prepare: what the owner does before, and before_both
    what both pages do.
    """

    sends: dict[str, Any]
    config: ExperimentConfig = POINTS
    prepare: Prepare | None = None
    before_both: Prepare | None = None


def press(key: str, **more: Any) -> Message:
    return Message({key: None}, **more)


def put(key: str, value: Any, **more: Any) -> Message:
    return Message({key: value}, **more)


def train(owner: LabApp) -> None:
    for _ in range(3):
        owner.step()


def play(owner: LabApp) -> None:
    """Plays, but does not move: the first stage of a step is looked at for an hour."""
    owner.run.slow_down(3600.0)
    owner.run.play()
    wait_for(lambda: owner.run.frame.stage is not None)


def switch(owner: LabApp) -> None:
    owner.set("switch_objective", "gan")


def ask(owner: LabApp) -> None:
    owner.run.access.ask("Which?", ["This", "That"])


def voted(owner: LabApp) -> None:
    ask(owner)
    owner.run.access.vote("somebody", 0)


def lock(owner: LabApp) -> None:
    owner.run.access.locked = True


def tab(name: str) -> Prepare:
    return lambda app: app.open_tab(name)


def look_back(app: LabApp) -> None:
    app.set("look_back", 0)


GAN = POINTS.replace({"objective": "gan", "constraint": "none"})
CLIPPED = POINTS.replace({"constraint": "clip"})
ROOM, DATA = tab("Classroom"), tab("Your own data")
POLL = {"poll_question": "What now?", "poll_answer_0": "this", "poll_answer_1": "that"}
DRAWN = POINTS.replace({"data": "points", "points": [[0, 0], [1, 1]]})

MESSAGES: dict[str, Message] = {
    "play": press("play"),
    "pause": press("play", prepare=play),
    "one step": press("step_both"),
    "the critic alone": press("step_critic"),
    "the generator alone": press("step_generator"),
    "reset": press("reset", prepare=train),
    "go back": press("go_back", prepare=train, before_both=look_back),
    "slow motion": put("speed", "Slow motion"),
    "back to the GAN": press("collapse"),
    "cure": press("cure", config=GAN),
    "keep my rates": press("keep_rates", prepare=switch),
    "a remedy": press("doctor_try", config=POINTS.replace({"norm_d": "batch"})),
    "objective": put("switch_objective", "lsgan"),
    "constraint": put("switch_constraint", "clip"),
    "normalisation": put("switch_norm_d", "batch"),
    "optimiser": put("switch_optimizer", "sgd"),
    "λ": put("set_gp_weight", 10.0),
    "k": put("set_gp_target", 0.5),
    "clipping": put("set_clip_value", 0.2, config=CLIPPED),
    "the critic's rate": put("set_lr_d", 0.1),
    "the generator's rate": put("set_lr_g", 0.1),
    "β₁": put("set_beta1", 0.9),
    "β₂": put("set_beta2", 0.5),
    "critic steps": put("set_critic_steps", 7),
    "batch": put("set_batch_size", 16),
    "average": put("set_ema", 0.9),
    "the critic's optimiser": put("set_optimizer_d", "sgd"),
    "the generator's optimiser": put("set_optimizer_g", "sgd"),
    "the critic's layers": put("set_norm_d", "layer"),
    "the generator's layers": put("set_norm_g", "batch"),
    "freeze the generator": put("set_freeze_g", True),
    "freeze the critic": put("set_freeze_d", True),
    "bugs": put("set_faults", ["sign_flipped"]),
    "a digit's rate": put("set_lr_d", 0.1, config=IMAGES),
    "controls to the room": put("room_open", True, before_both=ROOM),
    "lock uploads": put("room_locked", True, before_both=ROOM),
    "unlock uploads": put("room_locked", False, prepare=lock, before_both=ROOM),
    "ask": Message(POLL | {"FormSubmitter:poll-Ask the room": None}, before_both=ROOM),
    "close the poll": press("poll_close", prepare=ask),
    "end the poll": press("poll_end", prepare=ask),
    "data, locked": press(
        "train_on_drawing", config=DRAWN, prepare=lock, before_both=DATA
    ),
    "data of the Hub, locked": Message(
        {"hub_data": "nobody/nothing", "train_on_hub": None}, prepare=lock, before_both=DATA
    ),
}  # fmt: skip


def message(owner: LabApp, sends: dict[str, Any]) -> list[WidgetState]:
    """What a browser sends for these widgets of the owner's page."""
    found = []
    for key, value in sends.items():
        widget = owner.widget(key)
        assert not widget.disabled, key
        widget.click() if value is None else widget.set_value(value)
        state = WidgetState()
        state.CopyFrom(widget._widget_state)
        found.append(state)
    return found


def send(app: LabApp, sent: Sequence[WidgetState]) -> None:
    """Sends a message with the state of everything else on the page, as a browser would."""
    states = app.at._tree.get_widget_states()
    kept = [one for one in states.widgets if one.id not in {state.id for state in sent}]
    del states.widgets[:]
    states.widgets.extend([*kept, *sent])
    app.at._run(states)
    assert not app.at.exception, app.at.exception


def fingerprint(run: Run) -> tuple[Any, ...]:
    """All that a message could change: of the run, of the room around it, and which runs there are.

    The run stands still, and has done what was asked of it.
    """
    wait_for(lambda: not run._loop._queue and (run.state == "playing" or not run.active))
    weights = hashlib.sha256()
    for leaf in leaves(run._loop.trainer.state_dict()):
        if isinstance(leaf, torch.Tensor):
            weights.update(leaf.detach().numpy().tobytes())
    room = run.access
    state = (run.state, run.config, run.slow, run.steps, run.events, weights.hexdigest())
    return (*state, room.to_dict(), room.poll, sorted(lab().ids()))


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_of_a_watcher_changes_nothing_and_the_owners_same_one_does(name: str):
    case = MESSAGES[name]
    owner = LabApp(case.config, secret=SECRET, owner=SECRET)
    run = owner.run
    watcher = LabApp(None, run=run.id)
    if case.prepare:
        case.prepare(owner)
    for app in (owner, watcher):
        app.redraw()
        if case.before_both:
            case.before_both(app)
    sent = message(owner, case.sends)
    before = fingerprint(run)
    send(watcher, sent)
    assert watcher.id == run.id
    assert fingerprint(run) == before
    send(owner, sent)
    wait_for(lambda: fingerprint(run) != before)


def test_a_second_vote_does_not_count_and_anothers_same_message_does():
    owner = LabApp(POINTS, secret=SECRET, owner=SECRET)
    ask(owner)
    apps = [LabApp(None, run=owner.id) for _ in range(2)]
    vote = message(apps[0], {"vote_0": None})
    for app, votes in ((apps[0], 1), (apps[0], 1), (apps[1], 2)):
        send(app, vote)
        assert owner.run.access.poll is not None
        assert owner.run.access.poll.votes == (votes, 0)
