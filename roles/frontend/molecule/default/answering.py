#!/usr/bin/python3
"""Stands in the API's place: says which path was asked for, and how much came."""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answering(BaseHTTPRequestHandler):
    """Tells what it was asked."""

    def do_GET(self):
        """Answer with the path; one takes a while."""
        if self.path == "/slow":
            time.sleep(0.5)
        self.answer({"path": self.path})

    def do_POST(self):
        """Answer with the path and the body's length."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer({"path": self.path, "bytes": len(body)})

    def answer(self, facts):
        """Send facts as JSON."""
        body = json.dumps(facts).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer.request_queue_size = 512
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answering).serve_forever()
