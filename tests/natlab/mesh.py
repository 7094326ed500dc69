"""What runs in a world: registryd and coturn in the core, meshd with a program on each host."""
import collections
import json
import os
import sys
import threading
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "daemons"))
from lab import Program  # noqa: E402
from world import REGISTRY, RELAY, SECOND, SIDES, impossible  # noqa: E402

REGISTRY_PORT, STUN_PORT, TURN_PORT = 8080, 3478, 3478
SECRET, REALM = "a secret of this laboratory alone", "natlab.test"


def until(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise impossible(f"never happened: {what}")
        time.sleep(0.02)  # lint: allow sleep: another process is waited for, and it sends no event
    return value


def listens(pid, port):
    """Whether the namespace of this process has a TCP listener on the port."""
    with open(f"/proc/{pid}/net/tcp", encoding="ascii") as table:
        return any(row.split()[3] == "0A" and row.split()[1].endswith(f":{port:04X}") for row in table.readlines()[1:])


class mesh:
    """The daemons in a world."""

    def __init__(self, world, binaries, relay="coturn"):
        """relay: which program it is, coturn or our own registryd; nothing: there is none."""
        self.world, self.binaries, self.relay = world, binaries, relay
        self.keys = {side: f"ak_natlab_{side}" for side in SIDES}
        with open(self.path("keys.json"), "w", encoding="utf-8") as file:
            json.dump({"keys": {key: {"peer_id": side, "role": "agent"} for side, key in self.keys.items()}}, file)
        self.start_registry()
        if relay:
            self.start_relay()

    def path(self, name):
        return os.path.join(self.world.folder, name)

    def start_registry(self):
        options = []
        for transport in ("udp", "tcp") if self.relay else ():
            options += ["--turn-url", f"turn:{RELAY}:{TURN_PORT}?transport={transport}"]
        process = self.world.spawn(
            "registryd", "inet", os.path.join(self.binaries, "registryd"), "--listen", f"{REGISTRY}:{REGISTRY_PORT}", "--stun",
            f"{REGISTRY}:{STUN_PORT}", "--stun-alternate", SECOND, "--keys", self.path("keys.json"), "--state-dir", self.path("state"),
            *options, env={"TURN_SECRET": SECRET})
        self._wait_listening(process, "registryd", REGISTRY_PORT)

    def start_relay(self):
        if self.relay == "registryd":
            process = self.world.spawn(
                "relay", "inet", os.path.join(self.binaries, "registryd"), "--listen", f"{RELAY}:{REGISTRY_PORT}", "--keys",
                self.path("keys.json"), "--state-dir", self.path("relay-state"), "--turn", f"{RELAY}:{TURN_PORT}", env={"TURN_SECRET": SECRET})
            return self._wait_listening(process, "relay", TURN_PORT)
        process = self.world.spawn(
            "relay", "inet", "turnserver", "-n", "--no-cli", "--no-tls", "--no-dtls", "--listening-ip", RELAY, "--relay-ip", RELAY,
            "--listening-port", str(TURN_PORT), "--use-auth-secret", "--static-auth-secret", SECRET, "--realm", REALM,
            "--min-port", "49152", "--max-port", "49999", "--pidfile", self.path("coturn.pid"), "--userdb", self.path("turndb"),
            "--log-file", "stdout", "--simple-log", "--relay-threads", "1")
        return self._wait_listening(process, "relay", TURN_PORT)

    def _wait_listening(self, process, name, port):
        def ready():
            if process.poll() is not None:
                raise impossible(f"{name} ended with {process.returncode}; see {self.world.logs[name]}")
            return listens(process.pid, port)

        until(ready, f"{name} listens")

    def start_host(self, side):
        """meshd on the host of this side, and a program attached to it."""
        ipc = self.path(side + ".sock")
        process = self.world.spawn("meshd-" + side, "host-" + side, os.path.join(self.binaries, "meshd"), env={
            "SIGNALING_URL": f"ws://{REGISTRY}:{REGISTRY_PORT}/ws", "TOKEN_URL": f"http://{REGISTRY}:{REGISTRY_PORT}/api/token",
            "API_KEY": self.keys[side], "IPC_SOCKET": ipc})

        def ready():
            if process.poll() is not None:
                raise impossible(f"meshd of {side} ended with {process.returncode}; see {self.world.logs['meshd-' + side]}")
            return os.path.exists(ipc)

        until(ready, f"meshd of {side} takes programs")
        return talker(side, ipc)


class talker:
    """A program that sends numbered requests, answers those of the other side, and keeps account of everything."""

    def __init__(self, side, path):
        self.side, self.other = side, SIDES[1 - SIDES.index(side)]
        self.program = Program(path)
        self.program.socket.settimeout(None)
        self.changed = threading.Condition()
        self.writing = threading.Lock()
        self.sent_at, self.round_trips = {}, []
        self.arrived = collections.Counter()  # requests of the other side, by number
        self.answered = collections.Counter()  # answers to our requests, good or saying why not
        self.refused = set()  # what meshd reported as not sent: requests of ours, answers of ours
        self.replied = set()
        self.connected, self.gone = False, False
        self.links, self.node, self.status_seen = {}, {}, 0
        self.disconnections = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            while True:
                event = self.program.next_event()
                with self.changed:
                    self._take(event["type"], event["payload"])
                    self.changed.notify_all()
        except (OSError, ValueError, AssertionError):
            with self.changed:
                self.gone = True
                self.changed.notify_all()

    def _take(self, kind, payload):
        self.program.events.clear()  # the account is kept here
        if kind == "message":
            self._take_message(payload["message"])
        elif kind == "send_failed":
            self.refused.add(payload["request_id"])
        elif kind == "peer_connected" and payload["peer_id"] == self.other:
            self.connected = True
        elif kind == "peer_list":
            self.connected = self.other in payload["peers"]
        elif kind == "peer_disconnected" and payload["peer_id"] == self.other:
            self.connected = False
            self.disconnections += 1
        elif kind == "link":
            self.links[payload["peer"]] = payload
        elif kind == "status":
            self.status_seen += 1
            self.node = payload

    def _take_message(self, message):
        number = message["request_id"]
        if message["type"] == "task_request":
            self.arrived[number] += 1
            if self.arrived[number] == 1:
                self.replied.add(number)
                self._send("task_response", number, {"result": number, "error": ""})
        elif message["type"] == "task_response":
            self.answered[number] += 1
            if message["payload"].get("result") == number and number in self.sent_at:
                self.round_trips.append(time.monotonic() - self.sent_at[number])

    def _send(self, kind, number, payload):
        with self.writing:
            self.program.command("send", target_peer=self.other, message={
                "type": kind, "request_id": number, "source_agent": "natlab", "target_agent": "", "payload": payload})

    def request(self):
        number = f"{self.side}-{len(self.sent_at)}"
        self.sent_at[number] = time.monotonic()
        self._send("task_request", number, {"message": number, "skill": "echo"})

    def wait(self, condition, seconds):
        """Whether the condition came true in time."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while not condition():
                left = deadline - time.monotonic()
                if self.gone or left <= 0 or not self.changed.wait(left):
                    return bool(condition())
            return True

    def wait_connected(self, seconds):
        return self.wait(lambda: self.connected, seconds)

    def settled(self, other):
        """Every request of ours has arrived or was refused, and has an answer."""
        return all((other.arrived[n] or n in self.refused) and self.answered[n] for n in list(self.sent_at))

    def registered(self):
        self.link()
        return self.node.get("signaling") == "registered"

    def link(self):
        """What meshd says of its link to the other side."""
        with self.changed:
            before = self.status_seen
        with self.writing:
            self.program.command("status")
        if not self.wait(lambda: self.status_seen > before, 10):
            return {}
        return self.links.get(self.other, {})


def account(one, other):
    """What became of the messages of one side: (counts, what is wrong)."""
    numbers = list(one.sent_at)
    arrived = sum(1 for n in numbers if other.arrived[n])
    refused = sum(1 for n in numbers if n in one.refused)
    lost = [n for n in numbers if not other.arrived[n] and n not in one.refused]
    twice = [n for n in numbers if other.arrived[n] > 1]
    # An answer may be replaced by the word of our own meshd that none can come; nothing at all is a loss.
    unanswered = [n for n in numbers if not one.answered[n] and n not in other.refused]
    trouble = [f"{len(found)} of side {one.side} {what}: {', '.join(found[:5])}" for what, found in (
        ("lost without a word", lost), ("arrived twice", twice), ("never answered", unanswered)) if found]
    return {"sent": len(numbers), "arrived": arrived, "refused": refused, "answered": sum(1 for n in numbers if one.answered[n])}, trouble
