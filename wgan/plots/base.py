"""What all figures share: the colours, typed arrays, the layout."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import numpy.typing as npt

Figure = dict[str, Any]
DRAWN = 11

# One colour, one meaning, everywhere. The hues follow Okabe and Ito's (safe for colour-blind
# eyes); the lightness is chosen so that each keeps a contrast of 3:1 on a light and a dark page.
REAL = "#2B8CD8"
GENERATED = "#E07A00"
CRITIC = "#9B6BDF"
HEALTHY = "#1B9E77"
ALARM = "#E5484D"
EVENT = "#8A8F98"


def finite(values: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """The values as float32, with NaN for everything that is not a finite number."""
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and so dropped
        array = np.array(values, np.float32)
    array[~np.isfinite(array)] = np.nan
    return array


def typed(values: npt.ArrayLike, bits: int = 23) -> dict[str, str]:
    """A Plotly typed array, little-endian float32; rows and columns for 2-D.

    bits: of each number's mantissa that are kept: with `DRAWN` of them a point is off by less than
    half a pixel, and takes fewer bytes when it is compressed.
    """
    array = np.ascontiguousarray(values, "<f4")
    if bits < 23:
        cut = 23 - bits
        whole = array.view("<u4")
        rounded = (whole + np.uint32(1 << (cut - 1))) & np.uint32(0xFFFFFFFF << cut & 0xFFFFFFFF)
        array = np.where(np.isfinite(array), rounded.view("<f4"), array)
    encoded = {"dtype": "f4", "bdata": base64.b64encode(array.tobytes()).decode()}
    if array.ndim == 2:
        encoded["shape"] = f"{array.shape[0]}, {array.shape[1]}"
    return encoded


def layout(name: str, *, right: bool = False) -> dict[str, Any]:
    """Margins that never move, a legend above, and a constant `uirevision`."""
    return {
        "uirevision": name,
        "margin": {"t": 34, "b": 42, "l": 58, "r": 58 if right else 14},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left"},
        "showlegend": True,
        "dragmode": "zoom",
    }
