"""An answer in the form that its client prefers: JSON, plain text, or a page for people."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from typing import Any

from pyramid.request import Request
from pyramid.response import Response

JSON, TEXT, HTML = "application/json", "text/plain", "text/html"

STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { margin: 2rem auto; max-width: 40rem; padding: 0 1rem }
output { display: block; font-size: 6rem; line-height: 1.2 }
img { image-rendering: pixelated; width: 112px }
"""
POLICY = (
    "default-src 'none'; img-src data:; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing is loaded and nothing runs; the page's own style is known by its hash."""


def preferred(request: Request, bare: bool = False) -> str:
    """Return the media type of the answer that a client prefers, by its Accept header.

    bare: whether the body was a bare data URL; then plain text stands before JSON, unless JSON is
    named. Where nothing that there is would do, the first choice is sent all the same.
    """
    header = request.environ.get("HTTP_ACCEPT", "")
    names_json = JSON in header or "application/*" in header
    first = TEXT if bare and not names_json else JSON
    if header in ("", "*/*", JSON):
        return first
    offers = [first, *(kind for kind in (JSON, TEXT, HTML) if kind != first)]
    found = request.accept.acceptable_offers(offers)
    return str(found[0][0]) if found else first


def json_answer(content: dict[str, Any], status: int = 200) -> Response:
    """Write content as JSON, without spaces."""
    body = json.dumps(content, separators=(",", ":")).encode()
    return Response(body=body, status=status, content_type=JSON)


def reading(request: Request, text: str, content: dict[str, Any], bare: bool) -> Response:
    """Answer with what was read. text: it alone; content: everything about it."""
    kind = preferred(request, bare)
    if kind == TEXT:
        return Response(body=text.encode(), content_type=TEXT, charset="utf-8")
    if kind == HTML:
        sure = "This is" if content["certain"] else "This may be"
        said = f"{sure} {text}, with a confidence of {content['confidence']:.1%}."
        return page("What was read", f"<output>{text}</output>\n<p>{said}</p>\n{_shown(content)}")
    return json_answer(content)


def page(title: str, main: str, status: int = 200, style: str = STYLE) -> Response:
    """Return a page without scripts that loads nothing. main: HTML; title: text."""
    name = html.escape(title)
    body = (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{name}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{style}</style>\n<main>\n<h1>{name}</h1>\n{main}\n</main>\n</html>\n"
    )
    response = Response(body=body.encode(), status=status, content_type=HTML, charset="utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    return response


def problem_page(status: int, title: str, detail: str) -> Response:
    """Say to a person why a picture was not read."""
    main = f"<p>{html.escape(detail)}</p>\n<p>Go back, and try again.</p>"
    return page(title, main, status)


def _shown(content: dict[str, Any]) -> str:
    digits = content.get("digits", [content])
    shown = [one["normalised"] for one in digits if "normalised" in one]
    images = (f'<img src="{url}" alt="A digit as the network saw it">' for url in shown)
    return f"<p>{' '.join(images)}</p>" if shown else ""
