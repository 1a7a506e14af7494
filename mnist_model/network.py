"""The network, and how pictures are varied while it learns. Imports TensorFlow."""

import numpy as np

from mnist_model.normalise import SIDE
from mnist_model.recipes import Recipe
from mnist_model.tensorflow_quiet import keras, tf


def build(recipe: Recipe) -> keras.Model:
    """Return the untrained network: float32 (n, 28, 28, 1), 0 to 255, to logits (n, 10).

    Four convolutions, each with batch normalisation and ReLU, halve the picture twice and end at
    5x5; one dense layer reads them.
    """
    first, second, third, fourth = recipe.filters
    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1), name="picture"),
            keras.layers.Rescaling(1 / 255),
            *_convolution(first, 5, strides=2),
            *_convolution(second, 3),
            keras.layers.MaxPooling2D(),
            *_convolution(third, 3),
            *_convolution(fourth, 3, padding="valid"),
            keras.layers.Flatten(),
            *([keras.layers.Dropout(recipe.dropout)] if recipe.dropout else []),
            keras.layers.Dense(10, name="logits"),
        ],
        name=f"mnist_{recipe.name}",
    )


def _convolution(
    filters: int, side: int, *, strides: int = 1, padding: str = "same"
) -> list[keras.layers.Layer]:
    return [
        keras.layers.Conv2D(filters, side, strides=strides, padding=padding, use_bias=False),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.ReLU(),
    ]


def vary(pictures: tf.Tensor, recipe: Recipe, seed: tf.Tensor) -> tf.Tensor:
    """Turn, zoom, slant and shift each picture at random, as the recipe says.

    pictures: float32 (n, 28, 28, 1). seed: int64 (2,); the same seed gives the same pictures.
    """
    most = [np.radians(recipe.degrees), recipe.zoom, recipe.zoom, recipe.shear]
    most += [recipe.shift, recipe.shift]
    at_most = tf.constant(most, tf.float32)[:, tf.newaxis]
    count = tf.shape(pictures)[0]
    amounts = tf.random.stateless_uniform((len(most), count), seed, -at_most, at_most)
    angle, zoom_x, zoom_y, slant, right, down = tf.unstack(amounts)
    # Where in the original each pixel comes from: (x, y) -> (a x + b y + c, d x + e y + f),
    # about the centre.
    a = (1 + zoom_x) * tf.cos(angle)
    b = slant - tf.sin(angle)
    d = tf.sin(angle)
    e = (1 + zoom_y) * tf.cos(angle)
    centre = (SIDE - 1) / 2
    c = centre - (a + b) * centre + right
    f = centre - (d + e) * centre + down
    nothing = tf.zeros_like(a)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=pictures,
        transforms=tf.stack([a, b, c, d, e, f, nothing, nothing], axis=1),
        output_shape=(SIDE, SIDE),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
