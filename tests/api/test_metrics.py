"""The figures for Prometheus: true, of all workers together, and readable by its own parser."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from mnist_api import reference
from mnist_api.counts import MOST_RELEASES, Counts
from mnist_api.load import QUEUE, Load
from mnist_api.metrics import Metrics
from mnist_api.reader import Reader
from mnist_api.settings import Settings, SettingsError
from mnist_model.data import load
from tests.api.conftest import Api
from tests.api.process import HOUSE
from tests.browser.drawing import DIGITS, encoded, picture

SEVEN = encoded(picture(DIGITS[7]))
NAMES = ("one", "two", "now")


def figures(app: Api) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = app.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = list(text_string_to_metric_families(answer.text))
    assert all(family.documentation for family in families)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def figure(app: Api, name: str, **labels: str) -> float:
    return figures(app).get((f"mnist_api_{name}", frozenset(labels.items())), 0.0)


def test_counts_requests_by_operation_status_and_release(app: Api, reader: Reader) -> None:
    app.predict(SEVEN)
    app.predict(SEVEN)
    app.predict(b"")
    app.get("/nothing")
    release = reader.release.name

    def requests(operation: str, status: int) -> float:
        labels = {"operation": operation, "status": str(status), "release": release}
        return figure(app, "requests_total", **labels)

    assert requests("predict", 200) == 2
    assert requests("predict", 400) == 1
    assert requests("none", 404) == 1
    assert figure(app, "answers_total", certain="yes", release=release) == 2
    assert figure(app, "release_info", release=release) == 1
    assert figure(app, "in_flight") == 1, "the one that asks"


def test_times_add_up(app: Api, reader: Reader) -> None:
    took = [app.predict(SEVEN).json["milliseconds"] / 1000 for _ in range(5)]
    labels = {"operation": "predict", "release": reader.release.name}
    assert figure(app, "request_seconds_count", **labels) == 5
    assert figure(app, "request_seconds_bucket", **labels, le="+Inf") == 5
    assert figure(app, "request_seconds_sum", **labels) >= sum(took) * 0.99


def test_a_fault_is_counted(compose: Callable[..., Api], reader: Reader) -> None:
    app = compose(reader)
    app.get("/%ff")
    labels = {"operation": "none", "status": "400", "release": reader.release.name}
    assert figure(app, "requests_total", **labels) == 1


def test_drawings_are_compared_with_those_that_were_learnt_from(app: Api, reader: Reader) -> None:
    thin, thick = (encoded(picture(DIGITS[8], pen=pen)) for pen in (6, 44))
    release = {"release": reader.release.name}
    app.predict(thin)
    least = figure(app, "digit_ink_sum", **release)
    app.predict(thick)
    assert figure(app, "digit_ink_sum", **release) > 2 * least
    assert figure(app, "digit_size_count", **release) == 2
    assert figure(app, "digit_confidence_count", **release) == 2
    shares = [
        figure(app, "reference_share", measure="ink", le=str(bound))
        for bound in reference.BOUNDS["ink"]
    ]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1


def test_every_digit_of_a_line_is_compared(app: Api, reader: Reader) -> None:
    sheet = Image.new("L", (560, 280), 255)
    sheet.paste(picture(DIGITS[7]), (0, 0))
    sheet.paste(picture(DIGITS[4]), (280, 0))
    app.post("/read", encoded(sheet), headers={"Content-Type": "image/png"})
    assert figure(app, "digit_size_count", release=reader.release.name) == 2


def test_what_is_shed_is_counted_though_it_never_came_here(
    settings: Settings, tmp_path: Path
) -> None:
    work = Load()
    metrics = Metrics(replace(settings, metrics=tmp_path), work)
    for _ in range(3):
        work.shed_one(QUEUE)
    metrics.refresh("a")
    metrics.refresh("a")
    assert metrics.counts.totals()["a"][metrics.counts.index[f"shed {QUEUE}"]] == 3


def test_a_worker_tells_of_all(
    compose: Callable[..., Api], reader: Reader, settings: Settings, tmp_path: Path
) -> None:
    one, other = (compose(reader, replace(settings, metrics=tmp_path)) for _ in range(2))
    one.predict(SEVEN)
    other.predict(SEVEN)
    labels = {"operation": "predict", "status": "200", "release": reader.release.name}
    for app in (one, other):
        assert figure(app, "requests_total", **labels) == 2


COUNT = """
import sys
from pathlib import Path
from mnist_api.counts import Counts
counts = Counts(("one", "two", "now"), Path(sys.argv[1]), ("now",))
counts.row("a")[:] += (1, 0, 5)
print(sum(row[0] for row in counts.totals().values()), flush=True)
"""


def test_no_sum_falls_when_a_worker_is_replaced(tmp_path: Path) -> None:
    def worker() -> float:
        command = [sys.executable, "-c", COUNT, str(tmp_path)]
        return float(subprocess.check_output(command, cwd=HOUSE, text=True))

    assert [worker() for _ in range(3)] == [1, 2, 3]
    mine = Counts(NAMES, tmp_path, ("now",))
    assert mine.totals()["a"].tolist() == [3, 0, 5], "the number is mine now, not yet the row"
    mine.row("a")
    assert mine.totals()["a"].tolist() == [3, 0, 0], "what was true of the dead is not of me"
    files = {file.name for file in tmp_path.iterdir()}
    assert len(files) == 2, "one row and one lock, whoever has counted"


def test_gauges_of_a_dead_worker_do_not_count(tmp_path: Path) -> None:
    mine = Counts(NAMES, tmp_path, ("now",))
    command = [sys.executable, "-c", COUNT, str(tmp_path)]
    subprocess.run(command, cwd=HOUSE, check=True, stdout=subprocess.DEVNULL)
    assert mine.totals()["a"].tolist() == [1, 0, 0]


def test_rows_of_another_version_are_left_alone_and_old_releases_go(tmp_path: Path) -> None:
    (tmp_path / "0.a.00000000").write_bytes(bytes(8))
    (tmp_path / "7.a.00000000").write_bytes(bytes(8))
    counts = Counts(NAMES, tmp_path)
    for number in range(3 * MOST_RELEASES):
        counts.row(f"release-{number}")[0] += 1
    assert not (tmp_path / "0.a.00000000").exists()
    assert (tmp_path / "7.a.00000000").exists()
    assert len(list(tmp_path.glob("0.release-*"))) <= MOST_RELEASES + 1


def test_a_directory_that_cannot_be_written_to_is_named(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="MNIST_API_METRICS="):
        Metrics(replace(settings, metrics=tmp_path / "missing"), Load())


def test_the_reference_is_what_the_training_pictures_give() -> None:
    # Every 19th, not every 20th: MNIST's writers follow each other in a regular way.
    pictures = load().train_pictures[::19]
    seen = [reference.measure(one) for one in pictures]
    for name in ("ink", "size"):
        found = reference.shares(name, [one[name] for one in seen])
        assert np.abs(np.array(found) - reference.SHARES[name]).max() < 0.02


def test_no_ink_has_no_size() -> None:
    assert reference.measure(np.zeros((28, 28), np.uint8)) == {"ink": 0.0, "size": 0.0}
