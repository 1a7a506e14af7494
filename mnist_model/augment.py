"""How pictures are varied while the network learns: as people's hands and pens vary.

Every picture is varied anew in every epoch. In this order, each as far as the recipe says: thicker
or thinner strokes, the blur of a coarse scan, a pen that skips, and last one resampling for turn,
zoom, slant, shift and a hand that trembles (elastic distortion, after P. Simard et al., ICDAR
2003). Imports TensorFlow.
"""

import numpy as np

from mnist_model.normalise import SIDE
from mnist_model.recipes import Recipe
from mnist_model.tensorflow_quiet import tf

ELASTIC_GRID = 6
"""Nodes, along each side, of the grid whose random shifts bend a picture."""
COARSE = (8, 14)
"""Sides, in pixels, of the coarse scans that blur imitates: from, and below."""
SKIP_REACH = 6.0
"""A pen skips on a stretch that reaches this many pixels from its middle."""


def vary(pictures: tf.Tensor, recipe: Recipe, seed: tf.Tensor) -> tf.Tensor:
    """Vary each picture by itself, at random.

    pictures: float32 (n, 28, 28, channels), 0 paper to 255 ink; all channels move alike.
    seed: int64 (2,); the same seed gives the same pictures. Returns: as `pictures`.
    """
    pen, coarse, which, skip, place, bend = tf.unstack(tf.random.split(seed, 6))
    if recipe.thickness:
        pictures = _change_thickness(pictures, recipe.thickness, pen)
    if recipe.blur:
        pictures = _scan_coarsely(pictures, recipe.blur, coarse, which)
    if recipe.skips:
        pictures = _skip(pictures, recipe.skips, skip)
    x, y = _affine(tf.shape(pictures)[0], recipe, place)
    if recipe.elastic:
        shifts = _elastic(tf.shape(pictures)[0], recipe.elastic, bend)
        x, y = x + shifts[..., 0], y + shifts[..., 1]
    return _resample(pictures, x, y)


def _change_thickness(pictures: tf.Tensor, most: float, seed: tf.Tensor) -> tf.Tensor:
    """Go part of the way to strokes one pixel wider, or thinner, on each side."""
    wider = tf.nn.max_pool2d(pictures, 3, 1, "SAME")
    thinner = -tf.nn.max_pool2d(-pictures, 3, 1, "SAME")
    amount = tf.random.stateless_uniform((tf.shape(pictures)[0], 1, 1, 1), seed, -most, most)
    pictures += tf.maximum(amount, 0) * (wider - pictures)
    return pictures + tf.maximum(-amount, 0) * (thinner - pictures)


def _scan_coarsely(
    pictures: tf.Tensor, share: float, seed: tf.Tensor, which: tf.Tensor
) -> tf.Tensor:
    """Reduce a share of the pictures to a few pixels and enlarge them again, at full contrast."""
    side = tf.random.stateless_uniform((), seed, *COARSE, tf.int32)
    coarse = tf.image.resize(pictures, (side, side), method="area")
    coarse = tf.image.resize(coarse, (SIDE, SIDE))
    coarse *= 255 / tf.maximum(tf.reduce_max(coarse, axis=(1, 2, 3), keepdims=True), 1)
    chosen = tf.random.stateless_uniform((tf.shape(pictures)[0], 1, 1, 1), which) < share
    return tf.where(chosen, coarse, pictures)


def _skip(pictures: tf.Tensor, share: float, seed: tf.Tensor) -> tf.Tensor:
    """Let the pen skip once in a share of the pictures: a short gap at any angle."""
    turn, right, down, chance = tf.unstack(
        tf.random.stateless_uniform((4, tf.shape(pictures)[0], 1, 1), seed)
    )
    x, y = _grid()
    x, y = x - (right - 0.5) * 16, y - (down - 0.5) * 16
    from_gap = tf.abs(tf.cos(turn * np.pi) * x + tf.sin(turn * np.pi) * y)
    here = (chance < share) & (x * x + y * y < SKIP_REACH**2)
    left = tf.where(here, tf.clip_by_value(from_gap - 0.6, 0, 1), 1)
    return pictures * left[..., tf.newaxis]


def _affine(count: tf.Tensor, recipe: Recipe, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return where, about the middle, each pixel of the turned and slanted pictures comes from."""
    most = [np.radians(recipe.degrees), recipe.zoom, recipe.zoom, recipe.shear]
    most += [recipe.shift, recipe.shift]
    at_most = tf.constant(most, tf.float32)[:, tf.newaxis, tf.newaxis, tf.newaxis]
    amounts = tf.random.stateless_uniform((len(most), count, 1, 1), seed, -at_most, at_most)
    angle, zoom_x, zoom_y, slant, right, down = tf.unstack(amounts)
    x, y = _grid()
    return (
        (1 + zoom_x) * tf.cos(angle) * x + (slant - tf.sin(angle)) * y + right,
        tf.sin(angle) * x + (1 + zoom_y) * tf.cos(angle) * y + down,
    )


def _elastic(count: tf.Tensor, pixels: float, seed: tf.Tensor) -> tf.Tensor:
    """Return smooth random shifts (count, 28, 28, 2); `pixels` is their spread at the nodes."""
    nodes = tf.random.stateless_normal((count, ELASTIC_GRID, ELASTIC_GRID, 2), seed) * pixels
    return tf.image.resize(nodes, (SIDE, SIDE))


def _grid() -> tuple[tf.Tensor, tf.Tensor]:
    """Return each pixel's x (1, 1, 28) and y (1, 28, 1) from the middle of the picture."""
    steps = tf.range(SIDE, dtype=tf.float32) - (SIDE - 1) / 2
    return steps[tf.newaxis, tf.newaxis, :], steps[tf.newaxis, :, tf.newaxis]


def _resample(pictures: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Take each pixel from (x, y), bilinearly; beyond the edges there is paper."""
    x = tf.clip_by_value(x + (SIDE - 1) / 2, -1, SIDE)
    y = tf.clip_by_value(y + (SIDE - 1) / 2, -1, SIDE)
    left, top = tf.floor(x), tf.floor(y)
    right_part, lower_part = x - left, y - top
    row = SIDE + 3  # one pixel of paper before, two after
    padded = tf.pad(pictures, ((0, 0), (1, 2), (1, 2), (0, 0)))
    index = tf.reshape(tf.cast((top + 1) * row + left + 1, tf.int32), (-1, SIDE * SIDE))

    def moved(channel: tf.Tensor) -> tf.Tensor:
        flat = tf.reshape(channel, (-1, row * row))

        def corner(offset: int) -> tf.Tensor:
            return tf.reshape(tf.gather(flat, index + offset, batch_dims=1), (-1, SIDE, SIDE))

        upper = corner(0) * (1 - right_part) + corner(1) * right_part
        lower = corner(row) * (1 - right_part) + corner(row + 1) * right_part
        return upper * (1 - lower_part) + lower * lower_part

    # One channel after the other: gathering all at once takes a quarter longer.
    return tf.stack([moved(one) for one in tf.unstack(padded, axis=-1)], axis=-1)
