"""Bad input against the running daemons: every case gets a clear answer or a counted drop, and at the end the
daemons still introduce two peers and carry a message between them.

Run by tests/daemons/run.py.
"""
import base64
import hashlib
import hmac
import json
import os
import socket
import struct
import subprocess

from lab import Lab, check, checks, until


def raw_http(port, data, half_close=True):
    """What the server says to these bytes, until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
        answer = b""
        try:
            s.sendall(data)
            if half_close:
                s.shutdown(socket.SHUT_WR)
            while True:
                part = s.recv(65536)
                if not part:
                    return answer
                answer += part
        except (ConnectionResetError, BrokenPipeError):
            return answer


def status_of(answer):
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0


# ---- HTTP heads: (name, bytes, acceptable statuses; 0 is a closed connection without an answer)
HEADS = [
    ("empty", b"", {0, 400}),
    ("line feed only", b"\n", {0, 400}),
    ("no version", b"GET /\r\n\r\n", {400, 505}),
    ("bad version", b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", {400, 505}),
    ("version 1.0x", b"GET / HTTP/1.0x\r\nHost: a\r\n\r\n", {400, 505}),
    ("lower-case version", b"GET / http/1.1\r\nHost: a\r\n\r\n", {400, 505}),
    ("two spaces", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
    ("tab as space", b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
    ("control in target", b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
    ("space in target", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
    ("target without slash", b"GET foo HTTP/1.1\r\nHost: a\r\n\r\n", {400, 404}),
    ("bad method characters", b"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
    ("unknown method", b"BREW /api/token HTTP/1.1\r\nHost: a\r\n\r\n", {400, 405, 501}),
    ("no host", b"GET /healthz HTTP/1.1\r\n\r\n", {400}),
    ("two hosts", b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", {400}),
    ("space before colon", b"GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n", {400}),
    ("folded field", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", {400}),
    ("field without colon", b"GET /healthz HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n", {400}),
    ("empty field name", b"GET /healthz HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", {400}),
    ("NUL in value", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n", {400}),
    ("bare CR in value", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", {400}),
    ("bare LF line ends", b"GET /healthz HTTP/1.1\nHost: a\n\n", {400}),
    ("long target", b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", {400, 414, 431}),
    ("long field", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20000 + b"\r\n\r\n", {400, 431}),
    ("many fields", b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 500 + b"\r\n", {400, 431}),
    ("cut in the head", b"GET /healthz HTTP/1.1\r\nHost:", {0, 400, 408}),
    ("two content lengths", b"POST /api/token HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", {400}),
    ("list of lengths", b"POST /api/token HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\nab", {400}),
    ("signed length", b"POST /api/token HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na", {400}),
    ("negative length", b"POST /api/token HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", {400}),
    ("hex length", b"POST /api/token HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\na", {400}),
    ("huge length", b"POST /api/token HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", {400, 413}),
    ("body too large", b"POST /api/registry/agents HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", {401, 413}),
    ("length and chunked", b"POST /api/token HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    ("unknown coding", b"POST /api/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", {400, 501}),
    ("chunked twice", b"POST /api/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", {400, 501}),
    ("obfuscated chunked", b"POST /api/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", {400, 501}),
    ("bad chunk size", b"POST /api/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", {400}),
    ("negative chunk", b"POST /api/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", {400}),
    ("huge chunk", b"POST /api/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", {400, 413}),
    ("chunk without end", b"POST /api/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n", {400}),
    ("TLS hello", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"\x00" * 50, {0, 400}),
    ("binary noise", bytes(range(256)) * 4, {0, 400}),
    ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}),
]

# ---- routes: (name, method, path, body, headers, acceptable statuses)
ROUTES = [
    ("unknown path", "GET", "/nowhere", None, {}, {404}),
    ("path tricks", "GET", "/../../etc/passwd", None, {}, {400, 404}),
    ("encoded path tricks", "GET", "/%2e%2e/%2e%2e/etc/passwd", None, {}, {400, 404}),
    ("bad percent", "GET", "/%zz", None, {}, {400, 404}),
    ("wrong method", "GET", "/api/token", None, {}, {405}),
    ("wrong method on healthz", "DELETE", "/healthz", None, {}, {405}),
    ("token without key", "POST", "/api/token", None, {}, {401}),
    ("token with a wrong key", "POST", "/api/token", None, {"X-API-Key": "ak_wrong_wrong"}, {401}),
    ("token with an empty key", "POST", "/api/token", None, {"X-API-Key": ""}, {401}),
    ("token with a long key", "POST", "/api/token", None, {"X-API-Key": "k" * 4000}, {401}),
    ("ws without token", "GET", "/ws", None, {}, {400, 401, 426}),
    ("ws without upgrade", "GET", "/ws?token=x", None, {}, {400, 401, 426}),
    ("agents without credentials", "GET", "/api/registry/agents", None, {}, {401}),
    ("register without credentials", "POST", "/api/registry/agents", {"agent_id": "a", "hostname": "h"}, {}, {401}),
    ("heartbeat without credentials", "POST", "/api/hub/heartbeat", {"agent_id": "a"}, {}, {401}),
    ("delete without credentials", "DELETE", "/api/registry/agents/a", None, {}, {401}),
]

# ---- bodies of POST /api/registry/agents and /api/hub/heartbeat, with a good key
BODIES = [
    b"", b"{", b"}", b"[]", b"null", b"7", b'"x"', b"{}", b"\xff\xfe", b'{"agent_id":}', b'{"agent_id":"a"', b"{'agent_id':'a'}",
    b'{"agent_id":null}', b'{"agent_id":7}', b'{"agent_id":""}', b'{"agent_id":["a"]}', b'{"agent_id":{"a":1}}',
    b'{"agent_id":"a","hostname":7,"skill_names":[]}', b'{"agent_id":"a","hostname":"h","port":65536}',
    b'{"agent_id":"a","hostname":"h","port":-1}', b'{"agent_id":"a","hostname":"h","port":"80"}', b'{"agent_id":"a","hostname":"h","port":1.5}',
    b'{"agent_id":"a","hostname":null}', b'{"agent_id":"' + b"a" * 5000 + b'","hostname":"h"}', b"[" * 5000 + b"]" * 5000,
    b'{"agent_id":"\\ud800","hostname":"h"}',
]


def b64(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else data.encode()).rstrip(b"=").decode()


def tokens(good):
    """Tokens that must not open the WebSocket."""
    head, body, sig = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))

    def forged(header, payload, key=b"secret"):
        part = b64(json.dumps(header)) + "." + b64(json.dumps(payload))
        return part + "." + b64(hmac.new(key, part.encode(), hashlib.sha256).digest())

    hs = {"typ": "JWT", "alg": "HS256"}
    yield from ["", ".", "..", "...", "x", "a.b", "a.b.c", "a.b.c.d", "null", "%00", "=" * 10, "Bearer%20" + good[:20]]
    yield head + "." + body + "."
    yield head + "." + body
    yield head + "." + body + "." + sig[:-2]
    yield head + "." + body + "." + ("A" if sig[0] != "A" else "B") + sig[1:]
    yield b64('{"alg":"none"}') + "." + body + "."
    yield b64('{"alg":"none","typ":"JWT"}') + "." + body + "." + sig
    yield b64('{"alg":"HS512","typ":"JWT"}') + "." + body + "." + sig
    for key in (b"", b"secret", b"dev-secret-change-me", b"changeme", b"password"):
        yield forged(hs, claims, key)
    yield forged({**hs, "kid": "../../dev/null"}, claims)
    yield forged({**hs, "jwk": {"kty": "oct", "k": b64("x")}}, claims)
    yield forged({**hs, "crit": ["x"]}, claims)
    yield head + "." + b64(json.dumps({**claims, "sub": "registry"})) + "." + sig
    yield head + "." + b64(json.dumps({**claims, "exp": 9999999999})) + "." + sig
    yield head + "." + b64("[]") + "." + sig
    yield good + "x"
    yield "x" + good
    yield good.replace(".", "%2e", 1) + "%"
    yield "A" * 6000


def websocket(lab, token):
    s = socket.create_connection(("127.0.0.1", lab.http_port), timeout=20)
    s.sendall(f"GET /ws?token={token} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    answer = b""
    try:
        while b"\r\n\r\n" not in answer:
            part = s.recv(4096)
            if not part:
                break
            answer += part
    except ConnectionResetError:
        pass
    return s, status_of(answer)


def frame(opcode, payload, fin=True, masked=True, rsv=0, length=None):
    n = len(payload) if length is None else length
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    m = 0x80 if masked else 0
    head += bytes([m | n]) if n < 126 else bytes([m | 126]) + struct.pack(">H", n) if n < 65536 else bytes([m | 127]) + struct.pack(">Q", n)
    return head + (b"\x00" * 4 if masked else b"") + payload


# ---- frames that end the connection with a close frame or at once
FRAMES = [
    ("unmasked", frame(1, b"{}", masked=False)),
    ("reserved bit 1", frame(1, b"{}", rsv=4)),
    ("reserved bit 3", frame(1, b"{}", rsv=1)),
    ("reserved opcode 3", frame(3, b"")),
    ("reserved opcode 11", frame(11, b"")),
    ("fragmented ping", frame(9, b"x", fin=False)),
    ("long ping", frame(9, b"x" * 126)),
    ("continuation of nothing", frame(0, b"x")),
    ("text inside fragments", frame(1, b"a", fin=False) + frame(1, b"b")),
    ("huge length", frame(1, b"", length=1 << 40)),
    ("length with the top bit", bytes([0x81, 0xFF]) + struct.pack(">Q", 1 << 63)),
    ("length not minimal 16", bytes([0x81, 0xFE, 0, 5]) + b"\0" * 9),
    ("length not minimal 64", bytes([0x81, 0xFF]) + struct.pack(">Q", 5) + b"\0" * 9),
    ("not UTF-8", frame(1, b"\xff\xfe")),
    ("cut UTF-8", frame(1, b"\xc3")),
    ("surrogate in UTF-8", frame(1, b"\xed\xa0\x80")),
    ("close with one byte", frame(8, b"\x03")),
    ("close with code 999", frame(8, struct.pack(">H", 999))),
    ("close with code 1005", frame(8, struct.pack(">H", 1005))),
    ("close with bad UTF-8", frame(8, struct.pack(">H", 1000) + b"\xff")),
    ("message too large", frame(1, b"a" * 300000, length=300000)),
]

# ---- signaling text that is dropped while the socket stays open
SIGNALS = [
    "", "{", "[]", "null", "7", '"offer"', "{}", '{"type":"offer"}', '{"peer_id":"alice"}', '{"type":null,"peer_id":"alice"}',
    '{"type":7,"peer_id":"alice"}', '{"type":"offer","peer_id":7}', '{"type":"offer","peer_id":"bob","target_id":"bob"}',
    '{"type":"offer","peer_id":"registry","target_id":"bob"}', '{"type":"offer","peer_id":"alice"}',
    '{"type":"offer","peer_id":"alice","target_id":"nobody"}', '{"type":"offer","peer_id":"alice","target_id":{}}',
    '{"type":"answer","peer_id":"alice","target_id":"alice"}', '{"type":"peer_list","peer_id":"alice","payload":{"peers":["x"]}}',
    '{"type":"peer_left","peer_id":"alice","payload":{"peer":"bob"}}', '{"type":"dance","peer_id":"alice"}',
    '{"type":"offer","peer_id":"alice","target_id":"bob","payload":' + "[" * 200 + "]" * 200 + "}",
    '{"type":"register","peer_id":"alice","payload":{"caps":7,"alias":["x"]}}',
]

# ---- what a malicious peer may relay to bob's meshd: it must answer nothing and stay up
FP = ":".join(["00"] * 32)
SDPS = [
    "", "x", "v=0", "v=0\r\n", "v=1\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", "\0" * 100, "v=0\r\n" * 1000, "m=application",
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n",
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n",
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:ab\r\na=ice-pwd:cd\r\n",
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\n"
    "a=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 zz\r\na=setup:actpass\r\na=sctp-port:5000\r\n",
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\n"
    f"a=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 {FP}\r\na=setup:nonsense\r\na=sctp-port:5000\r\n",
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\n"
    f"a=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 {FP}\r\na=setup:actpass\r\na=sctp-port:99999999\r\n",
]
PAYLOADS = [None, 7, "x", [], {}, {"sdp": None}, {"sdp": 7}, {"sdp": {"type": "offer"}}, {"sdp": ["v=0"]}]
CANDIDATES = [
    None, 7, {}, {"candidate": 7}, {"candidate": {"candidate": 7}}, {"candidate": "x"}, {"candidate": "candidate:"},
    {"candidate": "candidate:1 1 udp 1 1.2.3.4"}, {"candidate": "candidate:1 1 udp 1 999.2.3.4 5 typ host"},
    {"candidate": "candidate:1 1 udp 99999999999999 1.2.3.4 5 typ host"}, {"candidate": "candidate:1 1 udp 1 1.2.3.4 99999 typ host"},
    {"candidate": "candidate:1 1 udp 1 1.2.3.4 5 typ nonsense"}, {"candidate": "candidate:1 999 udp 1 1.2.3.4 5 typ host"},
    {"candidate": "candidate:" + "1" * 100 + " 1 udp 1 1.2.3.4 5 typ host"}, {"candidate": "candidate:1 1 udp 1 a..local 5 typ host"},
    {"candidate": "candidate:1 1 udp 1 " + "x" * 300 + ".local 5 typ host"}, {"candidate": "\u0000"},
]

# ---- local lines: each is answered with an error event or send_failed
IPC_ERRORS = [
    "x", "{", "[]", "null", "7", "{}", '{"type":7}', '{"type":""}', '{"type":"dance"}', '{"type":"send"}', '{"type":"send","payload":7}',
    '{"type":"send","payload":{"target_peer":"bob"}}', '{"type":"send","payload":{"target_peer":"","message":{"type":"x"}}}',
    '{"type":"send","payload":{"target_peer":"bob","message":7}}', '{"type":"send","payload":{"target_peer":"bob","message":{}}}',
    '{"type":"send","payload":{"target_peer":"bob","message":{"type":7}}}', '{"type":"send","payload":{"target_peer":"bob","message":{"type":"x","request_id":{}}}}',
    '{"type":"broadcast","payload":{}}', '{"type":"connect","payload":{}}', '{"type":"send","payload":{"target_peer":"a b","message":{"type":"x"}}}',
    '{"type":"send"' + " " * 500000 + "}", "\x00\x01\x02",
]

DATAGRAMS = [
    b"", b"\x00", b"\x00\x01", bytes(19), bytes(20), b"\x00\x01\x00\x00" + b"\x21\x12\xa4\x42" + bytes(11), b"\x00\x01\x00\x04" + b"\x21\x12\xa4\x42" + bytes(12),
    b"\x00\x01\xff\xfc" + b"\x21\x12\xa4\x42" + bytes(12), b"\x00\x01\x00\x03" + b"\x21\x12\xa4\x42" + bytes(15), b"\xff" * 20, b"\x16\xfe\xff" + bytes(60),
    b"\x01\x01\x00\x00" + b"\x21\x12\xa4\x42" + bytes(12), b"\x01\x11\x00\x00" + b"\x21\x12\xa4\x42" + bytes(12), b"\x00\x11\x00\x00" + b"\x21\x12\xa4\x42" + bytes(12),
    b"\x00\x01\x00\x08" + b"\x21\x12\xa4\x42" + bytes(12) + b"\x00\x06\x00\xff" + bytes(4), b"\x00\x01\x00\x08" + b"\x21\x12\xa4\x42" + bytes(12) + b"\x80\x28\x00\x04" + bytes(4),
    b"\x40\x00\x00\x04abcd", bytes(1500), b"GET / HTTP/1.1\r\n\r\n", b"\x00\x01\x00\x0c" + b"\x21\x12\xa4\x42" + bytes(12) + b"\x00\x08\x00\x14" + bytes(8),
]

OPTIONS = [
    ("registryd", ["--nonsense"]), ("registryd", ["--listen", "nowhere"]), ("registryd", ["--listen", "127.0.0.1:99999"]), ("registryd", ["--listen"]),
    ("registryd", ["--keys", "/nonexistent/keys.json", "--listen", "127.0.0.1:0"]), ("registryd", ["--stun", "x"]), ("registryd", ["--stun-alternate", "127.0.0.2"]), ("registryd", ["--stun", "127.0.0.1:0", "--stun-alternate", "x"]), ("registryd", ["stray"]),
    ("registryd", ["--dev", "--listen", "0.0.0.0:0"]),
    ("meshd", ["--nonsense"]), ("meshd", ["--stun", "a:b:c:d"]), ("meshd", ["--signaling-url", "ftp://x"]), ("meshd", ["--signaling-url", "ws://"]), ("meshd", ["stray"]),
    ("meshd", ["--ipc", "/nonexistent/dir/x.sock"]), ("meshd", ["--ipc", "/" + "x" * 200]), ("meshd", ["--trace", "/nonexistent/dir/x.pcapng"]),
    ("meshctl", ["--nonsense"]), ("meshctl", ["dance"]), ("meshctl", ["decode", "zz"]), ("meshctl", ["decode", "0001"]), ("meshctl", ["stun", ""]), ("meshctl", ["nat"]), ("meshctl", ["nat", "--server", ":"]), ("meshctl", ["nat", "--json", "--line"]), ("meshctl", ["nat", "--registry", "nowhere"]),
    ("meshctl", ["timeline", "/nonexistent"]), ("meshctl", ["--ipc", "/nonexistent", "status"]),
]


def relay_to_bob(lab, alice, what, payload):
    text = json.dumps({"type": what, "peer_id": "alice", "target_id": "bob", "payload": payload})
    alice.sendall(frame(1, text.encode()))


def bad_input_is_answered_and_survived(binaries):
    before = checks()
    with Lab(binaries, ["alice", "bob", "carol"]) as lab:
        for name, data, allowed in HEADS:
            answer = raw_http(lab.http_port, data)
            check(status_of(answer) in allowed, f"http head: {name}", answer[:80])
        for name, method, path, body, headers, allowed in ROUTES:
            status, text = lab.request(method, path, body, headers)
            check(status in allowed, f"route: {name}", (status, text))
        key = {"X-API-Key": lab.keys["alice"]}
        for path in ("/api/registry/agents", "/api/hub/heartbeat"):
            for body in BODIES:
                status, text = lab.request("POST", path, body, key)
                check(status in (400, 413, 415, 422) and isinstance(text, dict) and text.get("error"), f"body: {path} {body[:40]!r}", (status, text))
        good = lab.token("alice")
        for token in tokens(good):
            s, status = websocket(lab, token)
            s.close()
            check(status in (400, 401), f"token: {token[:40]}", status)
        for name, data in FRAMES:
            s, status = websocket(lab, lab.token("alice"))
            check(status == 101, f"upgrade before frame: {name}", status)
            ended = b"x"
            try:
                s.sendall(data)
                s.settimeout(20)
                while ended and ended[:1] != b"\x88":
                    ended = s.recv(65536)
            except (ConnectionResetError, BrokenPipeError):
                ended = b""
            except socket.timeout:
                ended = b"still open"
            s.close()
            check(ended in (b"",) or ended[:1] == b"\x88", f"frame: {name}", ended[:40])

        lab.start_meshd("bob")
        bob = lab.program("bob")
        alice, status = websocket(lab, lab.token("alice"))
        check(status == 101, "alice's websocket", status)
        alice.sendall(frame(1, b'{"type":"register","peer_id":"alice","payload":null}'))
        until(lambda: b"peer_list" in alice.recv(65536), "alice is registered")
        for text in SIGNALS:
            alice.sendall(frame(1, text.encode()))
        alice.sendall(frame(9, b"still?"))
        pong = b""
        while b"still?" not in pong:
            pong = pong[-20:] + alice.recv(65536)
        check(lab.alive("registryd"), f"{len(SIGNALS)} bad signals are dropped and the socket stays open")
        for payload in PAYLOADS + [{"sdp": s} for s in SDPS]:
            for what in ("offer", "answer"):
                relay_to_bob(lab, alice, what, payload)
                bob.command("list_peers")
                bob.wait_for("peer_list")
                check(lab.alive("bob"), f"{what} {str(payload)[:60]!r} does not hurt meshd")
        for payload in CANDIDATES:
            relay_to_bob(lab, alice, "ice_candidate", payload)
            bob.command("list_peers")
            bob.wait_for("peer_list")
            check(lab.alive("bob"), f"candidate {str(payload)[:60]!r} does not hurt meshd")
        for line in IPC_ERRORS:
            bob.send_line(line)
            while bob.next_event()["type"] not in ("error", "send_failed"):
                pass
            check(lab.alive("bob"), f"ipc: {line[:40]}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            for d in DATAGRAMS:
                u.sendto(d, ("127.0.0.1", lab.stun_port))
                check(lab.alive("registryd"), f"datagram {d[:24].hex()} is dropped")
            # The last word is a good request; its answer proves that the responder outlived the rest.
            u.settimeout(20)
            u.sendto(b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"good-request", ("127.0.0.1", lab.stun_port))
            answer = b""
            while answer[8:20] != b"good-request":
                answer = u.recv(2000)
            check(answer[:2] == b"\x01\x01", "a good binding request after the bad ones", answer)
        alice.close()

        for program, argv in OPTIONS:
            r = subprocess.run([os.path.join(binaries, program), *argv], capture_output=True, stdin=subprocess.DEVNULL, cwd=lab.dir, timeout=60,
                               env={**os.environ, "API_KEY": "ak_x", "IPC_SOCKET": lab.path("options.sock")})
            said = (r.stderr + r.stdout).decode(errors="replace")
            check(r.returncode not in (0, -6, -11) and said.strip() and "Sanitizer" not in said, f"option: {program} {argv}", (r.returncode, said[-300:]))

        # And still they work: two peers meet and talk.
        lab.start_meshd("carol")
        carol = lab.program("carol")
        carol.wait_for_peers("bob")
        carol.send("bob", "after all that")
        got = bob.wait_for("message", from_peer="carol")
        check(got["message"]["payload"]["message"] == "after all that", "a message after all that", got)
        status, metrics = lab.request("GET", "/metrics")
        check(status == 200 and "signaling" in metrics, "metrics count the drops", metrics[:200])
        for name in ("registryd", "bob", "carol"):
            check(lab.alive(name), f"{name} is alive")
            code = lab.stop(name)
            check(code == 0, f"{name} ends in order", code)
        check(checks() - before >= 200, "at least 200 inputs were tried", checks() - before)
