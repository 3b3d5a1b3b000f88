"""Small faces, drawn by this module from labelled attributes.

Every face is a stack of layers, one an attribute, which Pillow draws once and numpy lays over each
other; so any number of faces can be had, no file is needed, and what a face consists of is known.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from wgan.data.modes import PERCENTILE, nearest
from wgan.data.pixels import decode, resize

SIZE = 64  # pixels at which faces are drawn
FACES = 10_000  # in the data set
_FINE = 8  # sub-pixels along each axis while drawing
_SHIFTS = 1  # pixels by which a head is moved at most, either way
_AT_ONCE = 32  # faces that are put together at a time: their floats stay in the cache

Colour = tuple[int, int, int]
SKIN = {
    "pale": (255, 224, 196),
    "tan": (232, 184, 140),
    "brown": (172, 116, 76),
    "dark": (104, 66, 46),
}
BACKGROUND = {
    "mint": (168, 226, 205),
    "sky": (156, 205, 246),
    "rose": (248, 184, 200),
    "sun": (252, 222, 130),
}
HAIR_COLOUR = {
    "black": (38, 32, 36),
    "auburn": (150, 66, 30),
    "blond": (238, 196, 92),
    "violet": (122, 84, 190),
}
EYES = {"brown eyes": (92, 54, 26), "blue eyes": (36, 118, 224), "green eyes": (26, 150, 84)}

# Attribute -> its values. A face has one value of each.
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "background": tuple(BACKGROUND),
    "skin": tuple(SKIN),
    "hair": ("short hair", "long hair", "curls", "bun"),
    "hair colour": tuple(HAIR_COLOUR),
    "eyes": tuple(EYES),
    "mouth": ("smile", "serious", "surprised"),
    "glasses": ("no glasses", "glasses"),
}
# The attributes whose combinations are the modes: what a collapsed generator visibly loses.
MODES = ("hair", "mouth", "glasses")

Labels = npt.NDArray[np.int64]  # (N, len(ATTRIBUTES)): the number of each attribute's value
Layer = npt.NDArray[np.float32]  # (4, SIZE, SIZE): colour times opacity, and opacity, in 0..1


class _Pen:
    """Draws ellipses, arcs and polygons in coordinates of 0..64 on a fine transparent canvas."""

    def __init__(self) -> None:
        self.image = Image.new("RGBA", (SIZE * _FINE, SIZE * _FINE))
        self._draw = ImageDraw.Draw(self.image)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        self._draw.ellipse(_fine(x - rx, y - ry, x + rx, y + ry), fill=(*colour, 255))

    def ring(self, x: float, y: float, r: float, width: float, colour: Colour) -> None:
        box = _fine(x - r, y - r, x + r, y + r)
        self._draw.ellipse(box, outline=(*colour, 255), width=round(width * _FINE))

    def arc(
        self,
        box: tuple[float, float, float, float],
        start: float,
        end: float,
        width: float,
        colour: Colour,
    ) -> None:
        """Degrees clockwise from three o'clock."""
        self._draw.arc(_fine(*box), start, end, fill=(*colour, 255), width=round(width * _FINE))

    def chord(
        self, box: tuple[float, float, float, float], start: float, end: float, colour: Colour
    ) -> None:
        self._draw.chord(_fine(*box), start, end, fill=(*colour, 255))

    def bar(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        radius = min(x1 - x0, y1 - y0) / 2 * _FINE
        self._draw.rounded_rectangle(_fine(x0, y0, x1, y1), radius, fill=(*colour, 255))

    def layer(self) -> Layer:
        """What was drawn at SIZE pixels, with soft edges."""
        fine = np.asarray(self.image, np.float32) / 255
        fine[..., :3] *= fine[..., 3:]  # so that averaging does not mix in transparent black
        return fine.reshape(SIZE, _FINE, SIZE, _FINE, 4).mean((1, 3)).transpose(2, 0, 1)


def _fine(*coordinates: float) -> tuple[float, ...]:
    return tuple(value * _FINE for value in coordinates)


def _shade(colour: Colour, share: float) -> Colour:
    """Darker for a share below 1, lighter above."""
    r, g, b = (round(min(255, value * share)) for value in colour)
    return r, g, b


# The layers, from back to front. Each is drawn for the values of the attributes that it shows.


def _background(pen: _Pen, background: str) -> None:
    colour = BACKGROUND[background]
    pen.bar(-64, -64, 128, 128, colour)
    pen.oval(32, 30, 26, 26, _shade(colour, 1.08))


def _hair_behind(pen: _Pen, hair: str, colour: str) -> None:
    dark = _shade(HAIR_COLOUR[colour], 0.8)
    if hair == "long hair":
        pen.bar(13, 14, 51, 58, dark)
    elif hair == "curls":
        for x, y in ((15, 22), (13, 30), (16, 38), (49, 22), (51, 30), (48, 38)):
            pen.oval(x, y, 6.5, 6.5, dark)
    elif hair == "bun":
        pen.oval(32, 8, 8, 7, dark)


def _head(pen: _Pen, skin: str) -> None:
    colour, dark = SKIN[skin], _shade(SKIN[skin], 0.86)
    pen.oval(32, 68, 22, 15, (74, 88, 116))  # a jumper
    pen.bar(26, 44, 38, 58, dark)
    pen.oval(17.5, 34, 3.2, 4.5, dark)
    pen.oval(46.5, 34, 3.2, 4.5, dark)
    pen.oval(32, 33, 14.5, 17.5, colour)
    pen.oval(24, 40, 3, 2, _blush(colour))
    pen.oval(40, 40, 3, 2, _blush(colour))
    pen.arc((29.6, 33.5, 34.4, 39.5), 30, 150, 1.1, _shade(colour, 0.74))


def _blush(colour: Colour) -> Colour:
    r, g, b = colour
    return min(255, r + 6), round(g * 0.86), round(b * 0.84)


def _eyes(pen: _Pen, eyes: str) -> None:
    for x in (25.5, 38.5):
        pen.oval(x, 32.5, 3.6, 3.2, (255, 255, 255))
        pen.oval(x, 32.7, 2.6, 2.6, EYES[eyes])
        pen.oval(x, 32.7, 1.1, 1.1, (12, 12, 16))
        pen.oval(x + 0.9, 31.6, 0.7, 0.7, (255, 255, 255))


def _mouth(pen: _Pen, mouth: str) -> None:
    red, dark = (176, 50, 58), (96, 22, 30)
    if mouth == "smile":
        pen.chord((25.5, 36.5, 38.5, 48), 10, 170, (255, 255, 255))
        pen.arc((25.5, 36.5, 38.5, 48), 5, 175, 1.5, red)
    elif mouth == "serious":
        pen.bar(27.5, 43.4, 36.5, 45.2, red)
    else:
        pen.oval(32, 44.6, 3.3, 3.9, red)
        pen.oval(32, 44.8, 2.1, 2.7, dark)


def _hair_before(pen: _Pen, hair: str, colour: str) -> None:
    tint, dark = HAIR_COLOUR[colour], _shade(HAIR_COLOUR[colour], 0.8)
    for x in (25.5, 38.5):
        pen.arc((x - 4, 26.2, x + 4, 32), 205, 335, 1.2, dark)
    if hair == "short hair":
        pen.chord((16.5, 12, 47.5, 40), 180, 360, tint)
        pen.oval(22.5, 21, 7, 5, tint)
        pen.oval(40, 17.5, 8, 5, tint)
    elif hair == "long hair":
        pen.chord((16, 12, 48, 42), 185, 355, tint)
        pen.bar(14, 22, 19.5, 54, tint)
        pen.bar(44.5, 22, 50, 54, tint)
    elif hair == "curls":
        curls = ((18, 24), (21, 17), (28, 13), (36, 13), (43, 17), (46, 24), (32, 17), (25, 20))
        for x, y in (*curls, (39, 20)):
            pen.oval(x, y, 5.6, 5.6, tint)
    else:
        pen.chord((17, 13, 47, 37), 190, 350, tint)
        pen.bar(26, 11, 38, 14, dark)


def _glasses(pen: _Pen, glasses: str) -> None:
    if glasses == "glasses":
        frame = (44, 40, 52)
        for x in (25, 39):
            pen.ring(x, 33, 6.2, 1.5, frame)
        pen.bar(30.4, 31.6, 33.6, 33.2, frame)


_LAYERS: tuple[tuple[Callable[..., None], tuple[str, ...]], ...] = (
    (_background, ("background",)),
    (_hair_behind, ("hair", "hair colour")),
    (_head, ("skin",)),
    (_eyes, ("eyes",)),
    (_mouth, ("mouth",)),
    (_hair_before, ("hair", "hair colour")),
    (_glasses, ("glasses",)),
)


@functools.cache
def _drawn() -> list[Layer]:
    """Every layer for all values that it shows: (values…, 4, SIZE, SIZE) each."""
    stacks = []
    for draw, shown in _LAYERS:
        variants = []
        for values in itertools.product(*(ATTRIBUTES[name] for name in shown)):
            pen = _Pen()
            draw(pen, *values)
            variants.append(pen.layer())
        counts = [len(ATTRIBUTES[name]) for name in shown]
        stacks.append(np.stack(variants).reshape(*counts, 4, SIZE, SIZE))
    return stacks


def draw(labels: Labels, shifts: npt.NDArray[np.int64] | None = None) -> Tensor:
    """Faces (N, 3, SIZE, SIZE) uint8 of the attributes `labels` (N, len(ATTRIBUTES)).

    shifts: (N, 2), how many pixels each head is moved down and right; none by default.
    """
    names = list(ATTRIBUTES)
    faces = np.empty((len(labels), 3, SIZE, SIZE), np.uint8)
    for start in range(0, len(labels), _AT_ONCE):
        rows = labels[start : start + _AT_ONCE]
        canvas = np.zeros((len(rows), 3, SIZE, SIZE), np.float32)
        for (_, shown), stack in zip(_LAYERS, _drawn(), strict=True):
            layer = stack[tuple(rows[:, names.index(name)] for name in shown)]
            if shifts is not None and shown != ("background",):
                layer = _moved(layer, shifts[start : start + _AT_ONCE])
            # Porter and Duff's "over": what is new covers what was there by its opacity.
            canvas *= 1 - layer[:, 3:]
            canvas += layer[:, :3]
        faces[start : start + _AT_ONCE] = np.rint(canvas * 255).clip(0, 255)
    return torch.from_numpy(faces)


def _moved(layers: Layer, shifts: npt.NDArray[np.int64]) -> Layer:
    moved = np.empty_like(layers)
    for down, right in np.unique(shifts, axis=0):
        those = (shifts == (down, right)).all(1)
        moved[those] = np.roll(layers[those], (down, right), (2, 3))
        if down > 0:
            moved[those, :, :down] = 0  # what left at the bottom must not come in at the top
        elif down < 0:
            moved[those, :, down:] = moved[those, :, down - 1 : down]  # the jumper goes on
    return moved


def random_labels(n: int, rng: np.random.Generator) -> Labels:
    """(n, len(ATTRIBUTES)): every value as likely as the others, all attributes independent."""
    counts = [len(values) for values in ATTRIBUTES.values()]
    return rng.integers(0, counts, (n, len(counts)))


@dataclass(frozen=True, eq=False)
class FaceModes:
    """Modes that are the combinations of `MODES`; see `wgan.data.base.Modes`.

    A sample has the attributes of the nearest of all faces that can be drawn, in the space of the
    principal components. It is high quality when its distance to that face, over all pixels at
    `resolution`, is below `threshold`: the 99th percentile of real faces' distances.

    accuracy: the share of real faces whose attributes, all of them, are told right.
    components: (F, P); features: (K, F) and faces: (K, P), of all K faces; labels: (K, A).
    """

    accuracy: float
    threshold: float
    resolution: int
    components: Tensor
    features: Tensor
    faces: Tensor
    labels: Tensor
    confusion: Tensor | None = None
    high_quality_real: float = PERCENTILE

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(", ".join(values) for values in itertools.product(*_mode_values()))

    @torch.no_grad()
    def judge(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        labels, distance = self._nearest(samples)
        index = torch.zeros_like(labels[:, 0])
        for name, values in zip(MODES, _mode_values(), strict=True):
            index = index * len(values) + labels[:, list(ATTRIBUTES).index(name)]
        return index, distance < self.threshold

    @torch.no_grad()
    def attributes(self, samples: Tensor) -> Tensor:
        """The attributes (n, A) int64 of samples (n, 3, H, W): numbers into `ATTRIBUTES`."""
        return self._nearest(samples)[0]

    def shares(self, samples: Tensor) -> dict[str, dict[str, float]]:
        """How samples (n, 3, H, W) spread over the attributes: {attribute: {value: share}}."""
        labels = self.attributes(samples)
        return {
            name: {
                value: (labels[:, column] == number).float().mean().item()
                for number, value in enumerate(values)
            }
            for column, (name, values) in enumerate(ATTRIBUTES.items())
        }

    def _nearest(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        images = resize(samples.to(self.faces), self.resolution).flatten(1)
        _, closest = nearest(images @ self.components.T, self.features)
        distance = (images - self.faces[closest]).norm(dim=1)
        return self.labels[closest], distance


def _mode_values() -> list[tuple[str, ...]]:
    return [ATTRIBUTES[name] for name in MODES]


def load_faces(size: int, device: torch.device) -> tuple[Tensor, FaceModes]:
    """The data set: faces (FACES, 3, size, size) uint8 on the CPU, and their modes on `device`."""
    rng = np.random.default_rng(0)
    labels = random_labels(FACES, rng)
    shifts = rng.integers(-_SHIFTS, _SHIFTS + 1, (FACES, 2))
    pixels = resize(draw(labels, shifts), size)
    return pixels, _fit_modes(pixels, labels, device)


def _fit_modes(pixels: Tensor, labels: Labels, device: torch.device) -> FaceModes:
    from sklearn.decomposition import PCA  # imported here: slow, and few data sets need it

    resolution = min(32, pixels.shape[-1])
    every = np.array(list(itertools.product(*map(range, map(len, ATTRIBUTES.values())))))
    faces = decode(resize(draw(every), resolution)).flatten(1)
    fitted = PCA(64, random_state=0).fit(faces.numpy())
    components = torch.from_numpy(fitted.components_).float()
    modes = FaceModes(
        accuracy=0.0,
        threshold=0.0,
        resolution=resolution,
        components=components,
        features=faces @ components.T,
        faces=faces,
        labels=torch.from_numpy(every),
    )
    told, distance = modes._nearest(decode(pixels[:2000]))
    right = (told == torch.from_numpy(labels[:2000])).all(1).float().mean().item()
    return FaceModes(
        accuracy=right,
        threshold=distance.quantile(PERCENTILE).item(),
        resolution=resolution,
        components=components.to(device),
        features=modes.features.to(device),
        faces=faces.to(device),
        labels=modes.labels.to(device),
    )
