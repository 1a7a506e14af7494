"""The networks: for single digits, and for pieces of lines. Imports TensorFlow."""

from mnist_model.normalise import SIDE
from mnist_model.recipes import Recipe
from mnist_model.tensorflow_quiet import keras

DIGITS = 10


def build(recipe: Recipe, outputs: int = DIGITS, channels: int = 1) -> keras.Model:
    """Return the untrained network: float32 (n, 28, 28, channels), 0 to 255, to (n, outputs).

    Four convolutions, each with batch normalisation and ReLU, end at 5x5; one dense layer reads
    them. The first two halve the sides: at 28x28 a filter costs four times as much as at 14x14.
    """
    first, second, third, fourth = recipe.filters
    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE, channels), name="picture"),
            keras.layers.Rescaling(1 / 255),
            *_convolution(first, 5, strides=2),
            *_convolution(second, 3, strides=2),
            *_convolution(third, 3),
            *_convolution(fourth, 3, padding="valid"),
            keras.layers.Flatten(),
            *([keras.layers.Dropout(recipe.dropout)] if recipe.dropout else []),
            keras.layers.Dense(outputs, name="logits"),
        ],
        name=f"mnist_{recipe.name}",
    )


def first_layer(network: keras.Model) -> keras.Model:
    """Return the part of a network of `build` that ends with its first layer's feature maps."""
    first = next(layer for layer in network.layers if isinstance(layer, keras.layers.ReLU))
    return keras.Model(network.inputs[0], first.output, name="first_layer")


def _convolution(
    filters: int, side: int, *, strides: int = 1, padding: str = "same"
) -> list[keras.layers.Layer]:
    """Return a convolution; batch normalisation does what its biases would."""
    return [
        keras.layers.Conv2D(filters, side, strides=strides, padding=padding, use_bias=False),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.ReLU(),
    ]
