"""The page's files, as the demo serves them; on the frontend Apache does."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from mnist_api.problems import Problem

MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""What is served, by the end of its name, and as what; nothing else is."""

HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""As roles/frontend has them: nothing from anywhere else, nothing inline, nothing unchecked."""

LEAST_COMPRESSED = 512
"""Bytes from which on a text is worth compressing."""


def add_pages(config: Configurator, site: Path) -> None:
    """Serve the files of a directory, as they are at the time, below every other address."""
    root = site.resolve()

    def page(request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            detail = "A file answers GET, HEAD only; ask again with that method."
            raise Problem(405, detail, headers={"Allow": "GET, HEAD"})
        file = _find(root, request.matchdict["path"] or "index.html")
        content = file.read_bytes()
        media_type = MEDIA_TYPES[file.suffix]
        response = Response(body=content, content_type=media_type)
        worth_it = _is_text(media_type) and len(content) >= LEAST_COMPRESSED
        if worth_it and "gzip" in request.accept_encoding:
            response.encode_content("gzip")
        response.etag = hashlib.sha256(content).hexdigest()[:16]
        response.conditional_response = True
        response.headers.update(HEADERS)
        return response

    config.add_route("page", "/{path:.*}")
    config.add_view(page, route_name="page")


def _is_text(media_type: str) -> bool:
    return media_type.startswith("text/") or media_type.endswith(("json", "+xml"))


def _find(root: Path, path: str) -> Path:
    nothing = Problem(404, "There is no such file; the page is at /.")
    if not path.isprintable() or any(part.startswith(".") for part in path.split("/")):
        raise nothing
    try:
        file = (root / path).resolve(strict=True)
    except OSError:
        raise nothing from None
    if not file.is_relative_to(root) or file.suffix not in MEDIA_TYPES or not file.is_file():
        raise nothing
    return file
