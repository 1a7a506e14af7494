"""Digits as bad pens, scanners and cameras make them: seventeen corruptions of 28x28 pictures.

They are the project's own, in the manner of MNIST-C (N. Mu, J. Gilmer, arXiv 1906.02337) but not
its pictures: figures for the one say nothing about the other. Each is one strength, at which a
person still reads nearly every digit.
"""

import io
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from mnist_model.ink import Ink
from mnist_model.normalise import INK, SIDE

Corruption = Callable[[Ink, np.random.Generator], Ink]
SALTED = 0.03
Matrix = npt.NDArray[np.float64]


def gaussian_noise(picture: Ink, random: np.random.Generator) -> Ink:
    """Noise of a standard deviation of 10% of the range on every pixel, as of a poor camera."""
    return _clipped(picture + random.normal(0, 25, picture.shape))


def salt_and_pepper(picture: Ink, random: np.random.Generator) -> Ink:
    """Three pixels in a hundred are full ink or bare paper."""
    noisy = picture.copy()
    hit = random.random(picture.shape) < SALTED
    noisy[hit] = random.choice(np.array([0, 255], np.uint8), int(hit.sum()))
    return noisy


def blur(picture: Ink, random: np.random.Generator) -> Ink:
    """Out of focus: a Gaussian of 1.0 to 1.5 pixels."""
    return _filtered(picture, ImageFilter.GaussianBlur(random.uniform(1.0, 1.5)))


def motion_blur(picture: Ink, random: np.random.Generator) -> Ink:
    """The mean along 5 pixels in one of four directions."""
    step = [(0, 1), (1, 0), (1, 1), (1, -1)][random.integers(4)]
    moved = [np.roll(picture, (step[0] * n, step[1] * n), (0, 1)) for n in range(-2, 3)]
    return _clipped(np.mean(moved, axis=0))


def shear(picture: Ink, random: np.random.Generator) -> Ink:
    """Slanted by 0.3 to 0.5 pixels per pixel to either side."""
    slant = _either_sign(random, 0.3, 0.5)
    return _affine(picture, np.array([[1, slant], [0, 1]]))


def rotation(picture: Ink, random: np.random.Generator) -> Ink:
    """Turned by 15 to 25 degrees to either side."""
    angle = np.radians(_either_sign(random, 15, 25))
    across, down = np.cos(angle), np.sin(angle)
    return _affine(picture, np.array([[across, -down], [down, across]]))


def scale(picture: Ink, random: np.random.Generator) -> Ink:
    """Half to 70% as large, not the same in width and height."""
    return _affine(picture, np.diag(1 / random.uniform(0.5, 0.7, 2)))


def shift(picture: Ink, random: np.random.Generator) -> Ink:
    """Moved by up to 6 pixels on each axis, made smaller so that nothing is cut off."""
    return _affine(picture, np.eye(2) / 0.65, random.uniform(-6, 6, 2))


def stripes(picture: Ink, random: np.random.Generator) -> Ink:
    """On ruled paper: a pale line in every 7 rows."""
    ruled = picture.copy()
    rows = slice(int(random.integers(7)), None, 7)
    ruled[rows] = np.maximum(ruled[rows], 50)
    return ruled


def shadow(picture: Ink, random: np.random.Generator) -> Ink:
    """Lit from one side: the paper darkens to 45% of full ink towards one of two corners."""
    along = np.linspace(0, 1, SIDE)[:: random.choice([1, -1])]
    across, down = np.meshgrid(along, along)
    dark = 0.45 * 255 * (across + down) / 2
    return _clipped(dark + picture * (1 - dark / 255))


def contrast(picture: Ink, random: np.random.Generator) -> Ink:
    """A faint pencil on grey paper: 25 to 40% of the range, from 30% on."""
    return _clipped(0.3 * 255 + picture * random.uniform(0.25, 0.4))


def spatter(picture: Ink, random: np.random.Generator) -> Ink:
    """Four to eight drops of ink, up to 2 pixels wide."""
    splashed = Image.fromarray(picture)
    pen = ImageDraw.Draw(splashed)
    for _ in range(random.integers(4, 9)):
        x, y = random.integers(0, SIDE, 2).tolist()
        size = int(random.integers(0, 2))
        pen.rectangle((x, y, x + size, y + size), fill=int(random.integers(120, 256)))
    return np.array(splashed)


def dotted(picture: Ink, random: np.random.Generator) -> Ink:
    """A pen that skips: every fourth pixel along the rows' and columns' sum is bare."""
    row, column = np.indices(picture.shape)
    skipped = (row + column + random.integers(4)) % 4 == 0
    return np.where(skipped, 0, picture).astype(np.uint8)


def thin(picture: Ink, random: np.random.Generator) -> Ink:  # noqa: ARG001 - as all corruptions
    """A hard, fine pen: strokes lose two thirds of a pixel of their width."""
    return _larger(picture, ImageFilter.MinFilter(3))


def thick(picture: Ink, random: np.random.Generator) -> Ink:  # noqa: ARG001 - as all corruptions
    """A felt pen: strokes gain two pixels of width."""
    return _filtered(picture, ImageFilter.MaxFilter(3))


def jpeg(picture: Ink, random: np.random.Generator) -> Ink:
    """Kept as JPEG of quality 10 to 25."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=int(random.integers(10, 26)))
    return np.array(Image.open(file))


def outline(picture: Ink, random: np.random.Generator) -> Ink:  # noqa: ARG001 - as all corruptions
    """Only the edges of the strokes, one pixel wide, as an edge detector leaves them."""
    mask = picture >= INK * 2
    inside = np.array(Image.fromarray(mask).convert("L").filter(ImageFilter.MinFilter(3))) > 0
    return np.where(mask & ~inside, 255, 0).astype(np.uint8)


CORRUPTIONS: Mapping[str, Corruption] = {
    function.__name__.replace("_", " "): function
    for function in (
        gaussian_noise, salt_and_pepper, blur, motion_blur, shear, rotation, scale, shift, stripes,
        shadow, contrast, spatter, dotted, thin, thick, jpeg, outline,
    )
}  # fmt: skip
"""By name; each takes a picture uint8 (28, 28), 0 paper to 255 ink, and returns another."""


def _clipped(picture: npt.NDArray[np.floating]) -> Ink:
    return picture.clip(0, 255).astype(np.uint8)


def _filtered(picture: Ink, kind: ImageFilter.Filter) -> Ink:
    return np.array(Image.fromarray(picture).filter(kind))


def _larger(picture: Ink, kind: ImageFilter.Filter) -> Ink:
    """Filter at three times the size, so that a filter of 3 pixels reaches a third of one."""
    size = (SIDE * 3, SIDE * 3)
    large = Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC).filter(kind)
    return np.array(large.resize((SIDE, SIDE), Image.Resampling.BOX))


def _either_sign(random: np.random.Generator, low: float, high: float) -> float:
    return float(random.uniform(low, high) * random.choice([-1, 1]))


def _affine(picture: Ink, matrix: Matrix, shift: npt.ArrayLike = (0.0, 0.0)) -> Ink:
    """Move pixels about the centre; `matrix` leads from a place in the result to the original's."""
    centre = np.array([SIDE / 2, SIDE / 2])
    offset = centre - matrix @ (centre + np.asarray(shift))
    data = [*matrix[0], offset[0], *matrix[1], offset[1]]
    moved = Image.fromarray(picture).transform(
        (SIDE, SIDE), Image.Transform.AFFINE, data, Image.Resampling.BICUBIC
    )
    return np.array(moved)
