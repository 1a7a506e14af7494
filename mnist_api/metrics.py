"""Figures for Prometheus: what is asked and answered, and whether the drawings still look as those
that the network learnt from.

Written here, not by prometheus_client: that takes 10 MiB of each worker and leaves files behind
for every process that ever ran. What is counted is fixed, so a row of numbers will do (counts.py).
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.tweens import EXCVIEW

from mnist_api import contract, reference
from mnist_api.contract import Operation
from mnist_api.counts import Counts, Row
from mnist_api.load import REASONS, Load
from mnist_api.reader import Seen
from mnist_api.settings import Settings, SettingsError

MEDIA_TYPE = "text/plain"
STATUSES = (200, 201, 204, 400, 404, 405, 408, 411, 413, 415, 422, 429, 431, 500, 503)
OTHER = "other"
NOWHERE = "none"
"""The operation of a request to an address that is not in the contract."""
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
TIMED = ("predict", "predictAsInTheTutorial", "read", "giveFeedback")
"""Operations whose time is measured: those that do work."""

GAUGES = ("in flight", "waiting")

Handler = Callable[[Request], Response]


class Histogram(NamedTuple):
    """A histogram in a row: its name, the upper bounds of its buckets, and where it begins."""

    name: str
    bounds: Sequence[float]

    def places(self) -> list[str]:
        """Return the names of its numbers: the buckets, one above all bounds, and the sum."""
        return [f"{self.name}|{bound}" for bound in (*self.bounds, "+Inf", "sum")]

    def add(self, row: Row, start: int, value: float) -> None:
        """Count a value, in a row where this histogram begins at `start`."""
        row[start + bisect_left(self.bounds, value)] += 1
        row[start + len(self.bounds) + 1] += value


DRAWN = {
    measure: Histogram(f"drawn {measure}", bounds) for measure, bounds in reference.BOUNDS.items()
}
TIMES = {name: Histogram(f"seconds {name}", SECONDS) for name in TIMED}


def _names() -> list[str]:
    operations = [*(one.name for one in contract.operations()), NOWHERE]
    return [
        *(f"requests {name} {status}" for name in operations for status in (*STATUSES, OTHER)),
        *(place for one in (*TIMES.values(), *DRAWN.values()) for place in one.places()),
        *GAUGES,
        *(f"shed {reason}" for reason in REASONS),
        *("certain yes", "certain no"),
    ]


class Metrics:
    """Counts what one process does; may be shared between threads."""

    def __init__(self, settings: Settings, load: Load) -> None:
        """Begin to count. Raises SettingsError when the directory for it does not work."""
        try:
            self.counts = Counts(_names(), settings.metrics, GAUGES)
        except OSError as error:
            raise SettingsError(
                f"MNIST_API_METRICS={settings.metrics} cannot be written to: {error.strerror}; "
                "give it a directory that only the API's workers use."
            ) from error
        self._load = load
        self._shed = dict.fromkeys(REASONS, 0)
        self._in_flight = 0
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Count a request that is being worked on."""
        with self._lock:
            self._in_flight += 1

    def end(
        self, release: str, operation: str, status: int, seconds: float, seen: Seen | None
    ) -> None:
        """Count a request that is answered."""
        index = self.counts.index
        with self._lock:
            self._in_flight -= 1
            row = self.counts.row(release)
            code = status if status in STATUSES else OTHER
            row[index[f"requests {operation} {code}"]] += 1
            if operation in TIMES:
                one = TIMES[operation]
                one.add(row, index[f"{one.name}|{SECONDS[0]}"], seconds)
            if seen is not None:
                self._count_drawing(row, seen)
            self._publish(row)

    def refresh(self, release: str) -> None:
        """Write down what changes without a request that reaches the application."""
        with self._lock:
            self._publish(self.counts.row(release))

    def _publish(self, row: Row) -> None:
        index = self.counts.index
        row[index["in flight"]] = self._in_flight
        row[index["waiting"]] = self._load.waiting
        for reason in REASONS:
            if more := self._load.shed[reason] - self._shed[reason]:
                row[index[f"shed {reason}"]] += more
                self._shed[reason] += more

    def _count_drawing(self, row: Row, seen: Seen) -> None:
        row[self.counts.index[f"certain {'yes' if seen.content['certain'] else 'no'}"]] += 1
        for picture, confidence in zip(seen.pictures, seen.confidences, strict=True):
            values = {**reference.measure(picture), "confidence": confidence}
            for name, value in values.items():
                one = DRAWN[name]
                one.add(row, self.counts.index[f"{one.name}|{one.bounds[0]}"], value)


def includeme(config: Configurator) -> None:
    """Count every request."""
    registry = config.registry
    registry[Metrics] = Metrics(registry[Settings], registry[Load])
    config.add_tween(f"{__name__}.counter", over=EXCVIEW)


def counter(handler: Handler, registry: Any) -> Handler:
    """Count each request when its answer is ready."""
    metrics: Metrics = registry[Metrics]

    def counted(request: Request) -> Response:
        metrics.begin()
        status = 500
        try:
            response = handler(request)
            status = response.status_code
        finally:
            name = request.operation.name if request.operation else NOWHERE
            seconds = time.perf_counter() - request.began
            metrics.end(request.reader.release.name, name, status, seconds, request.seen)
        return response

    return counted


def show(request: Request, _: Operation, __: dict[str, Any]) -> Response:
    """Answer with all figures of all workers."""
    metrics: Metrics = request.registry[Metrics]
    metrics.refresh(request.reader.release.name)
    body = "\n".join(_lines(metrics.counts, request.reader.release.name)) + "\n"
    response = Response(body=body.encode(), content_type=MEDIA_TYPE, charset="utf-8")
    response.headers["Content-Type"] = f"{MEDIA_TYPE}; version=0.0.4; charset=utf-8"
    return response


def _lines(counts: Counts, current: str) -> Iterator[str]:
    totals, index = counts.totals(), counts.index
    yield from _head("release_info", "gauge", "The release that answers, in the worker asked.")
    yield f'mnist_api_release_info{{release="{current}"}} 1'
    yield from _head("requests_total", "counter", "Requests answered, by operation and status.")
    for release, row in totals.items():
        for name, place in index.items():
            if name.startswith("requests ") and row[place]:
                _, operation, status = name.split()
                labels = f'operation="{operation}",status="{status}",release="{release}"'
                yield f"mnist_api_requests_total{{{labels}}} {row[place]:.0f}"
    everything = sum(totals.values(), np.zeros(len(index)))
    yield from _head("in_flight", "gauge", "Requests being worked on.")
    yield f"mnist_api_in_flight {everything[index['in flight']]:.0f}"
    yield from _head("waiting", "gauge", "Requests that wait for a thread.")
    yield f"mnist_api_waiting {everything[index['waiting']]:.0f}"
    yield from _head("shed_total", "counter", "Requests not taken on, by reason.")
    for reason in REASONS:
        yield f'mnist_api_shed_total{{reason="{reason}"}} {everything[index[f"shed {reason}"]]:.0f}'
    yield from _head("answers_total", "counter", "Pictures read, by whether it is certain.")
    for release, row in totals.items():
        for certain in ("yes", "no"):
            labels = f'certain="{certain}",release="{release}"'
            yield f"mnist_api_answers_total{{{labels}}} {row[index[f'certain {certain}']]:.0f}"
    yield from _head("request_seconds", "histogram", "Time that the work on a request took.")
    for name, one in TIMES.items():
        for release, row in totals.items():
            labels = f'operation="{name}",release="{release}"'
            yield from _histogram("request_seconds", one, row, index, labels)
    for measure, one in DRAWN.items():
        yield from _head(f"digit_{measure}", "histogram", reference.MEANING[measure])
        for release, row in totals.items():
            yield from _histogram(f"digit_{measure}", one, row, index, f'release="{release}"')
    yield from _head("reference_share", "gauge", "Share of MNIST's digits up to a bound.")
    for measure, shares in reference.SHARES.items():
        for bound, share in zip(reference.BOUNDS[measure], shares, strict=True):
            yield f'mnist_api_reference_share{{measure="{measure}",le="{bound}"}} {share}'


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP mnist_api_{name} {text}"
    yield f"# TYPE mnist_api_{name} {kind}"


def _histogram(
    name: str, one: Histogram, row: Row, index: dict[str, int], labels: str
) -> Iterator[str]:
    start = index[f"{one.name}|{one.bounds[0]}"]
    below = np.cumsum(row[start : start + len(one.bounds) + 1])
    if not below[-1]:
        return
    for bound, count in zip((*one.bounds, "+Inf"), below, strict=True):
        yield f'mnist_api_{name}_bucket{{{labels},le="{bound}"}} {count:.0f}'
    yield f"mnist_api_{name}_sum{{{labels}}} {row[start + len(one.bounds) + 1]:.6g}"
    yield f"mnist_api_{name}_count{{{labels}}} {below[-1]:.0f}"
