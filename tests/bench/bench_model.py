"""The model's figures against the tutorial's: python -m tests.bench.bench_model RELEASE [reading].

| figure | what | goal |
|---|---|---|
| training | seconds of recipe fast over those of the tutorial's network and ten epochs | 0.4 |
| accuracy | of both on MNIST's test set | 99.4% for fast |
| one picture | median of normalise + classify by RELEASE, ink of 280x280 pixels | 0.5 ms |
| memory | resident, of a process that has read one picture, before any HTTP | 60 MiB |

The two trainings run one after the other in one process, on the same pictures: about four minutes
on two cores. `reading` leaves them out. Exit status 1 if a goal is missed.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

# The imports within functions keep TensorFlow out of the process whose memory is measured.
# ruff: noqa: PLC0415

TUTORIAL_PARAMETERS = 211_690
EPOCHS, BATCH = 10, 128
GOALS = {"training": 0.4, "accuracy": 0.994, "single": 0.5, "memory": 60.0}
PICTURES = 1000


def main(arguments: list[str]) -> int:
    """Measure and print a table in Markdown; 1 if a goal is missed."""
    if arguments[:1] == ["--reading"]:
        print(json.dumps(reading(Path(arguments[1]))))
        return 0
    if not arguments or not Path(arguments[0], "manifest.json").is_file():
        print("usage: python -m tests.bench.bench_model RELEASE [reading]", file=sys.stderr)
        return 2
    command = [sys.executable, "-m", "tests.bench.bench_model", "--reading", arguments[0]]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    read = json.loads(run.stdout)
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} x {platform.machine()}, load {load:.1f} before the trainings\n")
    print("| figure | value | goal |\n|---|---|---|")
    held = [
        row("one picture, normalise + classify, p50", "single", read, "{:.3f} ms", largest=True),
        row("memory before HTTP", "memory", read, "{:.0f} MiB", largest=True),
    ]
    print(f"| one picture, its decoding from PNG too | {read['decoded']:.3f} ms | |")
    if arguments[1:] != ["reading"]:
        trained = training()
        for name, found in trained["each"].items():
            print(
                f"| {name}: {found['parameters']:,} parameters | {found['seconds']:.1f} s, "
                f"{found['processor']:.1f} s of processor time, {found['accuracy']:.2%} | |"
            )
        print(f"| processor time, fast over tutorial | {trained['processor']:.2f} | |")
        held += [
            row("seconds, fast over tutorial", "training", trained, "{:.2f}", largest=True),
            row("accuracy, fast", "accuracy", trained, "{:.2%}", largest=False),
        ]
    return 0 if all(held) else 1


def row(title: str, key: str, found: dict[str, Any], form: str, *, largest: bool) -> bool:
    """Print one figure beside its goal; tells whether it holds."""
    value, goal = found[key], GOALS[key]
    print(f"| {title} | {form.format(value)} | {form.format(goal)} |")
    return bool(value <= goal if largest else value >= goal)


def reading(release: Path) -> dict[str, float]:
    """Measure reading in this process, which has imported nothing else."""
    import io

    import numpy as np
    from PIL import Image

    from mnist_model.classify import Classifier
    from mnist_model.ink import ink_from_image
    from mnist_model.normalise import normalise
    from mnist_model.release import verify_release

    classifier = Classifier(verify_release(release))
    page = Image.new("L", (280, 280), 255)
    page.paste(0, (120, 60, 140, 200))  # a 1
    classifier.probabilities(normalise(ink_from_image(page))[np.newaxis])
    memory = resident()

    from mnist_model import data
    from mnist_model.suites import anywhere

    single, decoded = [], []
    for image in anywhere(data.load().test_pictures[:PICTURES], seed=1):
        file = io.BytesIO()
        image.save(file, "PNG")
        begin = time.perf_counter()
        ink = ink_from_image(Image.open(file))
        inked = time.perf_counter()
        classifier.probabilities(normalise(ink)[np.newaxis])
        end = time.perf_counter()
        single.append(end - inked)
        decoded.append(end - begin)
    return {
        "memory": memory,
        "single": statistics.median(single) * 1e3,
        "decoded": statistics.median(decoded) * 1e3,
    }


def resident() -> float:
    """Resident memory of this process, in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError("the kernel does not tell the resident memory")


def training() -> dict[str, Any]:
    """Train the tutorial's network and then recipe fast, on the same pictures."""
    from mnist_model import data
    from mnist_model.metrics import digits
    from mnist_model.recipes import RECIPES, Plan
    from mnist_model.tensorflow_quiet import keras
    from mnist_model.train import learn, new_network, split

    mnist = data.load()
    plan = Plan(RECIPES["fast"])

    def accuracy(network: Any, divisor: float) -> float:
        pictures = mnist.test_pictures[..., None].astype("float32") / divisor
        read = digits(network.predict(pictures, batch_size=1000, verbose=0))
        return float((read == mnist.test_labels).mean())

    network = tutorial_network(keras)
    pictures = mnist.train_pictures[..., None].astype("float32") / 255
    say(f"the tutorial's network, {EPOCHS} epochs")
    begin = time.perf_counter(), time.process_time()
    network.fit(pictures, mnist.train_labels, BATCH, EPOCHS, verbose=0)
    tutorial = {
        **since(*begin),
        "parameters": network.count_params(),
        "accuracy": accuracy(network, 255),
    }
    if tutorial["parameters"] != TUTORIAL_PARAMETERS:
        raise ValueError(f"the tutorial's network has {TUTORIAL_PARAMETERS:,} parameters")
    say(f"recipe fast, {plan.recipe.epochs} epochs")
    begin = time.perf_counter(), time.process_time()
    ours = new_network(plan)
    learn(ours, plan, split(mnist, plan), say)
    fast = {
        **since(*begin),
        "parameters": ours.count_params(),
        "accuracy": accuracy(ours, 1),
    }
    return {
        "each": {"the tutorial's": tutorial, "recipe fast": fast},
        "training": fast["seconds"] / tutorial["seconds"],
        "processor": fast["processor"] / tutorial["processor"],
        "accuracy": fast["accuracy"],
    }


def since(begin: float, processor: float) -> dict[str, float]:
    """Seconds since then, by the clock and of the processors; what else runs slows the first."""
    return {
        "seconds": time.perf_counter() - begin,
        "processor": time.process_time() - processor,
    }


def tutorial_network(keras: Any) -> Any:
    """The tutorial's network, as its notebook builds it: 0 to 1 in, ten probabilities out."""
    keras.utils.set_random_seed(1)
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy()
    network.compile(keras.optimizers.Adam(), loss)
    return network


def say(line: str) -> None:
    """Progress, which is no figure."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
