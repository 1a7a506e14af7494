"""Which runtime serves a network best: python -m tests.bench.bench_runtimes RELEASE [ROUNDS].

One trained network in five forms, each measured in processes of its own with one thread, in turn,
ROUNDS times (default 3), so that a change of the machine's load hits all alike:

| figure | what |
|---|---|
| one picture | median of 1,000 single calls, normalised picture in, logits out |
| batches of 64 | pictures per second |
| import | seconds from NumPy to the first answer: the runtime, Pillow, loading the model |
| memory | resident memory of that process after it |
| as Keras | test pictures that are read as the trained network reads them |

ONNX Runtime and what converts to ONNX are no part of the project's locked packages. Without them
their row is left out, and how to have them is said.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

# What is imported within functions is measured, or is kept out of what is measured.
# ruff: noqa: PLC0415

ONNX = ("onnxruntime", "onnx", "tf2onnx")
HOW_TO_ONNX = (
    "ONNX Runtime is left out: it is not installed. To have it, beside the locked packages:\n"
    f"  .venv/bin/uv pip install --no-deps --target .bench-venv/onnx {' '.join(ONNX)}\n"
    "  PYTHONPATH=.bench-venv/onnx .venv/bin/python -m tests.bench.bench_runtimes RELEASE"
)
FILES = {
    "Keras predict": "model.keras",
    "LiteRT float32": "float32.tflite",
    "LiteRT 8-bit weights": "dynamic.tflite",
    "LiteRT full 8-bit": "integer.tflite",
    "ONNX Runtime": "model.onnx",
}
SINGLE, BATCHES, BATCH = 1000, 100, 64
SLOW = 20  # Keras is so much slower that it gets fewer calls, by this factor
Logits = Callable[[np.ndarray], np.ndarray]


def main(arguments: list[str]) -> int:
    """Convert, measure, and print a table in Markdown."""
    if arguments[:1] == ["--child"]:
        print(json.dumps(measure(arguments[1], Path(arguments[2]), Path(arguments[3]))))
        return 0
    if len(arguments) not in {1, 2} or not Path(arguments[0], "model.keras").is_file():
        print("usage: python -m tests.bench.bench_runtimes RELEASE [ROUNDS]", file=sys.stderr)
        return 2
    rounds = int(arguments[1]) if len(arguments) > 1 else 3
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        forms = convert(Path(arguments[0]), directory)
        found: dict[str, list[dict[str, Any]]] = {form: [] for form in forms}
        for number in range(rounds):
            for form in forms:
                print(f"round {number + 1}: {form}", file=sys.stderr, flush=True)
                found[form].append(in_a_process(form, directory))
        sizes = {form: (directory / FILES[form]).stat().st_size for form in forms}
    report(found, sizes)
    return 0


def convert(release: Path, directory: Path) -> list[str]:
    """Write the pictures, and the network in every form that can be had; name these."""
    from mnist_model import data
    from mnist_model.quiet import no_standard_error
    from mnist_model.tensorflow_quiet import keras, tf

    mnist = data.load()
    np.save(directory / "pictures.npy", mnist.test_pictures)
    (directory / FILES["Keras predict"]).write_bytes((release / "model.keras").read_bytes())
    network = keras.models.load_model(release / "model.keras")
    network.predict(as_input(mnist.test_pictures[:1]), verbose=0)
    samples = mnist.train_pictures[:200]

    def sample() -> Any:
        return ([as_input(picture[np.newaxis])] for picture in samples)

    def integer() -> None:
        converter = tf.lite.TFLiteConverter.from_keras_model(network)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = sample
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        (directory / FILES["LiteRT full 8-bit"]).write_bytes(converter.convert())

    def lite(name: str, **options: Any) -> None:
        network.export(directory / FILES[name], format="litert", verbose=False, **options)

    ways: dict[str, Callable[[], None]] = {
        "Keras predict": lambda: None,
        "LiteRT float32": lambda: lite("LiteRT float32"),
        "LiteRT 8-bit weights": lambda: lite(
            "LiteRT 8-bit weights", optimizations=[tf.lite.Optimize.DEFAULT]
        ),
        "LiteRT full 8-bit": integer,
        "ONNX Runtime": lambda: network.export(
            directory / FILES["ONNX Runtime"], format="onnx", verbose=False
        ),
    }
    if not all(map(find_spec, ONNX)):
        print(HOW_TO_ONNX, file=sys.stderr)
        del ways["ONNX Runtime"]
    made = []
    for name, write in ways.items():
        try:
            with no_standard_error(), redirect_stdout(None):
                write()
        except Exception as error:
            print(f"{name} is left out: {type(error).__name__}: {error}", file=sys.stderr)
        else:
            made.append(name)
    return made


def in_a_process(form: str, directory: Path) -> dict[str, Any]:
    """Measure one form in a new process."""
    command = [sys.executable, "-m", "tests.bench.bench_runtimes", "--child", form]
    command += [str(directory / FILES[form]), str(directory / "pictures.npy")]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if run.returncode:
        sys.exit(f"{form} failed:\n{run.stderr}")
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def measure(form: str, file: Path, pictures_file: Path) -> dict[str, Any]:
    """Measure one form in this process."""
    begin = time.perf_counter()
    import PIL.Image  # noqa: F401 - what the API imports besides

    loader = {"Keras": keras_logits, "LiteRT": litert_logits, "ONNX": onnx_logits}
    logits = loader[form.split(maxsplit=1)[0]](file)
    logits(np.zeros((1, 28, 28), np.uint8))
    imported = time.perf_counter() - begin
    memory = resident()
    pictures = np.load(pictures_file)
    fewer = SLOW if form.startswith("Keras") else 1
    times = []
    for picture in pictures[: SINGLE // fewer]:
        begin = time.perf_counter()
        logits(picture[np.newaxis])
        times.append(time.perf_counter() - begin)
    batch = pictures[:BATCH]
    logits(batch)
    count = BATCHES // fewer
    begin = time.perf_counter()
    for _ in range(count):
        logits(batch)
    rate = BATCH * count / (time.perf_counter() - begin)
    parts = [logits(pictures[at : at + 500]).argmax(axis=1) for at in range(0, len(pictures), 500)]
    return {
        "single": statistics.median(times) * 1e3,
        "rate": rate,
        "import": imported,
        "memory": memory,
        "read": "".join(map(str, np.concatenate(parts).tolist())),
    }


def as_input(pictures: np.ndarray) -> np.ndarray:
    """Pictures as the network takes them: float32 (n, 28, 28, 1)."""
    return pictures[..., np.newaxis].astype(np.float32)


def keras_logits(file: Path) -> Logits:
    """Keras's own way to read, on one thread."""
    from mnist_model.tensorflow_quiet import keras, tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    network = keras.models.load_model(file)
    return lambda pictures: network.predict(as_input(pictures), verbose=0)


def litert_logits(file: Path) -> Logits:
    """LiteRT's interpreter; inputs and outputs of 8 bits are scaled as the file says."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(file), num_threads=1)
    first, last = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero = first["quantization"]
    size = 0

    def logits(pictures: np.ndarray) -> np.ndarray:
        nonlocal size
        if len(pictures) != size:
            interpreter.resize_tensor_input(first["index"], (len(pictures), 28, 28, 1))
            interpreter.allocate_tensors()
            size = len(pictures)
        given = as_input(pictures)
        if scale:
            given = np.clip(np.rint(given / scale + zero), -128, 127).astype(np.int8)
        interpreter.set_tensor(first["index"], given)
        interpreter.invoke()
        return interpreter.get_tensor(last["index"])

    return logits


def onnx_logits(file: Path) -> Logits:
    """ONNX Runtime on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda pictures: session.run(None, {name: as_input(pictures)})[0]


def resident() -> float:
    """Resident memory of this process, in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError("the kernel does not tell the resident memory")


def report(found: dict[str, list[dict[str, Any]]], sizes: dict[str, int]) -> None:
    """Print machine, versions and the table."""
    names = ("tensorflow-cpu", "keras", "ai-edge-litert", "onnxruntime", "numpy")
    versions = []
    for name in names:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} x {platform.machine()}, {', '.join(versions)}; load {load:.1f}\n")
    print(
        "| runtime | one picture | batches of 64 | import | memory | file | as Keras |\n"
        "|---|---|---|---|---|---|---|"
    )
    truth = found["Keras predict"][0]["read"]
    for form, rounds in found.items():
        single, rate, imported, memory = (
            [each[key] for each in rounds] for key in ("single", "rate", "import", "memory")
        )
        same = sum(a == b for a, b in zip(truth, rounds[0]["read"], strict=True)) / len(truth)
        print(
            f"| {form} | {statistics.median(single):.3f} ms ({min(single):.3f} to "
            f"{max(single):.3f}) | {statistics.median(rate):,.0f}/s | "
            f"{statistics.median(imported):.2f} s | {statistics.median(memory):.0f} MiB | "
            f"{sizes[form] / 1000:,.0f} kB | {same:.2%} |"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
