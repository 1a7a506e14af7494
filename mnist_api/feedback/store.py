"""A bounded store of drawings in one SQLite file that several processes share.

Nothing in it says who sent what: a client is a keyed hash of an address, the key is made anew each
day (UTC) and the old one deleted, so that nobody can tell afterwards whose a hash was.
"""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

FILE = "feedback.sqlite"
UNDO_SECONDS = 3600
A_DAY = 86_400
BUSY_SECONDS = 2.0
"""How long one process waits for another that writes."""

TABLES = """
CREATE TABLE IF NOT EXISTS drawings (
    id TEXT PRIMARY KEY, undo BLOB NOT NULL, created INTEGER NOT NULL, kind TEXT NOT NULL,
    said TEXT NOT NULL, label TEXT NOT NULL, release TEXT NOT NULL, client TEXT NOT NULL,
    picture BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (day INTEGER PRIMARY KEY, key BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS clients (
    client TEXT PRIMARY KEY, sent INTEGER NOT NULL
) WITHOUT ROWID;
"""


class FullError(Exception):
    """There is no room for more. name, most: the limit that was met."""

    def __init__(self, name: str, most: int) -> None:
        """Name the limit."""
        super().__init__(f"the store has its {most} {name}")
        self.name = name
        self.most = most


class TooManyError(Exception):
    """A client has sent as much as it may today. seconds: until it may again."""

    def __init__(self, most: int, seconds: int) -> None:
        """Say how long to wait."""
        super().__init__(f"the client has sent {most} today")
        self.most = most
        self.seconds = seconds


@dataclasses.dataclass(frozen=True)
class Drawing:
    """What is kept: a PNG of the ink, black on white, and what was said about it."""

    kind: str
    said: str
    right: str
    release: str
    picture: bytes


@dataclasses.dataclass(frozen=True)
class Kept(Drawing):
    """A drawing in the store. created: seconds since 1970, UTC; client: a hash, see above."""

    id: str
    created: int
    client: str


@dataclasses.dataclass(frozen=True)
class Store:
    """The store in a directory, with its limits: drawings, bytes of pictures, a client's a day."""

    directory: Path
    most_drawings: int = 10_000
    most_bytes: int = 64 * 2**20
    most_per_client: int = 50

    def check(self, address: str) -> None:
        """Raise FullError or TooManyError if nothing of a client would be kept now."""
        with self._open() as connection:
            self._check(connection, self._client(connection, address), 0)

    def add(self, drawing: Drawing, address: str) -> tuple[str, str]:
        """Keep a drawing; return its id and the token that takes it back.

        Raises FullError, TooManyError, sqlite3.Error.
        """
        name, token = secrets.token_hex(8), secrets.token_hex(16)
        with self._open() as connection:
            client = self._client(connection, address)
            self._check(connection, client, len(drawing.picture))
            connection.execute(
                "INSERT INTO drawings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    name,
                    _hash(token),
                    int(time.time()),
                    drawing.kind,
                    drawing.said,
                    drawing.right,
                    drawing.release,
                    client,
                    drawing.picture,
                ),
            )
            connection.execute(
                "INSERT INTO clients VALUES (?, 1) ON CONFLICT DO UPDATE SET sent = sent + 1",
                (client,),
            )
        return name, token

    def undo(self, name: str, token: str) -> bool:
        """Forget a drawing; say whether there was such a one with this token, not too long ago."""
        with self._open() as connection:
            found = connection.execute(
                "DELETE FROM drawings WHERE id = ? AND undo = ? AND created >= ?",
                (name, _hash(token), int(time.time()) - UNDO_SECONDS),
            )
            return found.rowcount == 1

    def all(self) -> Iterator[Kept]:
        """Give everything that is kept, oldest first; others may write meanwhile."""
        with self._open("BEGIN") as connection:
            rows = connection.execute(
                "SELECT kind, said, label, release, picture, id, created, client FROM drawings "
                "ORDER BY created, id"
            )
            for row in rows:
                yield Kept(*row)

    def forget(self, names: list[str]) -> None:
        """Delete drawings, and give their room back."""
        with self._open() as connection:
            connection.executemany("DELETE FROM drawings WHERE id = ?", [(one,) for one in names])
        with closing(self._connect()) as connection:
            connection.execute("VACUUM")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.directory / FILE, timeout=BUSY_SECONDS, isolation_level=None
        )
        # Readers do not stop the writer. A power cut may cost the last drawings, never the file.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")
        return connection

    @contextmanager
    def _open(self, begin: str = "BEGIN IMMEDIATE") -> Iterator[sqlite3.Connection]:
        """Give a connection in a transaction, as the only writer; rare enough to open each time."""
        with closing(self._connect()) as connection:
            connection.executescript(TABLES)
            connection.execute(begin)
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _client(self, connection: sqlite3.Connection, address: str) -> str:
        day = int(time.time()) // A_DAY
        row = connection.execute("SELECT key FROM keys WHERE day = ?", (day,)).fetchone()
        if row is None:
            row = (secrets.token_bytes(32),)
            connection.execute("DELETE FROM keys")
            connection.execute("DELETE FROM clients")
            connection.execute("INSERT INTO keys VALUES (?, ?)", (day, *row))
        return hashlib.blake2b(address.encode(), key=row[0], digest_size=8).hexdigest()

    def _check(self, connection: sqlite3.Connection, client: str, more: int) -> None:
        row = connection.execute("SELECT sent FROM clients WHERE client = ?", (client,)).fetchone()
        if row and row[0] >= self.most_per_client:
            raise TooManyError(self.most_per_client, A_DAY - int(time.time()) % A_DAY)
        count, size = connection.execute(
            "SELECT count(*), coalesce(sum(length(picture)), 0) FROM drawings"
        ).fetchone()
        if count >= self.most_drawings:
            raise FullError("feedback-drawings", self.most_drawings)
        if size + more > self.most_bytes:
            raise FullError("feedback-bytes", self.most_bytes)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
