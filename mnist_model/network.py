"""The network. Imports TensorFlow."""

from mnist_model.normalise import SIDE
from mnist_model.recipes import Recipe
from mnist_model.tensorflow_quiet import keras


def build(recipe: Recipe) -> keras.Model:
    """Return the untrained network: float32 (n, 28, 28, 1), 0 to 255, to logits (n, 10).

    Five convolutions, each with batch normalisation and ReLU, end at 5x5; one dense layer reads
    them. The first sees every pixel, with few filters, as it costs the most per filter.
    """
    first, second, third, fourth, fifth = recipe.filters
    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1), name="picture"),
            keras.layers.Rescaling(1 / 255),
            *_convolution(first),
            *_convolution(second, strides=2),
            *_convolution(third),
            keras.layers.MaxPooling2D(),
            *_convolution(fourth),
            *_convolution(fifth, padding="valid"),
            keras.layers.Flatten(),
            *([keras.layers.Dropout(recipe.dropout)] if recipe.dropout else []),
            keras.layers.Dense(10, name="logits"),
        ],
        name=f"mnist_{recipe.name}",
    )


def first_layer(network: keras.Model) -> keras.Model:
    """Return the part of a network of `build` that ends with its first layer's feature maps."""
    first = next(layer for layer in network.layers if isinstance(layer, keras.layers.ReLU))
    return keras.Model(network.inputs[0], first.output, name="first_layer")


def _convolution(
    filters: int, *, strides: int = 1, padding: str = "same"
) -> list[keras.layers.Layer]:
    """Return a 3x3 convolution; batch normalisation does what its biases would."""
    return [
        keras.layers.Conv2D(filters, 3, strides=strides, padding=padding, use_bias=False),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.ReLU(),
    ]
