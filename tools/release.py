"""Make a release of this project: python -m tools.release VERSION.

Moves what CHANGELOG.md has under Unreleased into a section of its own, writes the version into
pyproject.toml, commits both and tags the commit. Pushes nothing.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

NUMBERS = re.compile(r"(\d+)\.(\d+)\.(\d+)")
VERSION_LINE = re.compile(r'^version = "([^"]+)"$', re.MULTILINE)
UNRELEASED = re.compile(r"^## \[Unreleased\]\n(.*?)(?=^## \[|\Z)", re.MULTILINE | re.DOTALL)


class CannotReleaseError(Exception):
    """What stands against a release, in words for its maker."""


def parts(version: str) -> tuple[int, ...]:
    """Split MAJOR.MINOR.PATCH into its numbers."""
    found = NUMBERS.fullmatch(version)
    if not found:
        raise CannotReleaseError(f"'{version}' is no version: MAJOR.MINOR.PATCH, such as 1.2.0.")
    return tuple(map(int, found.groups()))


def with_version(project: str, version: str) -> str:
    """Put the version into pyproject.toml's text; it must be newer than the one that is there."""
    found = VERSION_LINE.findall(project)
    if len(found) != 1:
        raise CannotReleaseError('pyproject.toml needs one line: version = "MAJOR.MINOR.PATCH"')
    if parts(version) <= parts(found[0]):
        raise CannotReleaseError(f"{version} is not newer than pyproject.toml's {found[0]}.")
    return VERSION_LINE.sub(f'version = "{version}"', project)


def with_section(changelog: str, version: str, date: str) -> str:
    """Move what is under Unreleased into the version's own section."""
    found = UNRELEASED.search(changelog)
    if not found or not re.search(r"^- ", found[1], re.MULTILINE):
        raise CannotReleaseError("CHANGELOG.md has nothing under [Unreleased]: nothing to release.")
    moved = f"## [Unreleased]\n\n## [{version}] - {date}\n\n{found[1].strip()}\n\n"
    return changelog[: found.start()] + (moved + changelog[found.end() :]).rstrip() + "\n"


def git(root: Path, *arguments: str) -> str:
    """Run git and return what it prints."""
    done = subprocess.run(
        ["git", *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotReleaseError(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def release(root: Path, version: str, date: str) -> str:
    """Commit and tag; return the tag. Nothing is written if anything stands against it."""
    tag = f"v{version}"
    parts(version)
    if changes := git(root, "status", "--porcelain"):
        raise CannotReleaseError(f"There are changes that are not committed:\n{changes}")
    if git(root, "tag", "--list", tag):
        raise CannotReleaseError(f"The tag {tag} is there already.")
    project, changelog = root / "pyproject.toml", root / "CHANGELOG.md"
    written = {
        project: with_version(project.read_text(encoding="utf-8"), version),
        changelog: with_section(changelog.read_text(encoding="utf-8"), version, date),
    }
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
    git(root, "commit", "--quiet", "--message", f"Release {version}", "--", *map(str, written))
    git(root, "tag", "--annotate", tag, "--message", f"Release {version}")
    return tag


def main(arguments: list[str]) -> int:
    """Release the repository that this file is in."""
    try:
        if len(arguments) != 1 or not arguments[0]:
            raise CannotReleaseError("Which version? make release VERSION=MAJOR.MINOR.PATCH")
        root = Path(__file__).resolve().parents[1]
        tag = release(root, arguments[0], datetime.now(UTC).date().isoformat())
    except CannotReleaseError as reason:
        print(f"release: {reason}", file=sys.stderr)
        return 1
    print(f"{tag} is committed and tagged here. To publish it: git push origin HEAD {tag}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
