"""The network. Imports TensorFlow."""

from mnist_model.normalise import SIDE
from mnist_model.recipes import Recipe
from mnist_model.tensorflow_quiet import keras


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
