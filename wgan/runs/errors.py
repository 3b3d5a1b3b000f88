"""What went wrong, in one sentence for people."""

from __future__ import annotations

from wgan.data import DataError


def explain(error: Exception) -> tuple[str, bool]:
    """(the sentence, whether the fault is ours): those of data and machine explain themselves."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's
        why = "There is not enough memory for this; try a smaller batch or smaller networks."
        return why, False
    text = str(error).split("\n")[0].strip()
    ours = not isinstance(error, (DataError, RuntimeError))
    return (text if text and not ours else f"An unexpected {type(error).__name__}."), ours
