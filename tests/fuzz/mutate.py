"""Spoils pictures, the same way for the same seed and number.

Blind changes are most of it. But a PNG's checksums and its compression hide nearly everything from
blind changes, so those of a PNG are mostly made inside: chunks, and what is compressed in them, are
changed, and the checksums made right again.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable

from tests.fuzz.corpus import chunk, corpus

EDGES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Numbers at which sizes and counts go wrong."""
MOST_CHANGES = 6
LONGEST = 64
"""Bytes that one change moves, at most."""
MAGIC = b"\x89PNG\r\n\x1a\n"

Mutation = Callable[[random.Random, bytearray], None]


def mutant(seed: int, number: int) -> tuple[str, bytes]:
    """Return a declared media type and a spoilt picture."""
    source = random.Random(f"{seed}:{number}")  # noqa: S311 - it must be the same again
    name = source.choice(sorted(corpus()))
    media_type, content = corpus()[name]
    if content.startswith(MAGIC) and source.random() < 3 / 4:
        content = _inside_png(source, content)
    else:
        content = _spoilt(source, content)
    if source.random() < 1 / 20:
        media_type = source.choice(["image/png", "image/jpeg", "image/webp"])
    return media_type, content


def _spoilt(source: random.Random, content: bytes) -> bytes:
    body = bytearray(content)
    for _ in range(source.randint(1, MOST_CHANGES)):
        source.choice(MUTATIONS)(source, body)
    return bytes(body)


def _inside_png(source: random.Random, content: bytes) -> bytes:
    chunks = _chunks(content)
    for _ in range(source.randint(1, 3)):
        place = source.randrange(len(chunks))
        kind, data = chunks[place]
        what = source.randrange(6)
        if what == 0:
            del chunks[place]
        elif what == 1:
            chunks.insert(source.randrange(len(chunks) + 1), (kind, data))
        elif what == 2:
            chunks[place] = (_spoilt(source, kind)[:4].ljust(4, b"x"), data)
        elif kind in (b"IDAT", b"fdAT"):
            # What is compressed changes; the compression is whole.
            head = 4 * (kind == b"fdAT")
            try:
                raw = _spoilt(source, zlib.decompress(data[head:]))
            except zlib.error:
                raw = data
            chunks[place] = (kind, data[:head] + zlib.compress(raw, 1))
        else:
            chunks[place] = (kind, _spoilt(source, data or b"\0"))
        if not chunks:
            break
    return MAGIC + b"".join(chunk(kind, data) for kind, data in chunks)


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    found, position = [], len(MAGIC)
    while position < len(content):
        size, kind = struct.unpack_from(">I4s", content, position)
        found.append((kind, content[position + 8 : position + 8 + size]))
        position += 12 + size
    return found


def _piece(source: random.Random, body: bytearray) -> slice:
    start = source.randrange(len(body) + 1)
    return slice(start, start + source.randint(1, LONGEST))


def _flip(source: random.Random, body: bytearray) -> None:
    if body:
        body[source.randrange(len(body))] ^= 1 << source.randrange(8)


def _set(source: random.Random, body: bytearray) -> None:
    if body:
        body[source.randrange(len(body))] = source.randrange(256)


def _edge(source: random.Random, body: bytearray) -> None:
    size = source.choice((1, 2, 4))
    number = source.choice(EDGES) & (256**size - 1)
    start = source.randrange(max(1, len(body)))
    body[start : start + size] = number.to_bytes(size, source.choice(("big", "little")))


def _cut(source: random.Random, body: bytearray) -> None:
    del body[source.randrange(len(body) + 1) :]


def _remove(source: random.Random, body: bytearray) -> None:
    del body[_piece(source, body)]


def _repeat(source: random.Random, body: bytearray) -> None:
    piece = body[_piece(source, body)]
    start = source.randrange(len(body) + 1)
    body[start:start] = piece * source.randint(1, 8)


def _fill(source: random.Random, body: bytearray) -> None:
    piece = _piece(source, body)
    body[piece] = bytes([source.choice((0, 255, 0x80))]) * len(body[piece])


def _graft(source: random.Random, body: bytearray) -> None:
    other = source.choice(sorted(corpus()))
    piece = corpus()[other][1]
    start = source.randrange(len(piece))
    place = _piece(source, body)
    body[place] = piece[start : start + source.randint(1, 4 * LONGEST)]


MUTATIONS: tuple[Mutation, ...] = (
    _flip,
    _flip,
    _set,
    _set,
    _edge,
    _edge,
    _cut,
    _remove,
    _repeat,
    _fill,
    _graft,
)
