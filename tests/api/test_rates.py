"""How often a client may ask: the buckets, and what a server does with them."""

from __future__ import annotations

import json
import multiprocessing
import time
from contextlib import closing
from ipaddress import ip_network
from pathlib import Path

import pytest

from mnist_api import rates
from mnist_api.load import RATE
from mnist_api.rates import Rates
from tests.api.contract import check_answer
from tests.api.test_serving_load import running

NOW = 1000.0


def allowed(buckets: Rates, client: str, count: int, now: float = NOW) -> int:
    return sum(buckets.wait(client, now) == 0 for _ in range(count))


def test_so_many_at_once_and_so_many_a_second() -> None:
    with closing(Rates(10, 50, None)) as buckets:
        assert allowed(buckets, "192.0.2.1", 80) == 50
        assert buckets.wait("192.0.2.1", NOW) == pytest.approx(0.1)
        assert allowed(buckets, "192.0.2.1", 80, NOW + 2) == 20
        assert allowed(buckets, "192.0.2.1", 80, NOW + 3600) == 50
        assert allowed(buckets, "192.0.2.2", 80) == 50, "another client"


def test_nobody_waits_for_a_damaged_bucket() -> None:
    with closing(Rates(10, 50, None)) as buckets:
        assert buckets.wait("192.0.2.1", NOW + 1e9) == 0
        assert allowed(buckets, "192.0.2.1", 80) == 50


def test_workers_share_the_buckets(tmp_path: Path) -> None:
    with closing(Rates(10, 50, tmp_path)) as one, closing(Rates(10, 50, tmp_path)) as other:
        assert allowed(one, "192.0.2.1", 30) == 30
        assert allowed(other, "192.0.2.1", 30) == 20
        assert allowed(one, "192.0.2.1", 1) == 0
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"192.0.2.1" not in file.read_bytes()


def ask_often(directory: Path) -> int:
    with closing(Rates(1, 1000, directory)) as buckets:
        return allowed(buckets, "192.0.2.1", 2000)


def test_not_one_too_many_when_workers_take_at_the_same_time(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert sum(pool.map(ask_often, [tmp_path] * 2)) == 1000


def test_the_one_with_the_fullest_bucket_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "SETS", 1)
    with closing(Rates(10, 50, None)) as buckets:
        for number in range(rates.WAYS):
            assert allowed(buckets, f"192.0.2.{number}", 10 + number) == 10 + number
        assert allowed(buckets, "198.51.100.1", 40) == 40
        assert allowed(buckets, "192.0.2.7", 80) == 50 - 17, "kept"
        assert allowed(buckets, "192.0.2.0", 80) == 50, "forgotten"


def test_a_server_says_429_and_when_to_come_again() -> None:
    with running(requests_per_second=1, requests_at_once=3) as run:
        answers = [run.get("/predict") for _ in range(5)]
        assert [answer.status for answer, _ in answers] == [200, 200, 200, 429, 429]
        refused, body = answers[-1]
        assert refused.headers["Retry-After"] == "1"
        check_answer("POST", "/predict", 429, str(refused.headers.get_content_type()), body)
        assert json.loads(body)["limit"] == {"name": "requests-per-second", "most": 1}
        assert run.load.shed[RATE] == 2
        assert run.door.asked == ["/predict"] * 3, "the others cost the application nothing"
        for path in ("/readyz", "/healthz", "/metrics"):
            assert {run.get(path)[0].status for _ in range(5)} == {200}
        time.sleep(1.1)
        assert run.get("/predict")[0].status == 200


def test_behind_a_proxy_each_of_its_clients_has_a_bucket() -> None:
    trusted = (ip_network("127.0.0.0/8"),)
    with running(requests_per_second=1, requests_at_once=2, trusted_proxies=trusted) as run:

        def ask(forwarded: str) -> int:
            with closing(run.connect()) as connection:
                connection.request("GET", "/", headers={"X-Forwarded-For": forwarded})
                return connection.getresponse().status

        assert [ask("192.0.2.1") for _ in range(3)] == [200, 200, 429]
        assert [ask("192.0.2.2") for _ in range(2)] == [200, 200]
        assert ask("192.0.2.3, 192.0.2.1") == 429, "what a client says of itself does not count"
