"""Vital signs of a critic: pure functions that look at a network or an optimiser, no more.

They are the measurements by which the papers tell a healthy critic from a sick one;
`wgan.diagnostics.doctor` draws the conclusions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from wgan.networks import Weighted, evaluating

NEAR = 0.01  # a weight within 1% of ±c counts as pinned there


def weighted_layers(network: nn.Module) -> list[tuple[str, Weighted]]:
    """The Linear and Conv layers by name, in the order in which they are defined."""
    return [(name, m) for name, m in network.named_modules() if isinstance(m, Weighted)]


def layer_gradient_norms(
    critic: nn.Module, x: Tensor, loss: Callable[[Tensor], Tensor] = torch.mean
) -> Tensor:
    """Gradient norms by layer, (L,), from the input side (WGAN-GP, Fig. 1b left).

    For each Linear or Conv layer with output a: the mean over the samples of N ‖∂loss/∂aᵢ‖₂, where
    aᵢ is all of one sample's output. Times N, so that the size of the batch does not matter: for
    the mean score it is ‖∂D(xᵢ)/∂aᵢ‖₂, which is 1 at the layer that gives the score.

    x: (N, *shape). loss: scores (N,) -> a scalar that is a mean over them. Layers come in the order
    in which they are computed. In evaluation mode: running statistics and power iterations stay as
    they are, no parameter gets a gradient, and it works under any grad mode. Detached.
    """
    outputs: list[Tensor] = []

    def remember(_layer: nn.Module, _inputs: Any, output: Any) -> None:
        outputs.append(output)

    hooks = [layer.register_forward_hook(remember) for _, layer in weighted_layers(critic)]
    try:
        # A caller's inference mode would forbid gradients even where they are enabled again.
        with evaluating(critic), torch.inference_mode(False), torch.enable_grad():
            # The graph begins at x, so that there is one even where all weights are frozen.
            total = loss(critic(x.detach().clone().requires_grad_(True))) * len(x)
        gradients = torch.autograd.grad(total, outputs)
    finally:
        for hook in hooks:
            hook.remove()
    return torch.stack([g.detach().float().flatten(1).norm(dim=1).mean() for g in gradients])


def gradient_decades(norms: Iterable[float]) -> float:
    """log₁₀ of the gradient norm at the first layer over that at the last, in decades.

    Above 0 gradients grow on their way back to the input, below 0 they fade; 0 for one layer. Norms
    below 10⁻¹² count as 10⁻¹²: a finite number says that a gradient is dead.
    """
    logs = [math.log10(max(norm, 1e-12)) for norm in norms]
    return logs[0] - logs[-1]


@torch.no_grad()
def pinned_share(critic: nn.Module, c: float) -> float:
    """Share of the Linear and Conv weights within 1% of ±c, 0..1 (WGAN-GP, Fig. 1b right).

    Biases do not count. Of spectrally normalised layers the weights before the division count: it
    is those that clipping acts on.
    """
    weights = [_raw_weight(layer) for _, layer in weighted_layers(critic)]
    pinned = sum(int(((w.abs() - c).abs() <= NEAR * c).sum()) for w in weights)
    return pinned / sum(w.numel() for w in weights)


def _raw_weight(layer: Weighted) -> Tensor:
    # Reading `weight` itself would advance the power iteration of a spectral norm.
    if parametrize.is_parametrized(layer, "weight"):
        return layer.get_submodule("parametrizations.weight").get_parameter("original")
    return layer.weight


@torch.no_grad()
def last_update(optimizer: torch.optim.Optimizer) -> list[tuple[Tensor, Tensor]]:
    """(direction, gradient) of the optimiser's last step, one pair a parameter that took part.

    The direction is what the step added to the parameter, up to the learning rate: −m̂ / (√v̂ + ε)
    for Adam (Kingma & Ba 2015, Algorithm 1), −g / (√v + ε) for RMSProp, −g for SGD. It follows from
    the state and the gradients that the step leaves behind, so that a step costs nothing more;
    valid until either changes. For plain SGD, RMSProp without momentum, and no weight decay.
    """
    pairs = []
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            gradient, state = parameter.grad, optimizer.state.get(parameter, {})
            if gradient is None:
                continue
            if "exp_avg" in state:  # Adam
                beta1, beta2 = group["betas"]
                count = state["step"].double()  # a tensor: reading it would wait for the device
                m = state["exp_avg"] / (1 - beta1**count)
                v = state["exp_avg_sq"] / (1 - beta2**count)
                pairs.append((-m / (v.sqrt() + group["eps"]), gradient))
            elif "square_avg" in state:  # RMSProp
                scale = state["square_avg"].sqrt() + group["eps"]
                pairs.append((-gradient / scale, gradient))
            elif isinstance(optimizer, torch.optim.SGD):
                pairs.append((-gradient, gradient))
    return pairs


def update_cosine(pairs: Iterable[tuple[Tensor, Tensor]]) -> float | None:
    """Cosine between an optimiser's step and the negative gradient of its loss, −1..1.

    1: straight downhill; below 0 the step goes uphill. WGAN, section 4.2: with a momentum-based
    optimiser it turns negative when a critic's loss blows up.

    pairs: (step, gradient) of each parameter, as `last_update` gives them. None when there are none
    or one of the two is zero as a whole.
    """
    sums = [torch.stack([-(u * g).sum(), u.square().sum(), g.square().sum()]) for u, g in pairs]
    if not sums:
        return None
    dot, step, gradient = torch.stack(sums).double().sum(0).tolist()  # one wait for the device
    length = math.sqrt(step) * math.sqrt(gradient)
    if not 0 < length < math.inf:
        return None
    return max(-1.0, min(1.0, dot / length))
