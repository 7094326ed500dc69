"""Chromium as a peer: serves the page, starts a browser with an empty profile, collects what the page posts."""
import functools
import http.server
import json
import queue
import shutil
import tempfile
import threading
import urllib.parse

from processes import process

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]
PLAIN_ADDRESSES = "--disable-features=WebRtcHideLocalIpsWithMdns"


def find_chromium():
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class page_server:
    """Serves the folder of the peers on loopback; POST /event?run=N gives an event to run N."""

    def __init__(self, folder):
        runs = self.runs = {}

        class handler(http.server.SimpleHTTPRequestHandler):
            extensions_map = {".html": "text/html", ".mjs": "text/javascript", "": "application/octet-stream"}

            def do_POST(self):
                address = urllib.parse.urlparse(self.path)
                run = urllib.parse.parse_qs(address.query).get("run", [""])[0]
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if run in runs:
                    runs[run].put(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=folder))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class browser_peer(process):
    """Looks like the other peers: a process with events; they come from the page instead of the standard output."""

    def __init__(self, name, server, logs, run, options, hide_addresses, trusted_key=None):
        self.profile = tempfile.mkdtemp(prefix="strata-chromium-")
        address = f"{server.url}/browser.html?{urllib.parse.urlencode({**options, 'run': run})}"
        flags = FLAGS + ([] if hide_addresses else [PLAIN_ADDRESSES]) + (["--ignore-certificate-errors-spki-list=" + trusted_key] if trusted_key else [])
        super().__init__(name, [find_chromium(), *flags, f"--user-data-dir={self.profile}", "--enable-logging=stderr", address], logs)
        self.lines = server.runs[run] = queue.Queue()

    def stop(self, seconds=10):
        code = super().stop(seconds)
        shutil.rmtree(self.profile, ignore_errors=True)
        return code

    def _read(self):
        for raw in self.child.stdout:
            self.log.write(raw.decode("utf-8", "replace"))

