from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mnist_api.settings import Address, Settings, SettingsError
from tests.api.process import HOUSE, environment
from tests.api.releases import another, damage


def read(release: Path, **values: str) -> Settings:
    given = {f"MNIST_API_{name}": value for name, value in values.items()}
    return Settings.from_environment({"MNIST_API_RELEASE": str(release), "HOME": "/", **given})


def test_has_a_default_for_everything_but_the_release(tmp_path: Path) -> None:
    assert read(tmp_path) == Settings(tmp_path)
    assert read(tmp_path).listen == Address("127.0.0.1", 5000)


def test_takes_what_is_given(tmp_path: Path) -> None:
    settings = read(tmp_path, LISTEN="[::1]:80", THREADS="2", MAX_BODY_BYTES="4096")
    assert settings.listen == Address("::1", 80)
    assert str(settings.listen) == "[::1]:80"
    assert (settings.threads, settings.max_body_bytes) == (2, 4096)


def test_takes_lists_and_places(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        FEEDBACK=str(tmp_path),
        METRICS="",
        TRUSTED_PROXIES="10.0.0.0/8, 2001:db8::1",
        CORS_ORIGINS="https://example.org,http://localhost:3000",
    )
    assert (settings.feedback, settings.metrics) == (tmp_path, None)
    assert [str(one) for one in settings.trusted_proxies] == ["10.0.0.0/8", "2001:db8::1/128"]
    assert settings.cors_origins == ("https://example.org", "http://localhost:3000")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RELEASE", "", "is not set"),
        ("RELEASE", "/no/such/place", "is no directory"),
        ("LISTEN", "5000", "write host:port"),
        ("LISTEN", "localhost:http", "write host:port"),
        ("LISTEN", "127.0.0.1:70000", "write host:port"),
        ("LISTEN", "::1:80", "write host:port"),
        ("THREADS", "0", "from 1 to 64"),
        ("THREADS", "four", "from 1 to 64"),
        ("MAX_BODY_BYTES", "1 MiB", "from 1024 to"),
        ("MAX_BODY_BYTES", "-1", "from 1024 to"),
        ("MAX_PIXELS", "1e6", "from 784 to"),
        ("REQUESTS_PER_SECOND", "many", "from 0 to 100000"),
        ("REQUESTS_AT_ONCE", "0", "from 1 to"),
        ("DRAIN_SECONDS", "", "from 1 to 300"),
        ("THREAD", "4", "MNIST_API_THREADS"),
        ("METRICS", "/no/such/place", "is no directory that can be written to"),
        ("FEEDBACK", "/no/such/place", "is no directory that can be written to"),
        ("FEEDBACK_DRAWINGS", "0", "from 1 to"),
        ("FEEDBACK_BYTES", "1", "from 1048576 to"),
        ("FEEDBACK_PER_CLIENT", "-1", "from 1 to"),
        ("TRUSTED_PROXIES", "the frontend", "write networks with commas"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "has host bits set"),
        ("PATH", "api", "write a path, as in /api"),
        ("PATH", "/api/", "write a path, as in /api"),
        ("CORS_ORIGINS", "*", "is no origin"),
        ("CORS_ORIGINS", "https://example.org/", "is no origin"),
        ("CORS_ORIGINS", "https://example.org,example.com", "example.com is no origin"),
    ],
)
def test_a_wrong_value_is_named_with_what_works(
    tmp_path: Path, name: str, value: str, said: str
) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        read(tmp_path, **{name: value})
    sentence = str(caught.value)
    assert f"MNIST_API_{name}" in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def refused(env: dict[str, str], *options: str) -> str:
    """Start a process that must refuse to, and return what it says."""
    command = [sys.executable, "-m", "mnist_api", *options]
    process = subprocess.run(
        command, cwd=HOUSE, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert process.returncode == 78, process.stderr
    assert process.stdout == ""
    [*_, said] = process.stderr.splitlines()
    return said


def test_the_process_says_one_sentence_and_ends_with_78(tmp_path: Path) -> None:
    said = refused(environment(tmp_path, THREADS="many"))
    assert said == (
        "mnist_api: MNIST_API_THREADS=many does not work; give it a whole number from 1 to 64."
    )


def test_a_release_that_does_not_verify_is_not_served(release: Path, tmp_path: Path) -> None:
    copy = another(release, tmp_path, "2026-01-01T00:00:00Z")
    model = damage(copy)
    said = refused(environment(copy, LISTEN="127.0.0.1:0"))
    assert "cannot be used" in said
    assert model.name in said


def test_a_busy_address_is_named(release: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        address = f"127.0.0.1:{busy.getsockname()[1]}"
        said = refused(environment(release, LISTEN=address))
    assert said.startswith(f"mnist_api: Cannot listen at {address}: Address already in use; stop ")


def test_the_demo_without_its_page_says_so(release: Path, tmp_path: Path) -> None:
    said = refused(environment(release), "--demo", "--site", str(tmp_path))
    assert "holds no index.html" in said
