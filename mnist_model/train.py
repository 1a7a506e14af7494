"""A training from beginning to end: learn, calibrate, export, test once, release."""

import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_model.card import write_card
from mnist_model.data import SHA256, Mnist
from mnist_model.evaluate import accuracy, best_temperature, digits
from mnist_model.export import export, save
from mnist_model.inputs import training_inputs
from mnist_model.network import build, vary
from mnist_model.recipes import Plan
from mnist_model.release import Release, publish, unfinished
from mnist_model.report import History, write_report
from mnist_model.tensorflow_quiet import keras, tf

LIBRARIES = ("tensorflow-cpu", "tensorflow", "keras", "numpy", "ai-edge-litert")
SMALLEST_LIMIT = 500
Say = Callable[[str], None]


class TrainingError(Exception):
    """The training cannot lead to a usable model; the text says what to do."""


class Part(NamedTuple):
    """Some of the training set: pictures uint8 (n, 28, 28), labels uint8 (n,)."""

    pictures: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]


def train(mnist: Mnist, plan: Plan, releases: Path, say: Say = print) -> Release:
    """Train and write a release; the same plan gives the same network on the same machine.

    say: gets one line per epoch, `epoch 1/4 loss=… accuracy=… …`, and a few others.
    Raises: TrainingError, ExportError, ReleaseError, OSError; no release is written then.
    """
    learning, validation = split(mnist, plan)
    network = new_network(plan)
    say(
        f"recipe {plan.recipe.name}: {network.count_params():,} parameters, "
        f"{len(learning.labels):,} pictures to learn from, {len(validation.labels):,} to validate, "
        f"seed {plan.seed}"
    )
    history = learn(network, plan, learning, validation, say)
    return write_release(network, history, plan, mnist, releases)


def write_release(
    network: keras.Model, history: History, plan: Plan, mnist: Mnist, releases: Path
) -> Release:
    """Export a trained network, calibrate it, try it on the test set, and seal it all.

    The figures are those of the exported model, which is the one that serves.
    """
    learning, validation = split(mnist, plan)
    with unfinished(releases) as draft:
        save(network, plan.recipe, draft / "model.keras")
        served = export(network, draft / "model.tflite", validation.pictures)
        logits = served.logits(validation.pictures)
        read = digits(served.logits(mnist.test_pictures))
        facts: dict[str, Any] = {
            "network": {"parameters": network.count_params(), "layers": _layers(network)},
            "serving": {"file": "model.tflite", "description": "LiteRT, 8-bit weights"},
            "training": {
                "inputs": training_inputs(plan),
                "recipe": asdict(plan.recipe),
                "seed": plan.seed,
                "pictures": len(learning.labels),
                "validation_pictures": len(validation.labels),
                "data": dict(SHA256),
                "seconds": round(history["seconds"][-1], 1),
                "machine": f"{os.cpu_count()} x {platform.machine()}, {platform.system()}",
                "libraries": _versions(),
            },
            "accuracy": {
                "validation": accuracy(validation.labels, digits(logits)),
                "test": accuracy(mnist.test_labels, read),
            },
            "calibration": {
                "temperature": best_temperature(logits, validation.labels),
                "certain_digit": 0.9,
                "certain_line": 0.8,
            },
        }
        write_report(draft / "report", history, mnist.test_pictures, mnist.test_labels, read)
        (draft / "CARD.md").write_text(write_card(facts), encoding="utf-8")
        return publish(draft, releases, facts)


def split(mnist: Mnist, plan: Plan) -> tuple[Part, Part]:
    """Split the training set into a part to learn from and one to validate on.

    The split is the same for every seed, so that seeds can be compared on it.
    """
    count = len(mnist.train_labels) if plan.limit is None else plan.limit
    if not SMALLEST_LIMIT <= count <= len(mnist.train_labels):
        raise TrainingError(f"the limit is {SMALLEST_LIMIT} to {len(mnist.train_labels)} pictures")
    order = np.random.default_rng(0).permutation(len(mnist.train_labels))[:count]
    kept, rest = np.split(order, [count // plan.recipe.validation])
    return (
        Part(mnist.train_pictures[rest], mnist.train_labels[rest]),
        Part(mnist.train_pictures[kept], mnist.train_labels[kept]),
    )


def new_network(plan: Plan) -> keras.Model:
    """Return the recipe's untrained network; its first weights come from the plan's seed."""
    keras.utils.set_random_seed(plan.seed)
    return build(plan.recipe)


def learn(
    network: keras.Model, plan: Plan, learning: Part, validation: Part, say: Say = print
) -> History:
    """Fit the network in place.

    Returns: per epoch `loss`, `accuracy`, `val_loss`, `val_accuracy`, and the `seconds` since the
    beginning.
    """
    recipe = plan.recipe
    steps = recipe.epochs * (len(learning.labels) // recipe.batch)
    warm_up = max(1, round(recipe.warm_up * steps))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warm_up, warmup_target=recipe.peak_rate, warmup_steps=warm_up
    )
    network.compile(
        keras.optimizers.Adam(rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    seconds: list[float] = []
    fitted = network.fit(
        _batches(learning, plan),
        epochs=recipe.epochs,
        validation_data=(validation.pictures[..., np.newaxis], validation.labels),
        validation_batch_size=1000,
        callbacks=[_progress(recipe.epochs, seconds, say)],
        shuffle=False,  # _batches shuffles
        verbose=0,
    )
    return {**fitted.history, "seconds": seconds}


def _batches(part: Part, plan: Plan) -> tf.data.Dataset:
    """Give the pictures in a new order and newly varied in every epoch."""
    pictures = tf.constant(part.pictures[..., np.newaxis])
    labels = tf.constant(part.labels)

    def batch(index: tf.Tensor, random: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        chosen = tf.cast(tf.gather(pictures, index), tf.float32)
        return vary(chosen, plan.recipe, random), tf.gather(labels, index)

    count = len(part.labels)
    index = tf.data.Dataset.range(count).shuffle(count, plan.seed)
    index = index.batch(plan.recipe.batch, drop_remainder=True)
    random = tf.data.Dataset.random(plan.seed, rerandomize_each_iteration=True).batch(2)
    return tf.data.Dataset.zip((index, random)).map(batch, num_parallel_calls=2).prefetch(4)


def _progress(epochs: int, seconds: list[float], say: Say) -> keras.callbacks.Callback:
    """Time every epoch and tell of it in one line; stop when the loss is no number."""
    began = time.monotonic()

    def tell(epoch: int, logs: dict[str, float]) -> None:
        if not np.isfinite(logs["loss"]):
            raise TrainingError(
                f"the training diverged in epoch {epoch + 1}: the loss is {logs['loss']}; "
                "lower the recipe's peak_rate"
            )
        seconds.append(time.monotonic() - began)
        say(
            f"epoch {epoch + 1}/{epochs} loss={logs['loss']:.4f} accuracy={logs['accuracy']:.4f} "
            f"validation_loss={logs['val_loss']:.4f} "
            f"validation_accuracy={logs['val_accuracy']:.4f} "
            f"seconds={seconds[-1]:.1f}"
        )

    return keras.callbacks.LambdaCallback(on_epoch_end=tell)


def _layers(network: keras.Model) -> list[str]:
    return [
        f"{type(layer).__name__} {'x'.join(str(side) for side in layer.output.shape[1:])}, "
        f"{layer.count_params()} parameters"
        for layer in network.layers
    ]


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except ImportError:  # one of the two TensorFlow packages is not there
            continue
    return found
