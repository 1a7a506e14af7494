"""The training set's parts, and the batches that a network learns from. Imports TensorFlow."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_model.augment import vary
from mnist_model.classify import with_channels
from mnist_model.recipes import Plan
from mnist_model.tensorflow_quiet import tf


class Part(NamedTuple):
    """Some of the training set: pictures uint8 (n, 28, 28[, channels]), labels uint8 (n,)."""

    pictures: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]


class Parts(NamedTuple):
    """The training set, split: what to learn from, and what to validate on."""

    learning: Part
    validation: Part


def varied_batches(part: Part, plan: Plan, first_epoch: int) -> tf.data.Dataset:
    """Give the pictures in a new order and newly varied in every epoch, from `first_epoch` on.

    Everything random depends on seed, epoch and step alone, so that a resumed training sees the
    same pictures as one that was never stopped.
    """
    pictures = tf.constant(with_channels(part.pictures))
    labels = tf.constant(part.labels)
    batch = plan.recipe.batch
    steps = len(part.labels) // batch

    def epoch(number: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(
            tf.range(len(part.labels)), [plan.seed, number]
        )
        order = tf.reshape(order[: steps * batch], (steps, batch))
        return tf.data.Dataset.from_tensor_slices(order).enumerate(number * steps)

    def varied(step: tf.Tensor, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        chosen = tf.cast(tf.gather(pictures, index), tf.float32)
        return vary(chosen, plan.recipe, tf.stack([plan.seed, step])), tf.gather(labels, index)

    epochs = tf.data.Dataset.range(first_epoch, plan.recipe.epochs)
    return epochs.flat_map(epoch).map(varied, num_parallel_calls=2).prefetch(4)


def plain_batches(part: Part) -> tf.data.Dataset:
    """Give the pictures in order and as they are, 1,000 at a time."""
    pictures = with_channels(part.pictures)
    batches = tf.data.Dataset.from_tensor_slices((pictures, part.labels)).batch(1000)
    return batches.map(lambda some, labels: (tf.cast(some, tf.float32), labels))
