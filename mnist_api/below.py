"""Answers below a path, too, as a proxy that hands requests on unchanged asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def below(path: str, application: Application) -> Application:
    """Return the application with `path` (such as /api, or empty) taken off where it is there."""
    if not path:
        return application

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked = environ["PATH_INFO"]
        if asked.startswith(f"{path}/"):
            environ["PATH_INFO"] = asked[len(path) :]
        return application(environ, start_response)

    return answer
