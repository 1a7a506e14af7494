"""From an image in any colours to ink: 0 where there is paper, 255 where there is full ink."""

import functools

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageStat

from mnist_model.paper import even_light, median, without_rules

Ink = npt.NDArray[np.uint8]

LEAST_CONTRAST = 16
"""Weakest difference from the paper, of 255, that counts as drawn; below it lies JPEG noise."""


def ink_from_image(image: Image.Image) -> Ink:
    """Return how much every pixel differs from the paper.

    The paper is the commonest brightness of the picture's outer part, so that dark on light, light
    on dark, coloured and transparent drawings all give the same ink. Shadows across the paper and
    lines ruled on it are taken off.

    Returns: uint8 (height, width), 0 paper to 255 ink; the strongest ink is 255, and a picture of
    nothing is all 0.
    """
    picture = even_light(_one_band_if_grey(_without_transparency(_eight_bits(image))))
    bands = [
        ImageChops.difference(band, Image.new("L", band.size, paper))
        for band, paper in zip(picture.split(), _paper_colour(picture), strict=True)
    ]
    ink = np.array(functools.reduce(ImageChops.lighter, bands))
    strongest = int(ink.max(initial=0))
    if strongest < LEAST_CONTRAST:
        return np.zeros_like(ink)
    if strongest < 255:  # noqa: PLR2004 - full ink
        scale = (np.arange(256) * 255 // strongest).clip(0, 255).astype(np.uint8)
        ink = np.take(scale, ink)
    return without_rules(ink)


def _one_band_if_grey(picture: Image.Image) -> Image.Image:
    """Return mode L for what has no colour, as black on white, or RGB; an alpha band is dropped."""
    red, green, blue = picture.split()[:3]
    return red if red == green == blue else picture.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale 16-bit, 32-bit and floating-point grey to 0..255; leave every other mode alone."""
    if not image.mode.startswith(("I", "F")):
        return image
    grey = np.nan_to_num(np.asarray(image, dtype=np.float64))
    low, high = grey.min(initial=0), grey.max(initial=0)
    return Image.fromarray(((grey - low) * (255 / max(high - low, 1))).astype(np.uint8))


def _without_transparency(image: Image.Image) -> Image.Image:
    """Lay the image on a ground on which what was drawn can be seen; RGB, or RGBA if opaque."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    rgba = image.convert("RGBA")
    if rgba.getchannel("A").getextrema()[0] == 255:  # noqa: PLR2004 - opaque, as a painted canvas
        return rgba
    visible = rgba.getchannel("A").point([0] * 128 + [255] * 128)
    seen = ImageStat.Stat(rgba.convert("L"), visible)
    if not seen.count[0]:
        return Image.new("RGB", rgba.size)
    opaque_share = seen.count[0] / (rgba.width * rgba.height)
    one_colour = seen.stddev[0] < LEAST_CONTRAST
    if one_colour or opaque_share < 0.5:  # noqa: PLR2004 - strokes on nothing: contrast with them
        ground = 0 if seen.mean[0] > 127 else 255  # noqa: PLR2004 - half of the range
    else:  # a card with see-through corners: continue the card
        ground = int(seen.median[0])
    flat = Image.new("RGB", rgba.size, (ground, ground, ground))
    flat.paste(rgba, mask=rgba.getchannel("A"))
    return flat


def _paper_colour(picture: Image.Image) -> list[int]:
    """Median colour of the outer eighth: beyond a thin frame, and mostly paper in a tight crop.

    Of 5,000 MNIST digits cropped to their ink the outer eighth is mostly ink in 0.8%, the whole
    picture in 6.6%.
    """
    bands = np.asarray(picture).reshape(picture.height, picture.width, -1)
    margin = max(1, min(picture.size) // 8)
    if min(picture.size) > 2 * margin:
        middle = bands[margin:-margin]
        sides = bands[:margin], bands[-margin:], middle[:, :margin], middle[:, -margin:]
        bands = np.concatenate([side.reshape(-1, bands.shape[2]) for side in sides])
    return [median(band) for band in bands.reshape(-1, bands.shape[-1]).T]
