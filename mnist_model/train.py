"""A training from beginning to end: learn, calibrate, export, test once, release."""

import os
import platform
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from mnist_model.batches import Part, Parts
from mnist_model.calibrate import CALIBRATIONS, SERVING_MODEL, calibrate, unsealed
from mnist_model.card import write_card
from mnist_model.data import SHA256, Mnist
from mnist_model.evaluate import accuracy, digits, examine
from mnist_model.export import export, export_first_layer, save
from mnist_model.feedback import REPEAT, Feedback
from mnist_model.inputs import training_inputs
from mnist_model.learn import Say, TrainingError, learn, new_network, strategy
from mnist_model.line_network import LINE_MODEL, add_line
from mnist_model.recipes import Plan
from mnist_model.release import Release, publish, unfinished
from mnist_model.report import History, write_report
from mnist_model.resume import kept
from mnist_model.tensorflow_quiet import keras

LIBRARIES = ("tensorflow-cpu", "tensorflow", "keras", "numpy", "ai-edge-litert")
FIRST_LAYER = "first-layer.tflite"
SMALLEST_LIMIT = 500
__all__ = ["Parts", "TrainingError", "learn", "new_network", "split", "train", "write_release"]


def train(
    mnist: Mnist, plan: Plan, releases: Path, say: Say = print, feedback: Feedback | None = None
) -> Release | None:
    """Train and write a release.

    On one machine the same plan gives the same network, as far as TensorFlow's op determinism goes;
    its file may be laid out otherwise. A training of the same plan that was stopped goes on. Of
    several workers (TF_CONFIG) all learn together, and the first one writes the release; the others
    return None.

    say: gets one line per epoch, `epoch 1/4 loss=… accuracy=… …`, and a few others.
    Raises: TrainingError, BusyError, ExportError, ReleaseError, OSError; no release is written
    then.
    """
    parts = split(mnist, plan)
    if feedback:
        parts = parts._replace(learning=_with(parts.learning, feedback))
    sharing = strategy()
    if not sharing.extended.should_checkpoint:
        network = new_network(plan, sharing)
        learn(network, plan, parts, say)
        network.get_weights()  # together with the first worker, which waits for it
        return None
    with kept(releases, training_inputs(plan)) as state:
        network = new_network(plan, sharing)
        say(
            f"recipe {plan.recipe.name}: {network.count_params():,} parameters, "
            f"{len(parts.learning.labels):,} pictures to learn from, "
            f"{len(parts.validation.labels):,} to validate, seed {plan.seed}"
        )
        alone = sharing.num_replicas_in_sync == 1
        history = learn(network, plan, parts, say, state if alone else None)
        trained = new_network(plan)
        trained.set_weights(network.get_weights())
        return write_release(trained, history, plan, mnist, releases, say)


def _with(part: Part, feedback: Feedback) -> Part:
    return Part(
        np.concatenate([part.pictures, np.repeat(feedback.pictures, REPEAT, axis=0)]),
        np.concatenate([part.labels, np.repeat(feedback.labels, REPEAT)]),
    )


def write_release(  # noqa: PLR0913, PLR0917 - all of it goes into the release
    network: keras.Model,
    history: History,
    plan: Plan,
    mnist: Mnist,
    releases: Path,
    say: Say = print,
) -> Release:
    """Export a trained network, calibrate it, try it on the test set, and seal it all.

    The figures are those of the exported model, which is the one that serves. A plan with a limit
    is evaluated quickly, on few pictures.
    """
    parts = split(mnist, plan)
    learning, validation = parts
    effort = "full" if plan.limit is None else "quick"
    line_effort = plan.recipe.line_effort if plan.limit is None else "quick"
    with unfinished(releases) as draft:
        save(network, plan.recipe, draft / "model.keras")
        served = export(network, draft / SERVING_MODEL, validation.pictures)
        export_first_layer(network, draft / FIRST_LAYER)
        logits = served.logits(validation.pictures)
        began = time.monotonic()
        lines = add_line(draft, parts, plan.seed, line_effort, say)
        line_seconds = time.monotonic() - began
        say(f"calibrating on {len(validation.labels):,} validation pictures")
        calibration = calibrate(draft, *validation, CALIBRATIONS[effort], lines)
        evaluation = examine(unsealed(draft, calibration), mnist, effort, say)
        facts: dict[str, Any] = {
            "network": {"parameters": network.count_params(), "layers": _layers(network)},
            "serving": {
                "file": SERVING_MODEL,
                "first_layer": FIRST_LAYER,
                "line": LINE_MODEL,
                "description": "LiteRT, 8-bit weights",
            },
            "training": {
                "inputs": training_inputs(plan),
                "recipe": asdict(plan.recipe),
                "seed": plan.seed,
                "pictures": len(learning.labels),
                "feedback": plan.feedback,
                "validation_pictures": len(validation.labels),
                "data": dict(SHA256),
                "seconds": round(history["seconds"][-1], 1),
                "line_seconds": round(line_seconds, 1),
                "machine": f"{os.cpu_count()} x {platform.machine()}, {platform.system()}",
                "libraries": _versions(),
            },
            "accuracy": {
                "validation": accuracy(validation.labels, digits(logits)),
                "test": accuracy(mnist.test_labels, digits(evaluation.logits)),
            },
            "calibration": calibration,
            "evaluation": evaluation.results,
        }
        write_report(draft / "report", history, mnist.test_pictures, mnist.test_labels, evaluation)
        (draft / "CARD.md").write_text(write_card(facts), encoding="utf-8")
        return publish(draft, releases, facts)


def split(mnist: Mnist, plan: Plan) -> Parts:
    """Split the training set into a part to learn from and one to validate on.

    The split is the same for every seed, so that seeds can be compared on it.
    """
    count = len(mnist.train_labels) if plan.limit is None else plan.limit
    if not SMALLEST_LIMIT <= count <= len(mnist.train_labels):
        raise TrainingError(f"the limit is {SMALLEST_LIMIT} to {len(mnist.train_labels)} pictures")
    order = np.random.default_rng(0).permutation(len(mnist.train_labels))[:count]
    kept_back, rest = np.split(order, [count // plan.recipe.validation])
    return Parts(
        Part(mnist.train_pictures[rest], mnist.train_labels[rest]),
        Part(mnist.train_pictures[kept_back], mnist.train_labels[kept_back]),
    )


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
