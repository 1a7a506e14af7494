"""The network learns: step by step, on one device or several, and tells of every epoch.

The loop is written out, as Keras 3's `fit` fails under TensorFlow's MultiWorkerMirroredStrategy
(keras-team/keras issue 20585). Imports TensorFlow.
"""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mnist_model.batches import Parts, plain_batches, varied_batches
from mnist_model.network import build
from mnist_model.progress import Bar
from mnist_model.recipes import Plan
from mnist_model.report import History
from mnist_model.resume import Kept
from mnist_model.tensorflow_quiet import keras, tf

Say = Callable[[str], None]
Batches = Iterator[Any]
FIGURES = {
    "loss": "loss",
    "accuracy": "accuracy",
    "val_loss": "validation_loss",
    "val_accuracy": "validation_accuracy",
}
"""What is kept of every epoch, and how the epoch's line calls it."""


class TrainingError(Exception):
    """The training cannot lead to a usable model; the text says what to do."""


def strategy() -> tf.distribute.Strategy:
    """Return how the work is shared: several machines by TF_CONFIG, several GPUs, or one device."""
    if os.environ.get("TF_CONFIG"):
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def new_network(plan: Plan, sharing: tf.distribute.Strategy | None = None) -> keras.Model:
    """Return the recipe's untrained network; its first weights come from the plan's seed."""
    keras.utils.set_random_seed(plan.seed)
    tf.config.experimental.enable_op_determinism()  # threads must not decide what is added first
    with (sharing or tf.distribute.get_strategy()).scope():
        return build(plan.recipe)


def learn(
    network: keras.Model, plan: Plan, parts: Parts, say: Say = print, state: Kept | None = None
) -> History:
    """Fit the network in place; with `state`, on from where a stopped training was.

    Returns: per epoch `loss`, `accuracy`, `val_loss`, `val_accuracy`, and the `seconds` since the
    beginning. Raises: TrainingError.
    """
    sharing = network.distribute_strategy
    recipe = plan.recipe
    steps = len(parts.learning.labels) // recipe.batch
    with sharing.scope():
        optimizer = keras.optimizers.Adam(_rate(plan, steps))
        optimizer.build(network.trainable_variables)
    telling = _Telling(recipe.epochs, say)
    variables = [*network.variables, *optimizer.variables]
    done = telling.resume(state.restore(variables) if state else None)
    step = _step(network, optimizer, sharing, recipe.batch)
    batches = iter(
        sharing.experimental_distribute_dataset(varied_batches(parts.learning, plan, done))
    )
    check = plain_batches(parts.validation)
    bar = Bar("training", recipe.epochs * steps)
    try:
        for epoch in range(done, recipe.epochs):
            figures = np.zeros(2)
            for number in range(steps):
                figures += [float(figure) for figure in step(batches)]
                bar.show(epoch * steps + number + 1, f"loss {figures[0] / (number + 1):.4f}")
            bar.clear()
            telling.keep(*(figures / steps), *_validate(network, check))
            if state:
                state.save(variables, telling.history)
            telling.tell(epoch)  # last: an epoch that was told is not lost
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        raise TrainingError(
            "the memory is used up: end other programs, or train on a machine with more"
        ) from error
    return telling.history


def _rate(plan: Plan, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Up along a line, then down to 0 along a cosine."""
    recipe = plan.recipe
    warm_up = max(1, round(recipe.warm_up * recipe.epochs * steps))
    return keras.optimizers.schedules.CosineDecay(
        0.0, recipe.epochs * steps - warm_up, warmup_target=recipe.peak_rate, warmup_steps=warm_up
    )


def _step(
    network: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    sharing: tf.distribute.Strategy,
    batch: int,
) -> Callable[[Batches], tuple[tf.Tensor, tf.Tensor]]:
    """Return what learns from the next batch and gives its mean loss and the share read right."""
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")
    weights = network.trainable_variables

    def learn_share(pictures: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            logits = network(pictures, training=True)
            loss = loss_of(labels, logits) / batch
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return loss, _count_right(logits, labels) / batch

    def step(batches: Batches) -> tuple[tf.Tensor, tf.Tensor]:
        loss, right = sharing.run(learn_share, args=next(batches))
        return sharing.reduce("SUM", loss, axis=None), sharing.reduce("SUM", right, axis=None)

    compiled: Callable[[Batches], tuple[tf.Tensor, tf.Tensor]] = tf.function(step)
    return compiled


def _validate(network: keras.Model, batches: tf.data.Dataset) -> tuple[float, float]:
    """Return the mean loss and the share read right; of several workers each does all of it."""
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")
    loss, right, count = 0.0, 0.0, 0
    for pictures, labels in batches:
        logits = network(pictures, training=False)
        loss += float(loss_of(labels, logits))
        right += float(_count_right(logits, labels))
        count += len(labels)
    return loss / count, right / count


def _count_right(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    right = tf.equal(tf.argmax(logits, axis=1), tf.cast(labels, tf.int64))
    return tf.reduce_sum(tf.cast(right, tf.float32))


class _Telling:
    """Times every epoch, keeps its figures and tells of it in one line."""

    def __init__(self, epochs: int, say: Say) -> None:
        self.history: dict[str, list[float]] = {name: [] for name in (*FIGURES, "seconds")}
        self._epochs = epochs
        self._say = say
        self._began = time.monotonic()

    def resume(self, history: dict[str, list[float]] | None) -> int:
        """Go on from a stopped training's history, if any; returns how many epochs are done."""
        if not history:
            return 0
        self.history = history
        done = len(history["seconds"])
        self._began -= history["seconds"][-1]
        for epoch in range(done):  # whoever reads the log waits for every epoch's line
            self.tell(epoch)
        self._say(f"a training that was stopped goes on after epoch {done}")
        return done

    def keep(self, *figures: float) -> None:
        """Keep an epoch's figures, in the order of FIGURES. Raises TrainingError."""
        epoch = len(self.history["seconds"])
        if not np.isfinite(figures[0]):
            raise TrainingError(
                f"the training diverged in epoch {epoch + 1}: the loss is {figures[0]}; "
                "lower the recipe's peak_rate"
            )
        for name, figure in zip(FIGURES, figures, strict=True):
            self.history[name].append(float(figure))
        self.history["seconds"].append(time.monotonic() - self._began)

    def tell(self, epoch: int) -> None:
        """Say an epoch's figures in one line."""
        figures = " ".join(
            f"{name}={self.history[key][epoch]:.4f}" for key, name in FIGURES.items()
        )
        seconds = self.history["seconds"][epoch]
        self._say(f"epoch {epoch + 1}/{self._epochs} {figures} seconds={seconds:.1f}")
