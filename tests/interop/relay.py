"""coturn for the runs that may only use relays: UDP and TCP on an address of this machine, TLS under the name localhost too, since
our side verifies names and takes no turns: URI with an address. The certificate is its own."""
import base64
import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

from processes import process, trouble

USER, PASSWORD, REALM = "interop", "a password of this run alone", "interop.test"
URLS = {"udp": "turn:{address}:{plain}?transport=udp", "tcp": "turn:{address}:{plain}?transport=tcp",
        "tls": "turns:localhost:{secure}?transport=tcp"}


def own_address():
    """An address of this machine that is not loopback: browsers gather nothing there, and coturn relays nothing to it."""
    listing = subprocess.run(["ip", "-4", "-o", "addr", "show", "up", "scope", "global"], capture_output=True, text=True, check=False)
    fields = listing.stdout.split()
    return fields[fields.index("inet") + 1].split("/")[0] if "inet" in fields else None


def free_port():
    with socket.socket() as s:
        s.bind(("", 0))
        return s.getsockname()[1]


def why_not():
    if not shutil.which("turnserver"):
        return "coturn is not installed"
    if not shutil.which("openssl"):
        return "openssl is not installed"
    return None if own_address() else "no interface but loopback, toward which coturn relays nothing"


class relay_server:
    def __init__(self, logs):
        self.folder = tempfile.mkdtemp(prefix="strata-relay-")
        self.address, self.plain, self.secure = own_address(), free_port(), free_port()
        self.certificate, key = os.path.join(self.folder, "certificate.pem"), os.path.join(self.folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=interop relay", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out",
                        self.certificate], check=True, capture_output=True, stdin=subprocess.DEVNULL)
        self.server = process("coturn", [
            "turnserver", "-n", "--no-cli", "--no-dtls", "--listening-ip", self.address, "--listening-ip", "127.0.0.1", "--relay-ip", self.address,
            "--listening-port", str(self.plain), "--tls-listening-port", str(self.secure), "--cert", self.certificate, "--pkey", key,
            "--lt-cred-mech", "--user", f"{USER}:{PASSWORD}", "--realm", REALM, "--userdb", os.path.join(self.folder, "turndb"),
            "--pidfile", os.path.join(self.folder, "pid"), "--log-file", "stdout", "--simple-log"], logs)
        deadline = time.monotonic() + 20
        while not (self._listens(self.address, self.plain) and self._listens("127.0.0.1", self.secure)):
            if not self.server.running() or time.monotonic() > deadline:
                self.close()
                raise trouble(f"coturn does not listen; see {self.server.log_path}")
            time.sleep(0.05)  # lint: allow sleep: another process is waited for, and it sends no event

    @staticmethod
    def _listens(address, port):
        with socket.socket() as s:
            return s.connect_ex((address, port)) == 0

    def public_key_hash(self):
        """What Chromium compares when it is told to accept one key: SHA-256 of the SubjectPublicKeyInfo, in base64."""
        key = subprocess.run(["openssl", "x509", "-in", self.certificate, "-noout", "-pubkey"], check=True, capture_output=True).stdout
        encoded = b"".join(line for line in key.splitlines() if not line.startswith(b"-----"))
        return base64.b64encode(hashlib.sha256(base64.b64decode(encoded)).digest()).decode()

    def url(self, transport):
        return URLS[transport].format(address=self.address, plain=self.plain, secure=self.secure)

    def servers(self, transport):
        """What a peer takes as its iceServers."""
        return json.dumps([{"urls": [self.url(transport)], "username": USER, "credential": PASSWORD}])

    def close(self):
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
