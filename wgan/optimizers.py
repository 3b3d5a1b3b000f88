"""Torch's optimizers, without what their methods do for a compiler.

Each method is wrapped so that `torch.compile` leaves it alone, and the wrapper imports the whole
compiler at its first call: more than a second before the first step of a process. Nothing here is
compiled. The arithmetic is torch's, to the bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Optimizer


def _unwrapped(method: Callable[..., Any]) -> Callable[..., Any]:
    return getattr(method, "__wrapped__", method)


class _Eager(Optimizer):
    add_param_group = _unwrapped(Optimizer.add_param_group)
    zero_grad = _unwrapped(Optimizer.zero_grad)
    state_dict = _unwrapped(Optimizer.state_dict)
    load_state_dict = _unwrapped(Optimizer.load_state_dict)


class Adam(_Eager, torch.optim.Adam):
    """Kingma & Ba 2015."""

    step = torch.no_grad()(_unwrapped(torch.optim.Adam.step))


class RMSprop(_Eager, torch.optim.RMSprop):
    """Tieleman & Hinton 2012."""

    step = torch.no_grad()(_unwrapped(torch.optim.RMSprop.step))


class SGD(_Eager, torch.optim.SGD):
    """Gradient descent."""

    step = torch.no_grad()(_unwrapped(torch.optim.SGD.step))
