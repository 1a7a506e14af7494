"""One line of JSON on stdout for every event; what was drawn is never in it."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Callable
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.tweens import EXCVIEW

LONGEST_PATH = 200
REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
"""What a proxy may send as X-Request-Id; anything else is replaced, not logged."""
ROUTINE = {("healthz", 200), ("readyz", 200)}
"""Operations and statuses that are logged at level debug: every proxy asks every few seconds."""

log = logging.getLogger(__name__)

Handler = Callable[[Request], Response]


class JsonLines(logging.Formatter):
    """Formats a record, and the dict it may carry as `fields`, as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Write time (UTC), level, logger and message first."""
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{seconds}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure(level: int = logging.INFO) -> None:
    """Send all logging and all warnings of the process to stdout as JSON lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    # Waitress warns of every request that has to wait a moment for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)


def includeme(config: Configurator) -> None:
    """Give every request one line in the log."""
    config.add_tween(f"{__name__}.request_logger", over=EXCVIEW)


def request_logger(handler: Handler, _: Any) -> Handler:
    """Log each request when its answer is ready, and name its id in the answer."""

    def logged(request: Request) -> Response:
        response = handler(request)
        response.headers["X-Request-Id"] = request.id
        name = request.operation.name if request.operation else None
        level = logging.DEBUG if (name, response.status_code) in ROUTINE else logging.INFO
        if log.isEnabledFor(level):
            fields = {
                "request": request.id,
                "method": request.method,
                "path": request.environ["PATH_INFO"][:LONGEST_PATH],
                "status": response.status_code,
                "bytes": request.content_length or 0,
                "milliseconds": round((time.perf_counter() - request.began) * 1000, 2),
            }
            log.log(level, "request", extra={"fields": fields})
        return response

    return logged
