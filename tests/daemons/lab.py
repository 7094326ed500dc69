"""Starts and ends the daemons for tests: own temporary directory, loopback ports, only our own processes.

A lab is a registryd with any number of meshd; programs attach to a meshd through its local socket.
"""
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

_checks = 0


def check(ok, name, detail=""):
    """One case of a test: a line that script/test counts."""
    global _checks
    _checks += 1
    line = f"PASS daemons: {name}" if ok else f"FAIL daemons: {name}: {str(detail)[:500]}"
    print(line.encode("unicode_escape").decode(), flush=True)  # bad input stands in some names: one printable line each
    return ok


def checks():
    return _checks


DEADLINE = float(os.environ.get("STRATA_TEST_DEADLINE", "60"))


def until(condition, what, deadline=None):
    """Polls a condition of the outside world; a missed deadline is a failure with a name."""
    end = time.monotonic() + (deadline or DEADLINE)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"never happened: {what}")
        time.sleep(0.02)  # lint: allow sleep: another process is waited for, and it sends no event


class Program:
    """A program attached to a meshd: JSON lines over its Unix socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        self.socket.settimeout(DEADLINE)
        self.buffer = b""
        self.events = []

    def send_line(self, line):
        self.socket.sendall(line if isinstance(line, bytes) else line.encode() + b"\n")

    def command(self, type_, **payload):
        self.send_line(json.dumps({"type": type_, "payload": payload}))

    def send(self, peer, text, type_="agent_prompt", request_id="", **more):
        message = {"type": type_, "request_id": request_id, "source_agent": "", "target_agent": peer, "payload": {"message": text}}
        self.command("send", target_peer=peer, message=message, **more)

    def next_event(self):
        while b"\n" not in self.buffer:
            data = self.socket.recv(65536)
            if not data:
                raise AssertionError("meshd closed the local socket")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        event = json.loads(line)
        self.events.append(event)
        return event

    def wait_for(self, type_, **fields):
        """The next event of a type whose payload has these fields; others are passed over."""
        while True:
            event = self.next_event()
            if event["type"] == type_ and all(event["payload"].get(k) == v for k, v in fields.items()):
                return event["payload"]

    def wait_for_peers(self, *peers):
        missing = set(peers)
        while missing:
            event = self.next_event()
            if event["type"] == "peer_connected":
                missing.discard(event["payload"]["peer_id"])
            if event["type"] == "peer_list":
                missing -= set(event["payload"]["peers"])

    def close(self):
        self.socket.close()


class Lab:
    def __init__(self, binaries, peers, registry_options=(), meshd_options=()):
        self.binaries = binaries
        self.dir = tempfile.mkdtemp(prefix="strata-lab-")
        self.keys = {p: "ak_" + secrets.token_hex(8) for p in peers}
        self.meshd_options = list(meshd_options)
        self.registry_options = list(registry_options)
        self.processes = {}
        self.logs = {}
        with open(self.path("keys.json"), "w") as f:
            json.dump({"keys": {k: {"peer_id": p, "role": "agent"} for p, k in self.keys.items()}}, f)
        self.http_port = self.stun_port = 0

    def path(self, name):
        return os.path.join(self.dir, name)

    def __enter__(self):
        try:
            self.start_registry()
            return self
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def __exit__(self, kind, value, trace):
        for name in list(self.processes):
            self.stop(name)
        if kind is not None:
            for name, log in self.logs.items():
                print(f"--- {name}")
                with open(log, errors="replace") as f:
                    print("".join(f.readlines()[-40:]))
        shutil.rmtree(self.dir, ignore_errors=True)

    def spawn(self, name, *argv, env=None):
        log = self.path(name + ".log")
        self.logs[name] = log
        out = open(log, "a")
        self.processes[name] = subprocess.Popen(
            argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=self.dir, env={**os.environ, **(env or {})})
        return self.processes[name]

    def stop(self, name, how=signal.SIGTERM):
        process = self.processes.pop(name)
        if process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise AssertionError(f"{name} did not end within 20 s of {how.name}")
        return process.returncode

    def start_registry(self):
        ports = self.path("ports.json")
        if os.path.exists(ports):
            os.unlink(ports)
        listen = f"127.0.0.1:{self.http_port}"
        stun = f"127.0.0.1:{self.stun_port}"
        self.spawn("registryd", os.path.join(self.binaries, "registryd"), "--listen", listen, "--stun", stun, "--keys",
                   self.path("keys.json"), "--state-dir", self.path("state"), "--ports-file", ports, *self.registry_options)
        found = until(lambda: os.path.exists(ports) and json.load(open(ports)), "registryd listens")
        self.http_port, self.stun_port = found["http"], found["stun"]

    def start_meshd(self, peer, *options, env=None):
        self.spawn(peer, os.path.join(self.binaries, "meshd"), "--allow-loopback", *self.meshd_options, *options, env={
            "SIGNALING_URL": f"ws://127.0.0.1:{self.http_port}/ws", "TOKEN_URL": f"http://127.0.0.1:{self.http_port}/api/token",
            "API_KEY": self.keys[peer], "IPC_SOCKET": self.ipc(peer), **(env or {})})
        until(lambda: self._takes_programs(peer), f"{peer} binds its local socket")

    def _takes_programs(self, peer):
        """A killed meshd leaves its socket's file behind: only a connection tells."""
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(self.ipc(peer)) == 0

    def ipc(self, peer):
        return self.path(peer + ".sock")

    def program(self, peer):
        return Program(self.ipc(peer))

    def alive(self, name):
        return self.processes[name].poll() is None

    def request(self, method, path, body=None, headers=None):
        """(status, parsed JSON or text)."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        all_headers = {"Content-Type": "application/json"} if data is not None else {}
        r = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", data=data, method=method, headers={**all_headers, **(headers or {})})
        try:
            with urllib.request.urlopen(r, timeout=DEADLINE) as reply:
                status, text = reply.status, reply.read()
        except urllib.error.HTTPError as e:
            status, text = e.code, e.read()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text.decode(errors="replace")

    def token(self, peer):
        status, body = self.request("POST", "/api/token", headers={"X-API-Key": self.keys[peer]})
        assert status == 200, (status, body)
        return body["token"]
