"""From an image in any colours to ink: 0 where there is paper, 255 where there is full ink."""

import functools

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageStat

from mnist_model.paper import Band, even_light, median, without_rules

Ink = npt.NDArray[np.uint8]

LEAST_CONTRAST = 16
"""Weakest difference from the paper, of 255, that counts as drawn; below it lies JPEG noise."""
OPAQUE = 255 << 24
"""Alpha of a pixel that nothing shines through, where a pixel is one number, red lowest."""


def ink_from_image(image: Image.Image) -> Ink:
    """Return how much every pixel differs from the paper.

    The paper is the commonest brightness of the picture's outer part, so that dark on light, light
    on dark, coloured and transparent drawings all give the same ink. Shadows across the paper and
    lines ruled on it are taken off.

    Returns: uint8 (height, width), 0 paper to 255 ink; the strongest ink is 255, and a picture of
    nothing is all 0.
    """
    bands = even_light(_one_if_grey(_without_transparency(_eight_bits(image))))
    ink = functools.reduce(np.maximum, map(_difference, bands, map(_paper, bands)))
    strongest = int(ink.max(initial=0))
    if strongest < LEAST_CONTRAST:
        return np.zeros_like(ink)
    if strongest < 255:  # noqa: PLR2004 - full ink
        scale = (np.arange(256) * 255 // strongest).clip(0, 255).astype(np.uint8)
        ink = np.take(scale, ink)
    return without_rules(ink)


def _difference(band: Band, paper: int) -> Ink:
    # np.maximum and np.minimum take five times as long with one number beside an array.
    return np.abs(band.astype(np.int16) - paper).astype(np.uint8)


def _bands(picture: Image.Image) -> list[Band]:
    """Return red, green and blue of RGB, or the one band of L."""
    pixels = np.atleast_3d(np.asarray(picture))
    return [np.ascontiguousarray(band) for band in np.moveaxis(pixels, -1, 0)]


def _one_if_grey(bands: list[Band]) -> list[Band]:
    """Return one band of what has no colour, as black on white."""
    same = all(np.array_equal(bands[0], band) for band in bands[1:])
    return bands[:1] if same else bands


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale 16-bit, 32-bit and floating-point grey to 0..255; leave every other mode alone."""
    if not image.mode.startswith(("I", "F")):
        return image
    grey = np.nan_to_num(np.asarray(image, dtype=np.float64))
    low, high = grey.min(initial=0), grey.max(initial=0)
    return Image.fromarray(((grey - low) * (255 / max(high - low, 1))).astype(np.uint8))


def _without_transparency(image: Image.Image) -> list[Band]:
    """Lay the image on a ground on which what was drawn can be seen; return its bands."""
    if not image.has_transparency_data:
        return _bands(image if image.mode in ("L", "RGB") else image.convert("RGB"))
    rgba = image if image.mode == "RGBA" else image.convert("RGBA")
    whole = np.asarray(rgba).view("<u4")[..., 0]  # a third of the time that strided bytes take
    if whole.min(initial=OPAQUE) >= OPAQUE:  # as a painted canvas
        return [(whole >> shift).astype(np.uint8) for shift in (0, 8, 16)]
    visible = rgba.getchannel("A").point([0] * 128 + [255] * 128)
    seen = ImageStat.Stat(rgba.convert("L"), visible)
    if not seen.count[0]:
        return _bands(Image.new("L", rgba.size))
    opaque_share = seen.count[0] / (rgba.width * rgba.height)
    one_colour = seen.stddev[0] < LEAST_CONTRAST
    if one_colour or opaque_share < 0.5:  # noqa: PLR2004 - strokes on nothing: contrast with them
        ground = 0 if seen.mean[0] > 127 else 255  # noqa: PLR2004 - half of the range
    else:  # a card with see-through corners: continue the card
        ground = int(seen.median[0])
    flat = Image.new("RGB", rgba.size, (ground, ground, ground))
    flat.paste(rgba, mask=rgba.getchannel("A"))
    return _bands(flat)


def _paper(band: Band) -> int:
    """Median of the outer eighth: beyond a thin frame, and mostly paper in a tight crop.

    Of 5,000 MNIST digits cropped to their ink the outer eighth is mostly ink in 0.8%, the whole
    picture in 6.6%.
    """
    shortest = min(band.shape)
    margin = max(1, shortest // 8)
    if shortest <= 2 * margin:
        return median(band.ravel())
    middle = band[margin:-margin]
    sides = band[:margin], band[-margin:], middle[:, :margin], middle[:, -margin:]
    return median(np.concatenate([side.ravel() for side in sides]))
