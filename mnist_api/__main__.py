"""`python -m mnist_api`: serve a release; with --demo, the page as well."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from mnist_api.demo import run_demo
from mnist_api.serve import serve
from mnist_api.settings import Settings, SettingsError

EX_CONFIG = 78
"""The exit status of a wrong setting (sysexits.h)."""
EX_INTERRUPTED = 130


def main() -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m mnist_api",
        description="Serve a release over HTTP; the settings are environment variables, see "
        "mnist_api/settings.py.",
    )
    parser.add_argument(
        "--demo", action="store_true", help="serve the page too, on http://127.0.0.1:8000/"
    )
    parser.add_argument("--site", type=Path, help="the page's directory (demo)")
    parser.add_argument("--release", type=Path, help="the release to serve (demo)")
    args = parser.parse_args()
    try:
        if args.demo:
            return run_demo(args.site, args.release)
        return serve(Settings.from_environment(os.environ))
    except SettingsError as error:
        print(f"mnist_api: {error}", file=sys.stderr)
        return EX_CONFIG
    except KeyboardInterrupt:
        return EX_INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
