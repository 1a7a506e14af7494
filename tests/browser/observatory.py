"""The score that Mozilla's HTTP Observatory would give a site, from what the site answers.

The categories, what each gives or takes, and the grades are those that Mozilla publishes:
https://developer.mozilla.org/en-US/observatory/docs/tests_and_scoring and the tables of
https://github.com/mdn/mdn-http-observatory (src/grader/charts.js). Where a category tells more
cases apart than matter here, the worst that fits is taken: a score is never too high.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

Headers = dict[str, str]
"""By lower-case names."""

BASE = 100
EXTRA_CREDIT_FROM = 90
"""What gives points counts only when nothing, or nearly nothing, has cost any."""
SIX_MONTHS = 15_768_000
BROAD = ("'unsafe-inline'", "'unsafe-eval'", "data:", "http:", "https:", "*", "blob:")
GRADES = ((100, "A+"), (90, "A"), (85, "A-"), (80, "B+"), (70, "B"), (65, "B-"), (0, "C or worse"))


def modifiers(url: str, page: Headers, html: str, plain: tuple[int, Headers]) -> dict[str, int]:
    """Return what each category gives or takes.

    url: the page's, by TLS with a certificate that was verified. page, html: its answer there.
    plain: status and headers of the same page asked for without TLS.
    """
    csp = _directives(page.get("content-security-policy", ""))
    return {
        "content-security-policy": _csp(csp),
        "cookies": -40 if "set-cookie" in page else 0,
        "cross-origin-resource-sharing": -50 if "access-control-allow-origin" in page else 0,
        "redirection": _redirection(url, *plain),
        "referrer-policy": _referrer(page.get("referrer-policy")),
        "strict-transport-security": _hsts(page.get("strict-transport-security")),
        "subresource-integrity": _scripts(html),
        "x-content-type-options": 0 if page.get("x-content-type-options") == "nosniff" else -5,
        "x-frame-options": _frames(csp, page.get("x-frame-options")),
        "cross-origin-resource-policy": _corp(page.get("cross-origin-resource-policy")),
    }


def score(found: dict[str, int]) -> int:
    """Add up: first what costs points, then, from 90 points on, what gives some."""
    total = BASE + sum(value for value in found.values() if value < 0)
    if total >= EXTRA_CREDIT_FROM:
        total += sum(value for value in found.values() if value > 0)
    return max(total, 0)


def grade(points: int) -> str:
    """Return the grade of a score."""
    return next(name for least, name in GRADES if points >= least)


def _directives(policy: str) -> dict[str, list[str]]:
    parts = [part.split() for part in policy.split(";") if part.split()]
    return {name.lower(): sources for name, *sources in parts}


def _csp(csp: dict[str, list[str]]) -> int:
    if not csp:
        return -25
    fallback = csp.get("default-src", ["*"])
    for name in ("script-src", "object-src", "style-src"):
        sources = csp.get(name, fallback)
        if any(source in BROAD or source.startswith("http:") for source in sources):
            return -20
    own_forms = csp.get("form-action") in (["'self'"], ["'none'"])
    return 10 if fallback == ["'none'"] and own_forms else 5


def _redirection(url: str, status: int, headers: Headers) -> int:
    to = urlsplit(headers.get("location", ""))
    if status not in (301, 302, 303, 307, 308) or to.scheme != "https":
        return -20
    return 0 if to.hostname == urlsplit(url).hostname else -5


def _referrer(policy: str | None) -> int:
    if policy is None:
        return 0
    private = ("no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin")
    return 5 if policy in private else -5


def _hsts(policy: str | None) -> int:
    if not (
        match := re.fullmatch(r"max-age=(\d+)(; includeSubDomains)?(; preload)?", policy or "")
    ):
        return -20
    return 0 if int(match[1]) >= SIX_MONTHS else -10


def _frames(csp: dict[str, list[str]], options: str | None) -> int:
    if "frame-ancestors" in csp:
        return 5 if csp["frame-ancestors"] in (["'none'"], ["'self'"]) else -20
    return 0 if options in ("DENY", "SAMEORIGIN") else -20


def _corp(policy: str | None) -> int:
    if policy is None:
        return 0
    return {"same-origin": 10, "same-site": 10, "cross-origin": 0}.get(policy, -5)


class _Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.sources.append(dict(attrs).get("src") or "")


def _scripts(html: str) -> int:
    parser = _Scripts()
    parser.feed(html)
    elsewhere = [source for source in parser.sources if urlsplit(source).netloc]
    return -50 if elsewhere else 0
