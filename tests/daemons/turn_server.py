"""registryd --turn: peers learn of the TURN server with a credential of their own, and relay through it."""
import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import socket
import ssl
import stat
import struct
import subprocess
import time
import urllib.request

from lab import DEADLINE, Lab, check, until

COOKIE = 0x2112A442
ALLOCATE, REFRESH, CREATE_PERMISSION, CHANNEL_BIND, SEND, DATA = 3, 4, 8, 9, 6, 7
LOOPBACK = ["--turn", "127.0.0.1:0", "--turn-allow-peer", "127.0.0.0/8"]
UDP = (0x0019, b"\x11\0\0\0")


def _type(method, kind):
    return (method & 0xF80) << 2 | (method & 0x70) << 1 | (method & 0xF) | (kind & 2) << 7 | (kind & 1) << 4


def _address(host, port):
    ip = struct.unpack("!I", socket.inet_aton(host))[0] ^ COOKIE
    return struct.pack("!BBHI", 0, 1, port ^ (COOKIE >> 16), ip)


def _read_address(value):
    _, _, port, ip = struct.unpack("!BBHI", value)
    return socket.inet_ntoa(struct.pack("!I", ip ^ COOKIE)), port ^ (COOKIE >> 16)


class Client:
    """A TURN client of a few lines, with nothing of ours in it."""

    def __init__(self, server, username, credential, tcp=False, tls=None):
        self.tcp = tcp or tls
        self.socket = socket.create_connection(server) if self.tcp else socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        if not self.tcp:
            self.socket.connect(server)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.socket.settimeout(DEADLINE)
        self.username, self.credential = username, credential
        self.realm = self.nonce = None

    def close(self):
        self.socket.close()

    def _read(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise AssertionError("the server closed the connection")
            data += piece
        return data

    def receive(self):
        if not self.tcp:
            return self.socket.recv(65536)
        head = self._read(4)
        length = struct.unpack("!H", head[2:])[0]
        return head + self._read(length + 16 if head[0] < 64 else (length + 3) // 4 * 4)

    def _transact(self, request):
        """The answer to this request. RFC 8489 6.2.1: what goes over UDP may get lost, and is sent again."""
        if self.tcp:
            self.socket.sendall(request)
            return self.receive()
        end = time.monotonic() + DEADLINE
        self.socket.settimeout(1)
        try:
            while time.monotonic() < end:
                self.socket.send(request)
                try:
                    while (answer := self.socket.recv(65536))[8:20] != request[8:20]:
                        pass
                    return answer
                except TimeoutError:
                    continue
        finally:
            self.socket.settimeout(DEADLINE)
        raise AssertionError("the server does not answer")

    def _message(self, kind, method, attributes):
        body = b"".join(struct.pack("!HH", t, len(v)) + v + b"\0" * (-len(v) % 4) for t, v in attributes)
        return _type(method, kind), secrets.token_bytes(12), body

    def request(self, method, *attributes):
        """The (code, attributes) of the answer; a challenge is taken up once."""
        for _ in range(2):
            signed = [(0x0006, self.username.encode()), (0x0014, self.realm), (0x0015, self.nonce)] if self.nonce else []
            kind, tid, body = self._message(0, method, [*attributes, *signed])
            if signed:
                key = hashlib.md5(f"{self.username}:{self.realm.decode()}:{self.credential}".encode()).digest()
                head = struct.pack("!HHI", kind, len(body) + 24, COOKIE) + tid
                body += struct.pack("!HH", 8, 20) + hmac.new(key, head + body, hashlib.sha1).digest()
            code, found = parse(self._transact(struct.pack("!HHI", kind, len(body), COOKIE) + tid + body))
            if code not in (401, 438) or (signed and code == 401):
                return code, found
            self.realm, self.nonce = found[0x0014], found[0x0015]
        return code, found

    def indicate(self, *attributes):
        kind, tid, body = self._message(1, SEND, attributes)
        self.socket.sendall(struct.pack("!HHI", kind, len(body), COOKIE) + tid + body)


def parse(message):
    """(0 or the error code, {attribute: value})."""
    length = struct.unpack("!H", message[2:4])[0]
    found, at = {}, 20
    while at < 20 + length:
        t, size = struct.unpack("!HH", message[at : at + 4])
        found.setdefault(t, message[at + 4 : at + 4 + size])
        at += 4 + (size + 3) // 4 * 4
    error = found.get(0x0009)
    return (error[2] * 100 + error[3] if error else 0), found


def _turn_of(lab, peer="ada"):
    _, body = lab.request("GET", "/api/config", headers={"X-API-Key": lab.keys[peer]})
    return [s for s in body["iceServers"] if "credential" in s][0], body


def _server(url):
    host, port = url.split(":", 1)[1].split("?")[0].rsplit(":", 1)
    return host, int(port)


# req: turnrest-2.2-b turnrest-2.2-e turnrest-4.1-a
def the_daemon_relays_for_those_it_knows(binaries):
    with Lab(binaries, ["ada"], registry_options=LOOPBACK) as lab:
        turn, config = _turn_of(lab)
        transports = [u.split("=")[1] for u in turn["urls"]]
        check(sorted(transports) == ["tcp", "udp"], "a peer is told of TURN over UDP and over TCP", turn)
        check(any(u == "stun:%s:%d" % _server(turn["urls"][0]) for s in config["iceServers"] for u in s["urls"]), "and that it answers STUN", config)
        _, stranger = lab.request("GET", "/api/config")
        check("credential" not in str(stranger), "a stranger gets no credential", stranger)
        for url in turn["urls"]:
            peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            peer.bind(("127.0.0.1", 0))
            peer.settimeout(DEADLINE)
            client = Client(_server(url), turn["username"], turn["credential"], tcp="tcp" in url)
            code, found = client.request(ALLOCATE, UDP)
            check(code == 0 and 49152 <= _read_address(found[0x0016])[1], f"an allocation is made: {url.split('=')[1]}", (code, found))
            relayed = _read_address(found[0x0016])
            to = (0x0012, _address(*peer.getsockname()))
            check(client.request(CREATE_PERMISSION, to)[0] == 0, "a permission is given")
            client.indicate(to, (0x0013, b"hello"))
            data, source = peer.recvfrom(2000)
            check((data, source) == (b"hello", relayed), "a peer hears the client from the relayed address", (data, source))
            peer.sendto(b"welcome", relayed)
            _, found = parse(client.receive())
            check(found[0x0013] == b"welcome" and _read_address(found[0x0012]) == peer.getsockname(), "the client hears the peer", found)
            check(client.request(CHANNEL_BIND, (0x000C, b"\x40\x01\0\0"), to)[0] == 0, "a channel is bound")
            peer.sendto(b"short", relayed)
            check(client.receive()[:9] == b"\x40\x01\0\x05short", "the peer comes on the channel")
            client.socket.sendall(b"\x40\x01\0\x02ok" + (b"\0\0" if client.tcp else b""))
            check(peer.recv(100) == b"ok", "and the client goes by it")
            check(client.request(CREATE_PERMISSION, (0x0012, _address("169.254.169.254", 80)))[0] == 403, "nobody is carried to the metadata service")
            check(client.request(CREATE_PERMISSION, (0x0012, _address("10.0.0.1", 80)))[0] == 403, "nor into a private network")
            check(client.request(REFRESH, (0x000D, b"\0\0\0\0"))[0] == 0, "the allocation is let go")
            client.close()
            peer.close()
        _, metrics = lab.request("GET", "/metrics")
        check("strata_registry_turn_allocated_total 2\n" in metrics and "strata_registry_turn_allocations 0\n" in metrics, "the metrics count allocations", metrics)


def a_wrong_credential_relays_nothing(binaries):
    with Lab(binaries, ["ada"], registry_options=LOOPBACK) as lab:
        turn, _ = _turn_of(lab)
        server = _server(turn["urls"][0])
        check(Client(server, turn["username"], "guessed").request(ALLOCATE, UDP)[0] == 401, "a guessed credential is refused")
        check(Client(server, turn["username"].replace(":ada", ":eve"), turn["credential"]).request(ALLOCATE, UDP)[0] == 401, "another's name is refused")
        past = "1000000000:ada"
        with open(os.path.join(lab.path("state"), "turn-secret")) as f:
            secret = f.read().strip()
        check(stat.S_IMODE(os.stat(os.path.join(lab.path("state"), "turn-secret")).st_mode) == 0o600, "the secret has mode 0600")
        signed = base64.b64encode(hmac.new(secret.encode(), past.encode(), hashlib.sha1).digest()).decode()
        check(Client(server, past, signed).request(ALLOCATE, UDP)[0] == 401, "a credential of the past is refused")
        lab.stop("registryd")
        lab.start_registry()
        again = _turn_of(lab)[0]
        check(Client(_server(again["urls"][0]), turn["username"], turn["credential"]).request(ALLOCATE, UDP)[0] == 0, "a credential survives a restart of the daemon")


def a_peer_has_so_many_allocations(binaries):
    with Lab(binaries, ["ada", "grace"], registry_options=[*LOOPBACK, "--turn-peer-allocations", "2", "--turn-ports", "50000-50100"]) as lab:
        turn, other = _turn_of(lab, "ada")[0], _turn_of(lab, "grace")[0]
        server = _server(turn["urls"][0])
        clients = [Client(server, turn["username"], turn["credential"]) for _ in range(3)]
        answers = [c.request(ALLOCATE, UDP) for c in clients]
        check([code for code, _ in answers] == [0, 0, 486], "the third is over the quota", answers)
        check(all(50000 <= _read_address(found[0x0016])[1] <= 50100 for code, found in answers[:2]), "ports are of the range that was given", answers)
        check(Client(server, other["username"], other["credential"]).request(ALLOCATE, UDP)[0] == 0, "which is nothing to another peer")


def meshctl_tries_the_server_out(binaries):
    def turn(url, credential, username):
        return subprocess.run([os.path.join(binaries, "meshctl"), "turn", url, "--json"], capture_output=True, text=True, timeout=DEADLINE,
                              env={**os.environ, "TURN_USERNAME": username, "TURN_PASSWORD": credential})

    with Lab(binaries, ["ada"], registry_options=LOOPBACK) as lab:
        server, _ = _turn_of(lab)
        for url in server["urls"]:
            done = turn(url, server["credential"], server["username"])
            report = json.loads(done.stdout or "{}")
            check(done.returncode == 0 and report["ok"] and report["channel_rtt_ms"] is not None, f"meshctl turn relays: {url.split('=')[1]}", done)
        done = turn(server["urls"][0], "guessed", server["username"])
        check(done.returncode == 1 and not json.loads(done.stdout)["ok"], "with a wrong credential it says so", done)


def sidecars_that_hide_their_addresses_meet_at_the_daemons_own_relay(binaries):
    with Lab(binaries, ["ada", "grace"], registry_options=LOOPBACK, meshd_options=["--candidates", "relay"]) as lab:
        for p in ("ada", "grace"):
            lab.start_meshd(p)
        ada, grace = lab.program("ada"), lab.program("grace")
        ada.wait_for_peers("grace")
        ada.send("grace", "over the relay")
        check(grace.wait_for("message")["message"]["payload"]["message"] == "over the relay", "two sidecars talk through registryd --turn")
        grace.send("ada", "and back")
        check(ada.wait_for("message")["message"]["payload"]["message"] == "and back", "in both directions")
        count = lambda: int(re.search(r"^strata_registry_turn_allocations (\d+)$", lab.request("GET", "/metrics")[1], re.M)[1])  # noqa: E731
        check(count() >= 1, "it is the relay that carries it", count())
        for p in ("ada", "grace"):
            lab.stop(p)
        until(lambda: count() == 0, "sidecars that end let their allocations go")
        check(count() == 0, "sidecars that end let their allocations go")


def turn_goes_over_tls_as_well(binaries):
    with Lab(binaries, ["ada"]) as probe:
        cert, key = probe.path("cert.pem"), probe.path("key.pem")
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                               "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert], capture_output=True)
        check(made.returncode == 0, "a certificate for TURN is made", made.stderr[-200:])
        with Lab(binaries, ["ada"], registry_options=[*LOOPBACK, "--turn-tls", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key, "--turn-realm", "there"]) as lab:
            trust = ssl.create_default_context(cafile=cert)
            asked = urllib.request.Request(f"https://localhost:{lab.http_port}/api/config", headers={"X-API-Key": lab.keys["ada"]})
            with urllib.request.urlopen(asked, timeout=DEADLINE, context=trust) as reply:
                turn = [s for s in json.load(reply)["iceServers"] if "credential" in s][0]
            url = [u for u in turn["urls"] if u.startswith("turns:")]
            check(len(url) == 1, "a peer is told of TURN over TLS", turn)
            client = Client(_server(url[0]), turn["username"], turn["credential"], tls=trust)
            code, found = client.request(ALLOCATE, UDP)
            check(code == 0 and 0x0016 in found and client.realm == b"there", "an allocation is made over TLS", (code, found))
            client.close()
            stranger = socket.create_connection(_server(url[0]))
            stranger.settimeout(DEADLINE)
            stranger.sendall(b"GET / HTTP/1.1\r\n\r\n" * 10)
            try:
                while stranger.recv(1000):
                    pass
                ended = True
            except ConnectionResetError:
                ended = True
            check(ended, "who speaks no TLS is let go")


def a_flood_of_nonsense_fills_no_log(binaries):
    with Lab(binaries, ["ada"], registry_options=LOOPBACK) as lab:
        turn, _ = _turn_of(lab)
        flood = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for _ in range(5000):
            flood.sendto(b"nonsense", _server(turn["urls"][0]))
        check(Client(_server(turn["urls"][0]), turn["username"], turn["credential"]).request(ALLOCATE, UDP)[0] == 0, "a flood of nonsense keeps nobody out")
        with open(lab.path("registryd.log")) as f:
            lines = len(f.readlines())
        check(lines < 1000, "nor does it fill the log", lines)


def wrong_turn_options_are_refused_with_a_reason(binaries):
    for options, word in [
        (["--turn", "nowhere"], "nowhere"),
        (["--turn", "127.0.0.1", "--turn-ports", "5-4"], "5-4"),
        (["--turn", "127.0.0.1", "--turn-allow-peer", "10.0.0.0/33"], "10.0.0.0/33"),
        (["--turn", "127.0.0.1", "--turn-relay-address", "127.0.0.1=::1"], "127.0.0.1=::1"),
        (["--turn-ports", "5000-6000"], "--turn"),
        (["--turn", "0.0.0.0:0", "--dev"], "--turn-relay-address"),
        (["--turn", "127.0.0.1:0", "--turn-relay-address", "192.0.2.77", "--dev"], "192.0.2.77"),
        (["--turn", "127.0.0.1:0", "--turn-tls", "127.0.0.1:0", "--dev"], "--tls-cert"),
    ]:
        with Lab(binaries, ["ada"]) as lab:
            done = subprocess.run([os.path.join(binaries, "registryd"), "--listen", "127.0.0.1:0", "--state-dir", lab.path("s"), *options],
                                  capture_output=True, text=True, timeout=60)
            check(done.returncode != 0 and word in done.stderr + done.stdout, "refused: " + " ".join(options[:4]), done)
