"""registryd, meshd and a local program attached to it, as the tests start them: loopback, ports of the system's choice."""
import json
import os
import queue
import socket
import threading
import time
import urllib.request

from processes import process, trouble, until

KEYS = {"key-of-ours": "ours", "key-of-theirs": "theirs"}
OURS, THEIRS = "ours", "theirs"


class registry:
    def __init__(self, build, folder, logs):
        keys = os.path.join(folder, "keys.json")
        with open(keys, "w", encoding="utf-8") as file:
            json.dump({"keys": {key: {"peer_id": peer, "role": "agent"} for key, peer in KEYS.items()}}, file)
        os.chmod(keys, 0o600)
        ports = os.path.join(folder, "ports.json")
        self.process = process("registryd", [
            os.path.join(build, "apps/registryd"), "--listen", "127.0.0.1:0", "--keys", keys, "--state-dir",
            os.path.join(folder, "registry"), "--ports-file", ports], logs)
        until(lambda: os.path.exists(ports) and os.path.getsize(ports) > 0 or not self.process.running(), 20,
              "registryd writes its ports")
        if not self.process.running():
            raise trouble(f"registryd ended at once: {self.process.tail(400)}")
        with open(ports, encoding="utf-8") as file:
            self.port = int(str(json.load(file)["http"]).rsplit(":", 1)[-1])
        self.url = f"http://127.0.0.1:{self.port}"

    def token(self, key):
        request = urllib.request.Request(self.url + "/api/token", method="POST", headers={"X-API-Key": key})
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.load(reply)["token"]

    def stop(self):
        return self.process.stop()


class program:
    """A program attached to meshd: JSON lines over the local socket. It answers every task with what it was told."""

    def __init__(self, path, seconds=15):
        def attach():
            attached = socket.socket(socket.AF_UNIX)
            try:
                attached.connect(path)
            except OSError:
                attached.close()
                return None
            return attached

        self.socket = until(attach, seconds, f"attaching to {path}")
        self.events, self.backlog = queue.Queue(), []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            with self.socket.makefile("rb") as lines:
                for line in lines:
                    event = json.loads(line)
                    message = event["payload"].get("message") if event["type"] == "message" else None
                    if message and message["type"] == "task_request":
                        self.tell(event["payload"]["from_peer"], "task_response", message["request_id"],
                                  {"result": message["payload"]["message"], "error": ""})
                    else:
                        self.events.put(event)
        except (OSError, ValueError):
            pass
        self.events.put({"type": "gone", "payload": {}})

    def command(self, kind, payload):
        self.socket.sendall((json.dumps({"type": kind, "payload": payload}, ensure_ascii=False) + "\n").encode())

    def tell(self, peer, kind, request, payload):
        self.command("send", {"target_peer": peer, "message": {
            "type": kind, "request_id": request, "source_agent": "interop", "target_agent": "", "payload": payload}})

    def expect(self, wanted, seconds, what):
        """The first event, seen before or not, of which `wanted` says yes."""
        deadline = time.monotonic() + seconds
        while True:
            for event in self.backlog:
                if wanted(event):
                    self.backlog.remove(event)
                    return event
            try:
                self.backlog.append(self.events.get(timeout=max(0.01, deadline - time.monotonic())))
            except queue.Empty:
                raise trouble(f"{what}: not within {seconds} s; heard {[e['type'] for e in self.backlog]}") from None

    def status(self):
        self.command("status", {})
        return self.expect(lambda event: event["type"] == "status", 5, "status")["payload"]

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


class mesh_daemon:
    def __init__(self, build, folder, logs, registry_url, key):
        self.path = os.path.join(folder, "meshd.sock")
        self.process = process("meshd", [
            os.path.join(build, "apps/meshd"), "--signaling-url", registry_url.replace("http", "ws", 1) + "/ws",
            "--token-url", registry_url + "/api/token", "--ipc", self.path, "--no-stun"], logs, {"API_KEY": key})
        self.program = program(self.path)

    def wait_registered(self, seconds=20):
        until(lambda: self.program.status().get("signaling") == "registered", seconds, "meshd registers")

    def stop(self):
        code = self.process.stop()
        self.program.close()
        return code
