"""Tells which TCP ports answer, from where it runs: [[host, port], …] in, those reached out (JSON).

Reached is a connection or its refusal by the host: a packet went there and one came back.
"""

import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

SECONDS = 2


def reached(target: list) -> bool:
    """Tell whether anything answers at [host, port]."""
    try:
        socket.create_connection(tuple(target), timeout=SECONDS).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True


if __name__ == "__main__":
    targets = json.loads(sys.argv[1])
    with ThreadPoolExecutor(len(targets)) as pool:
        answers = list(pool.map(reached, targets))
    print(json.dumps([target for target, yes in zip(targets, answers, strict=True) if yes]))
