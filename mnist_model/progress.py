"""A progress bar on the terminal; nothing where nobody watches."""

import sys
from typing import TextIO

WIDTH = 30


class Bar:
    """One line on standard error that is drawn over itself; silent when that is no terminal."""

    def __init__(self, title: str, total: int, stream: TextIO | None = None) -> None:
        """Begin a bar of `total` steps, above 0."""
        self._title = title
        self._total = total
        self._stream = stream or sys.stderr
        self._shown = -1
        self._watched = self._stream.isatty()

    def show(self, done: int, note: str = "") -> None:
        """Say that so many steps are done, with a few words behind the bar."""
        percent = 100 * min(done, self._total) // self._total
        if not self._watched or percent == self._shown:
            return
        self._shown = percent
        full = WIDTH * percent // 100
        bar = "█" * full + "░" * (WIDTH - full)
        self._stream.write(f"\r\x1b[K{self._title} {bar} {percent:3}% {note}")
        self._stream.flush()

    def clear(self) -> None:
        """Take the bar away, so that ordinary lines can follow."""
        if self._watched and self._shown >= 0:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
