"""What a data set is to the rest of the package, and what its modes are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor

# progress(text, share): what is going on, and how much of it is done (0..1, None if unknown).
Progress = Callable[[str, float | None], None]


def silent(text: str, share: float | None) -> None:
    """A `Progress` for those who do not want to be told."""


class DataError(RuntimeError):
    """A data set cannot be had. The message is one sentence for the person who asked for it."""


class Modes(Protocol):
    """The parts that a generator should cover, and a judge of samples by them. K modes."""

    @property
    def names(self) -> tuple[str, ...]:
        """One short name a mode, K in all."""
        ...

    @property
    def high_quality_real(self) -> float:
        """The share of new real data that is high quality: the ceiling of that figure, 0..1."""
        ...

    @property
    def confusion(self) -> Tensor | None:
        """(K, K): the share of real samples of mode i taken for mode j; None: next to none."""
        ...

    def judge(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """The mode of every sample (n,) int64 in 0..K−1, and whether it is high quality (n,) bool.

        samples: (n, *shape) of the data set, on any device. The answers are on the data set's.
        A sample that is not finite gets some mode, and is not high quality.
        """
        ...


class Dataset(Protocol):
    """A distribution of real samples."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample: (2,) for points, (C, H, W) for images."""
        ...

    @property
    def modes(self) -> Modes | None:
        """The data set's modes, None where it has none that can be judged."""
        ...

    @property
    def extent(self) -> float:
        """Half-width of fixed square axes that hold the data with room to spare; 1 for images."""
        ...

    @property
    def held_out(self) -> Dataset | None:
        """Real samples that `limit` leaves out of training; None where there are none.

        2-D data have none: there every batch is new, so that nothing is ever seen twice.
        """
        ...

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """n samples (n, *shape), float32, on the data set's device; images are in [−1, 1].

        All randomness comes from `generator`, which must be on the same device.
        """
        ...
