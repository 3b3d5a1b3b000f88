"""A run as tensors and plain JSON values, so that it can leave memory and go on exactly.

`RunState` is what a run hands out and takes back; `pack` and `unpack` turn it into what a
safetensors file holds. Nothing is ever pickled.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import numpy as np
import numpy.typing as npt

from wgan.config import ExperimentConfig, from_dict
from wgan.runs.checkpoints import StateCheckpoint
from wgan.runs.series import Snapshot
from wgan.types import Event, ImageView, Metrics, PointView, State

if TYPE_CHECKING:
    from torch import Tensor

    from wgan.trainer import Trainer

    Tensors = dict[str, Tensor]

SNAPSHOT_BYTES = 4_000_000  # of all the snapshots that are kept of a run

_VIEWS = {"points": PointView, "images": ImageView}
_NETWORKS = ("generator", "critic", "averaged")
_OPTIMIZERS = ("optimizer_g", "optimizer_d")


@dataclass(frozen=True)
class RunState:
    """Everything that a run's future depends on, and its past, at one moment between two steps.

    trainer: `Trainer.state_dict()`; its optimisers come back without their groups, which follow
    from the config. curves: `History.state_dict()`. access: `Access.to_dict()`. checkpoints: those
    that the run can go back to; a copy in memory shares them, and none is packed: on the disk they
    would be many times the run. A run that comes back can go to its first step, and to what it does
    from then on.
    """

    config: ExperimentConfig
    first_config: ExperimentConfig
    state: State
    message: str
    seconds: float
    slow: float | None
    events: tuple[Event, ...]
    access: Mapping[str, Any]
    trainer: Mapping[str, Any]
    curves: Mapping[str, npt.NDArray[np.float64]]
    snapshots: tuple[Snapshot, ...]
    checkpoints: tuple[StateCheckpoint, ...] = ()


def pack(record: RunState) -> tuple[dict[str, Any], Tensors]:
    """A record as (JSON values, tensors by name), all of them contiguous and on the CPU."""
    import torch  # here: every run has a record, and none needs torch before it trains

    tensors = _pack_trainer(record.trainer)
    # The order in memory is part of the state: fused optimisers go through it element by element.
    inner = sorted(name for name, tensor in tensors.items() if _channels_last(tensor))
    for name in inner:
        tensors[name] = tensors[name].permute(0, 2, 3, 1)
    tensors |= {f"past.{name}": torch.from_numpy(t) for name, t in record.curves.items()}
    chosen = _few(record.snapshots)
    for number, snapshot in enumerate(chosen):
        for name, array in _arrays(snapshot.view).items():
            tensors[f"snapshot.{number}.{name}"] = torch.from_numpy(np.ascontiguousarray(array))
    about = {
        "config": record.config.to_dict(),
        "first_config": record.first_config.to_dict(),
        "state": record.state,
        "message": record.message,
        "seconds": record.seconds,
        "slow": record.slow,
        "steps": record.trainer["steps"],
        "room": dict(record.access),
        "events": [dataclasses.asdict(event) for event in record.events],
        "snapshots": [_about_snapshot(snapshot) for snapshot in chosen],
        "gradients": len(record.trainer["gradients"]),
        "channels_last": inner,
    }
    return about, {name: tensor.contiguous() for name, tensor in tensors.items()}


def unpack(about: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> RunState:
    """The record that `pack` was given. The snapshots' real samples are empty: see `with_real`.

    Raises `KeyError`, `TypeError`, `ValueError` or `ConfigError` for what `pack` did not write.
    """
    from wgan.state_copy import copied

    there = dict(tensors)
    for name in about["channels_last"]:
        there[name] = there[name].permute(0, 3, 1, 2)
    seconds, slow = float(about["seconds"]), about["slow"]
    if about["state"] not in get_args(State) or not math.isfinite(seconds):
        raise ValueError("the state of the run is none")
    return RunState(
        config=from_dict(about["config"]),
        first_config=from_dict(about["first_config"]),
        state=about["state"],
        message=str(about["message"]),
        seconds=seconds,
        slow=None if slow is None else float(slow),
        events=tuple(_event(event) for event in about["events"]),
        access=about["room"],
        trainer=copied(_unpack_trainer(there, about)),
        curves={name: tensor.numpy() for name, tensor in _under("past", there).items()},
        snapshots=tuple(
            _snapshot(snapshot, _under(f"snapshot.{number}", there))
            for number, snapshot in enumerate(about["snapshots"])
        ),
    )


# The trainer --------------------------------------------------------------------------------


def _pack_trainer(state: Mapping[str, Any]) -> Tensors:
    tensors: Tensors = {"figures": state["figures"]}
    for network in _NETWORKS:
        for name, tensor in (state[network] or {}).items():
            tensors[f"{network}.{name}"] = tensor
    for optimizer in _OPTIMIZERS:
        for parameter, values in state[optimizer]["state"].items():
            for name, tensor in values.items():
                tensors[f"{optimizer}.{parameter}.{name}"] = tensor
    tensors |= {f"rng.{number}": rng for number, rng in enumerate(state["rng"])}
    for number, gradient in enumerate(state["gradients"]):
        if gradient is not None:
            tensors[f"gradients.{number}"] = gradient
    return {name: tensor.detach().cpu() for name, tensor in tensors.items()}


def _unpack_trainer(tensors: Tensors, about: Mapping[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = {network: _under(network, tensors) for network in _NETWORKS}
    for optimizer in _OPTIMIZERS:
        values: dict[int, Tensors] = {}
        for key, tensor in _under(optimizer, tensors).items():
            parameter, _, name = key.partition(".")
            values.setdefault(int(parameter), {})[name] = tensor
        state[optimizer] = {"state": values}
    rng, gradients = _under("rng", tensors), _under("gradients", tensors)
    return state | {
        "config": from_dict(about["config"]),
        "steps": int(about["steps"]),
        "rng": [rng[str(number)] for number in range(len(rng))],
        "gradients": [gradients.get(str(number)) for number in range(about["gradients"])],
        "figures": tensors["figures"],
    }


def fill_in(state: Mapping[str, Any], trainer: Trainer) -> dict[str, Any]:
    """An unpacked trainer's state with what follows from the config, as in a fresh `trainer`."""
    whole, device = dict(state), trainer.device
    optimizers = (trainer.generator_optimizer, trainer.critic_optimizer)
    for name, optimizer in zip(_OPTIMIZERS, optimizers, strict=True):
        whole[name] = {**optimizer.state_dict(), "state": state[name]["state"]}
    whole["gradients"] = [
        None if gradient is None else gradient.to(device) for gradient in state["gradients"]
    ]
    whole["figures"] = state["figures"].to(device)
    return whole


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> Tensors:
    begin = f"{prefix}."
    return {k.removeprefix(begin): v for k, v in tensors.items() if k.startswith(begin)}


def _channels_last(tensor: Tensor) -> bool:
    last = tensor.dim() == 4 and tensor.permute(0, 2, 3, 1).is_contiguous()
    return last and not tensor.is_contiguous()


# The past -----------------------------------------------------------------------------------


def _event(values: Mapping[str, Any]) -> Event:
    pairs = {name: (_value(old), _value(new)) for name, (old, new) in values["changes"].items()}
    return Event(
        int(values["step"]), values["kind"], str(values["text"]), pairs, values.get("update", "")
    )


def _value(value: Any) -> Any:
    """A field's value as a config has it: tuples, where JSON has lists."""
    return tuple(value) if isinstance(value, list) else value


def _about_snapshot(snapshot: Snapshot) -> dict[str, Any]:
    view = snapshot.view
    about: dict[str, Any] = {"step": snapshot.step, "kind": "images"}
    if isinstance(view, PointView):
        about |= {"kind": "points", "extent": view.extent}
    if snapshot.metrics is not None:
        about["measures"] = dataclasses.asdict(snapshot.metrics)
    return about


def _arrays(view: PointView | ImageView) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a view; without the real samples, which are the same in all of a run."""
    fields = (field.name for field in dataclasses.fields(view) if field.name != "real")
    there = {name: getattr(view, name) for name in fields}
    return {name: value for name, value in there.items() if isinstance(value, np.ndarray)}


def _few(snapshots: tuple[Snapshot, ...]) -> tuple[Snapshot, ...]:
    """As many snapshots as `SNAPSHOT_BYTES` hold, evenly out of all, the newest among them."""
    if not snapshots:
        return ()
    each = sum(array.nbytes for array in _arrays(snapshots[-1].view).values())
    room = max(1, SNAPSHOT_BYTES // each)
    stride = math.ceil(len(snapshots) / room)
    return snapshots[::-1][::stride][::-1]


def _snapshot(about: Mapping[str, Any], tensors: Tensors) -> Snapshot:
    arrays: dict[str, Any] = {name: tensor.numpy() for name, tensor in tensors.items()}
    arrays["real"] = np.zeros(0)
    if about["kind"] == "points":
        arrays["extent"] = float(about["extent"])
    values = about.get("measures")
    metrics = None
    if values is not None:
        known = get_type_hints(Metrics)
        metrics = Metrics(**{k: _value(v) for k, v in values.items() if k in known})
    return Snapshot(int(about["step"]), _VIEWS[about["kind"]](**arrays), metrics)


def with_real(snapshots: tuple[Snapshot, ...], view: PointView | ImageView) -> tuple[Snapshot, ...]:
    """The snapshots with the real samples of `view`."""
    return tuple(
        dataclasses.replace(item, view=dataclasses.replace(item.view, real=view.real))
        for item in snapshots
    )
