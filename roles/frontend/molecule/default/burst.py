#!/usr/bin/env python3
"""Asks at one moment over many kept connections: burst.py HOST. Fails if one is closed."""

import sys
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from threading import Barrier

CONNECTIONS = 200

together = Barrier(CONNECTIONS, timeout=30)


def ask(connection, path):
    """Ask over a connection that stays open, and return the status."""
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def twice(_):
    """Ask, so that the connection is kept; wait for the others; ask for what takes a while."""
    connection = HTTPConnection(sys.argv[1], timeout=30)
    ask(connection, "/api/readyz")
    together.wait()
    try:
        return ask(connection, "/api/slow")
    except OSError as error:
        return type(error).__name__


with ThreadPoolExecutor(CONNECTIONS) as pool:
    said = list(pool.map(twice, range(CONNECTIONS)))
if said != [200] * CONNECTIONS:
    sys.exit("; ".join(f"{said.count(one)} times {one}" for one in sorted(set(said), key=str)))
