"""What an operator relies on: settings and their precedence, readiness, the drain, reload, the service manager, logs."""
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import tempfile

from lab import DEADLINE, Lab, check, until


def _run(binaries, *argv, env=None, program="registryd"):
    base = {k: v for k, v in os.environ.items() if k not in ("PORT", "RUST_LOG")}
    return subprocess.run([os.path.join(binaries, program), *argv], capture_output=True, text=True, timeout=DEADLINE, env={**base, **(env or {})})


def _write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


class Manager:
    """A service manager's end of NOTIFY_SOCKET."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        self.socket.settimeout(DEADLINE)

    def next(self, but=()):
        while True:
            lines = dict(line.split("=", 1) for line in self.socket.recv(4096).decode().split("\n"))
            if not any(k in lines for k in but):
                return lines


def a_flag_beats_the_environment_and_that_beats_the_file(binaries):
    with tempfile.TemporaryDirectory() as folder:
        config = _write(folder, "r.toml", '# a comment\nlisten = ["127.0.0.1:7001", "[::1]:7001"]  # and one here\nlog-level = "debug"\nstate-dir = "/file#1"\n'
                        'drain = 7\n')
        shown = _run(binaries, "--config", config, "--print-config", "--log-level", "error", env={"RUST_LOG": "warn", "TURN_URL": "turn:x:1"}).stdout
        check('log-level = "error"  # flag' in shown, "a flag beats environment and file", shown)
        check('listen = ["127.0.0.1:7001", "[::1]:7001"]  # file' in shown, "a list comes from the file", shown)
        check('state-dir = "/file#1"  # file' in shown and 'drain = "7"  # file' in shown, "texts and numbers come from the file", shown)
        check('turn-url = ["turn:x:1"]  # environment' in shown, "the environment is named as what it is", shown)
        check('log-format = "text"  # built in' in shown, "what nobody gave is built in", shown)
        shown = _run(binaries, "--config", config, "--print-config", env={"RUST_LOG": "warn"}).stdout
        check('log-level = "warn"  # environment' in shown, "the environment beats the file", shown)
        again = _write(folder, "again.toml", shown.replace("# environment", ""))
        check('log-level = "warn"  # file' in _run(binaries, "--config", again, "--print-config").stdout, "what is printed can be read again")
        shown = _run(binaries, "--print-config", env={"REGISTRYD_CONFIG": config}).stdout
        check('log-level = "debug"  # file' in shown, "the file may be named by the environment", shown)
        config = _write(folder, "m.toml", 'candidates = "relay"\ninterface = ["eth*", "wl*"]\n')
        shown = _run(binaries, "--config", config, "--print-config", env={"API_KEY": "ak_very_secret", "IPC_SOCKET": "/x.sock"}, program="meshd").stdout
        check('candidates = "relay"  # file' in shown and 'ipc = "/x.sock"  # environment' in shown, "meshd has the same rules", shown)
        check("ak_very_secret" not in shown and "API_KEY is given" in shown, "a secret is named, not shown", shown)
        shown = _run(binaries, "--config", config, "--print-config", env={"ICE_TRANSPORT_POLICY": "All"}, program="meshd").stdout
        check('candidates = "all"  # environment' in shown, "upstream's names hold", shown)


def a_wrong_file_is_refused_by_its_line(binaries):
    cases = [
        ('listne = ["127.0.0.1:1"]', "listne"), ("a", "no value"), ('[section]\nlisten = "x"', "section"), ("log-level = debug", '"debug"'),
        ('log-level = "debug\n', "not closed"), ('listen = ["127.0.0.1:1"', "ends in the middle"), ('log-level = "info" "x"', "one setting a line"),
        ('log-level = "info"\nlog-level = "warn"', "line 1 already"), ('print-config = true', "print-config"), ('config = "x"', "config"), ('log-level = "\\q"', "\\q"),
        ('log-level = "loud"', "loud"), ('listen = "nowhere"', "nowhere"), ("token-secret = \"x\"", "token-secret"), ("drain = 1.2.3", "1.2.3"), ("\x00\xff = 1", "letters"),
        ('listen = ["127.0.0.1:1" "127.0.0.1:2"]', "comma"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for text, word in cases:
            for program in ("registryd", "meshd"):
                if program == "meshd" and ("listen" in text or "drain" in text or "token" in text):
                    continue
                done = _run(binaries, "--config", _write(folder, "c", text), "--print-config", program=program)
                check(done.returncode not in (0, -6, -11) and word in done.stderr + done.stdout, f"{program} refuses the file {text!r}", done)
        done = _run(binaries, "--config", folder + "/none", "--print-config")
        check(done.returncode != 0 and "none" in done.stderr, "a file that is not there is no empty file", done)
        done = _run(binaries, "--lsten", "127.0.0.1:0")
        check(done.returncode != 0 and "--lsten" in done.stderr, "an unknown flag is refused", done)


def secrets_may_come_from_files(binaries):
    with tempfile.TemporaryDirectory() as folder:
        path = _write(folder, "secret", "a secret of at least thirty-two characters\n")
        options = ["--listen", "127.0.0.1:0", "--dev", "--state-dir", folder + "/state"]
        done = _run(binaries, *options, "--token-secret-file", path, env={"SIGNALING_SECRET": "x" * 40})
        check(done.returncode == 2 and "both" in done.stderr and "x" * 40 not in done.stderr, "two sources of one secret are refused", done)
        done = _run(binaries, *options, "--token-secret-file", folder + "/none")
        check(done.returncode == 2 and "none" in done.stderr, "a secret's file must be there", done)
        done = _run(binaries, *options, env={"SIGNALING_SECRET_FILE": _write(folder, "short", "short\n")})
        check(done.returncode == 2 and "too short" in done.stderr, "the file may be named by the environment", done)
    with Lab(binaries, ["ada"]) as lab:
        lab.stop("registryd")
        lab.registry_options = ["--token-secret-file", _write(lab.dir, "secret", "a secret of at least thirty-two characters\n")]
        os.unlink(lab.path("state/token-secret"))
        lab.start_registry()
        check(lab.token("ada") and not os.path.exists(lab.path("state/token-secret")), "then none is made")
        _write(lab.dir, "ada.key", lab.keys["ada"] + "\n")
        lab.start_meshd("ada", "--api-key-file", lab.path("ada.key"), env={"API_KEY": ""})
        check(lab.program("ada").next_event(), "meshd reads its key from a file")


def upstreams_port_is_taken(binaries):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    shown = _run(binaries, "--print-config", env={"PORT": str(port)}).stdout
    check(f'port = "{port}"  # environment' in shown, "PORT is known", shown)
    done = _run(binaries, "--print-config", env={"PORT": "eighty"})
    check(done.returncode != 0, "and must be a number", done)


def the_service_manager_is_told(binaries):
    for name in ("file", "abstract"):
        with tempfile.TemporaryDirectory() as folder:
            address = folder + "/notify" if name == "file" else "@strata-test-" + os.path.basename(folder)
            manager = Manager(address)
            os.environ.update(NOTIFY_SOCKET=address, WATCHDOG_USEC="200000")
            try:
                with Lab(binaries, ["ada"]) as lab:
                    first = manager.next(but=["WATCHDOG"])
                    check(first.get("READY") == "1" and str(lab.http_port) in first["STATUS"], f"{name}: registryd says that it is ready, and where", first)
                    while "WATCHDOG" not in manager.next():
                        pass
                    check("WATCHDOG" in manager.next(), f"{name}: it says again and again that it is alive")
                    lab.processes["registryd"].send_signal(signal.SIGHUP)
                    again = manager.next(but=["WATCHDOG"])
                    check(again.get("RELOADING") == "1" and int(again["MONOTONIC_USEC"]) > 0, f"{name}: it reloads", again)
                    check(manager.next(but=["WATCHDOG"]).get("READY") == "1", f"{name}: and is ready again")
                    lab.start_meshd("ada")
                    check(manager.next(but=["WATCHDOG"]).get("READY") == "1", f"{name}: so is meshd")
                    check(lab.stop("ada") == 0, f"{name}: meshd ends with 0")
                    check(manager.next(but=["WATCHDOG"]).get("STOPPING") == "1", f"{name}: and says before that it will")
                    check(lab.stop("registryd") == 0, f"{name}: registryd ends with 0")
                    check(manager.next(but=["WATCHDOG"]).get("STOPPING") == "1", f"{name}: and says so as well")
            finally:
                del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]


def the_units_are_sound_and_tight(binaries):
    if not shutil.which("systemd-analyze"):
        print("SKIP daemons: the units are verified: systemd-analyze is not installed")
        return
    units = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "systemd")
    with tempfile.TemporaryDirectory() as folder:
        for name in sorted(os.listdir(units)):
            with open(os.path.join(units, name), encoding="utf-8") as f:
                text = f.read()
            path = _write(folder, name.replace("@", "@x"), text.replace("/usr/bin/", binaries + "/"))
            done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, timeout=DEADLINE)
            check(done.returncode == 0 and name.split(".")[0] not in done.stderr, f"{name} is accepted", done)
            done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", path], capture_output=True, text=True, timeout=DEADLINE)
            check(done.returncode == 0, f"{name} leaves an exposure of at most 2.0", done.stdout[-200:] + done.stderr[-200:])


def readiness_tells_reasons(binaries):
    with Lab(binaries, ["ada"], registry_options=["--drain-delay", "15"]) as lab:
        check(lab.request("GET", "/readyz") == (200, {"status": "ready", "reasons": []}), "a registry that can work is ready")
        check(lab.request("POST", "/readyz", b"")[0] == 405, "only GET is allowed")
        process = lab.processes["registryd"]
        process.send_signal(signal.SIGTERM)
        status, body = until(lambda: (lambda a: a if a[0] == 503 else None)(lab.request("GET", "/readyz")), "readyz says 503")
        check(body == {"status": "not ready", "reasons": ["draining"]}, "while it drains it is not, and says why", body)
        check(lab.request("GET", "/healthz")[0] == 200, "but it is alive")
        check(lab.token("ada"), "and serves who still comes")
        process.send_signal(signal.SIGTERM)
        check(process.wait(DEADLINE) == 128 + signal.SIGTERM, "a second SIGTERM ends it at once", process.returncode)


def what_has_begun_is_finished_in_a_drain(binaries):
    with Lab(binaries, ["ada", "grace"]) as lab:
        key = {"X-API-Key": lab.keys["ada"]}
        lab.request("POST", "/api/registry/agents", {"agent_id": "planner", "hostname": "h"}, key)
        waiting = http.client.HTTPConnection("127.0.0.1", lab.http_port, timeout=DEADLINE)
        waiting.request("GET", "/api/hub/tasks/next?agent_id=planner&wait=30", headers=key)
        with socket.create_connection(("127.0.0.1", lab.http_port), timeout=DEADLINE) as ws:
            ws.sendall((f"GET /ws?token={lab.token('grace')} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n").encode())
            head = b""
            while b"\r\n\r\n" not in head:
                head += ws.recv(4096)
            check(head.startswith(b"HTTP/1.1 101"), "a socket is open", head)
            process = lab.processes["registryd"]
            process.send_signal(signal.SIGTERM)
            check(waiting.getresponse().status == 204, "a long poll is answered at once")
            frame = ws.recv(4096)
            check(frame[:1] == b"\x88" and frame[2:4] == (1001).to_bytes(2, "big"), "the WebSocket is closed with 1001", frame)
            ws.sendall(b"\x88\x82\0\0\0\0" + frame[2:4])
        check(process.wait(DEADLINE) == 0, "it ends with 0", process.returncode)
        with socket.socket() as s:
            check(s.connect_ex(("127.0.0.1", lab.http_port)) != 0, "nobody listens any more")


def a_drain_has_an_end(binaries):
    with Lab(binaries, ["ada"], registry_options=["--drain", "0.5"]) as lab:
        with socket.create_connection(("127.0.0.1", lab.http_port), timeout=DEADLINE) as ws:
            ws.sendall((f"GET /ws?token={lab.token('ada')} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n").encode())
            check(ws.recv(4096).startswith(b"HTTP/1.1 101"), "a client opens a socket that it never closes")
            check(lab.stop("registryd") == 0, "it is not waited for longer than --drain")
    done = _run(binaries, "--drain", "1", "--drain-delay", "2", "--dev")
    check(done.returncode == 2 and "--drain-delay" in done.stderr, "the delay is a part of it", done)


def keys_are_read_again(binaries):
    with Lab(binaries, ["ada", "grace"]) as lab:
        for p in ("ada", "grace"):
            lab.start_meshd(p)
        ada = lab.program("ada")
        ada.wait_for_peers("grace")
        keys = {lab.keys["ada"]: {"peer_id": "ada", "role": "agent"}, "ak_" + "5" * 32: {"peer_id": "newcomer", "role": "agent"}}
        old = open(lab.path("keys.json")).read()
        _write(lab.dir, "keys.json", '{"keys": nonsense')
        lab.processes["registryd"].send_signal(signal.SIGHUP)
        until(lambda: "not reloaded" in open(lab.logs["registryd"]).read(), "the bad file is complained of")
        check(lab.token("grace"), "a bad file changes nothing")
        _write(lab.dir, "keys.json", json.dumps({"keys": keys}))
        lab.processes["registryd"].send_signal(signal.SIGHUP)
        status, _ = until(lambda: (lambda a: a if a[0] == 200 else None)(lab.request("POST", "/api/token", headers={"X-API-Key": "ak_" + "5" * 32})), "the new key works")
        check(status == 200, "a new key is taken without a restart")
        check(lab.request("POST", "/api/token", headers={"X-API-Key": lab.keys["grace"]})[0] == 401, "one that was taken out is refused")
        until(lambda: "strata_registry_signaling_registered 1" in lab.request("GET", "/metrics")[1], "the socket of who lost the key is closed")
        check(lab.alive("ada") and lab.token("ada"), "the others stay")
        _write(lab.dir, "keys.json", old)


def the_certificate_is_exchanged_under_open_connections(binaries):
    def make(folder, name):
        cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                               "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert], capture_output=True)
        assert made.returncode == 0, made.stderr
        return cert, key

    with Lab(binaries, ["ada"]) as probe:
        cert, key = make(probe.dir, "first")
        insecure = ssl.create_default_context()
        insecure.check_hostname, insecure.verify_mode = False, ssl.CERT_NONE
        with Lab(binaries, ["ada"], registry_options=["--tls-cert", cert, "--tls-key", key, "--turn", "127.0.0.1:0", "--turn-tls", "127.0.0.1:0"]) as lab:
            def connect(port=None):
                c = http.client.HTTPSConnection("127.0.0.1", port or lab.http_port, context=insecure, timeout=DEADLINE)
                c.connect()
                return c

            kept = connect()
            first = kept.sock.getpeercert(True)
            kept.request("GET", "/api/config", headers={"X-API-Key": lab.keys["ada"]})
            turns = re.search(r"turns:127\.0\.0\.1:(\d+)", kept.getresponse().read().decode()).group(1)
            check(connect(int(turns)).sock.getpeercert(True) == first, "the TURN server shows the same certificate")
            make(probe.dir, "second")
            lab.processes["registryd"].send_signal(signal.SIGHUP)
            until(lambda: connect().sock.getpeercert(True) != first, "new connections get the new certificate")
            check(connect(int(turns)).sock.getpeercert(True) != first, "TURN connections as well")
            kept.request("GET", "/healthz")
            check(kept.getresponse().status == 200, "the certificate is exchanged and the old connection goes on")
            _write(probe.dir, "key.pem", "letters")
            lab.processes["registryd"].send_signal(signal.SIGHUP)
            until(lambda: "not reloaded" in open(lab.logs["registryd"]).read(), "the bad key is complained of")
            check(connect().sock.getpeercert(True) != first, "a bad key changes nothing")


def a_laboratory_gets_a_certificate(binaries):
    with Lab(binaries, ["ada", "grace"], registry_options=["--tls-self-signed"]) as lab:
        cert, key = lab.path("state/tls-self-signed.crt"), lab.path("state/tls-self-signed.key")
        check(stat.S_IMODE(os.stat(key).st_mode) == 0o600, "its key has mode 0600")
        shown = subprocess.run(["openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256", "-ext", "subjectAltName"], capture_output=True, text=True).stdout
        digest = shown.split("=", 1)[1].split("\n")[0]
        check(digest in open(lab.logs["registryd"]).read(), "its fingerprint is said", shown)
        check("DNS:localhost" in shown and "127.0.0.1" in shown, "it names this machine", shown)
        for p, at in (("ada", "localhost"), ("grace", "127.0.0.1")):
            lab.start_meshd(p, "--trust", cert, env={"SIGNALING_URL": f"wss://{at}:{lab.http_port}/ws", "TOKEN_URL": f"https://{at}:{lab.http_port}/api/token"})
        lab.program("ada").wait_for_peers("grace")
        check(True, "sidecars that trust it meet, by name and by number")
        trusting = ssl.create_default_context(cafile=cert)
        with socket.create_connection(("127.0.0.1", lab.http_port)) as plain, trusting.wrap_socket(plain, server_hostname="localhost") as s:
            check(hashlib.sha256(s.getpeercert(True)).hexdigest().upper() == digest.replace(":", ""), "other clients verify it as well")
        lab.stop("registryd")
        lab.start_registry()
        with socket.create_connection(("127.0.0.1", lab.http_port)) as plain, trusting.wrap_socket(plain, server_hostname="localhost") as s:
            check(hashlib.sha256(s.getpeercert(True)).hexdigest().upper() == digest.replace(":", ""), "it is kept over a restart")


def metrics_are_bounded_whatever_clients_send(binaries):
    with Lab(binaries, ["ada"], registry_options=["--turn", "127.0.0.1:0"]) as lab:
        key = {"X-API-Key": lab.keys["ada"]}

        def series():
            text = lab.request("GET", "/metrics")[1]
            lines = [line for line in text.splitlines() if line]
            kinds = [line.split()[2] for line in lines if line.startswith("# TYPE")]
            values = [line for line in lines if not line.startswith("#")]
            check(len(kinds) == len(set(kinds)), "every name is described once", kinds)
            check(all(re.fullmatch(r'[a-z_]+(\{[a-z]+="[a-z0-9 ]+"\})? \d+', v) for v in values), "every line is one of the format", values)
            check({v.split("{")[0].split()[0] for v in values} == set(kinds), "and every one has values")
            return {v.rsplit(" ", 1)[0]: int(v.rsplit(" ", 1)[1]) for v in values}

        before = series()
        for i in range(50):
            lab.request("GET", f"/nothing/{i}")
            lab.request("POST", "/api/hub/tasks", {"skill": f"s{i}", "target_agent_id": f"a{i}"}, key)
            lab.request("POST", "/api/registry/agents", {"agent_id": f"agent-{i}", "hostname": f"h{i}"}, key)
        after = series()
        check(set(after) == set(before), "names that clients choose become no series", set(after) - set(before))
        check(after['strata_registry_http_responses_total{class="4xx"}'] >= 50, "errors are counted", after)
        check(after["strata_registry_tasks_submitted_total"] >= 50 and after["strata_registry_store_commits_total"] >= 50, "tasks and commits are", after)
        check(after["strata_registry_draining"] == 0 and after["strata_registry_store_failures_total"] == 0, "nothing is wrong", after)


def logs_are_readable_and_hold_no_secrets(binaries):
    for form in ("text", "json"):
        with Lab(binaries, ["ada", "grace"], registry_options=["--log-format", form, "--log-level", "debug"], meshd_options=["--log-format", form, "--log-level", "debug"]) as lab:
            for p in ("ada", "grace"):
                lab.start_meshd(p)
            ada = lab.program("ada")
            ada.wait_for_peers("grace")
            token = lab.token("ada")
            lab.request("GET", f"/ws?token={token}x")
            lab.request("POST", "/api/hub/tasks", b"\x1b[31m", {"X-API-Key": lab.keys["ada"]})
            lab.request("POST", "/api/token", headers={"X-API-Key": "ak_of_nobody"})
            for p in ("ada", "grace", "registryd"):
                lab.stop(p)
            with open(lab.logs["registryd"], encoding="utf-8") as f:
                said = f.read()
            check(all(w in said for w in ("ada: connected from 127.0.0.1", "ada: disconnected", "with an unknown key", "without a valid token")), f"{form}: who came, who left and who was refused is told", said)
            check("ak_of_nobody" not in said, f"{form}: a key that was refused is not written either")
            for name, path in lab.logs.items():
                with open(path, encoding="utf-8") as f:
                    text = f.read()
                check(text and not any(s in text for s in (*lab.keys.values(), token, "\x1b")), f"{form}: the log of {name} holds no secret and no control character")
                if form == "json":
                    lines = [json.loads(line) for line in text.splitlines()]
                    check(all({"time", "level", "program", "message"} <= set(line) for line in lines), f"json: every line of {name} is an object", lines[:3])
                else:
                    check(all(line[4] == "-" and line[23] == "Z" for line in text.splitlines()), f"text: every line of {name} begins with its time", text[:300])


def the_log_level_changes_while_it_runs(binaries):
    with Lab(binaries, ["ada"]) as lab:
        config = _write(lab.dir, "r.toml", 'log-level = "error"\n')
        lab.stop("registryd")
        open(lab.logs["registryd"], "w").close()
        lab.registry_options = ["--config", config]
        lab.start_registry()
        check(open(lab.logs["registryd"]).read() == "", "at error nothing is said in good days", open(lab.logs["registryd"]).read())
        _write(lab.dir, "r.toml", 'log-level = "info"\n')
        lab.processes["registryd"].send_signal(signal.SIGHUP)
        until(lambda: "reloaded" in open(lab.logs["registryd"]).read(), "it speaks")
        check(True, "SIGHUP reads the level again")


def pages_of_other_origins_are_let_in_when_listed(binaries):
    ask = {"Origin": "https://hub.example.org", "Access-Control-Request-Method": "GET"}

    def headers(lab, method, path, more):
        c = http.client.HTTPConnection("127.0.0.1", lab.http_port, timeout=DEADLINE)
        c.request(method, path, headers=more)
        r = c.getresponse()
        r.read()
        return r.status, {k.lower(): v for k, v in r.getheaders()}

    with Lab(binaries, ["ada"]) as lab:
        status, h = headers(lab, "OPTIONS", "/api/token", ask)
        check(status == 405 and not any("access-control" in k for k in h), "without a list nobody is", (status, h))
    with Lab(binaries, ["ada"], registry_options=["--cors-origin", "https://hub.example.org"]) as lab:
        status, h = headers(lab, "OPTIONS", "/api/token", ask)
        check(status == 204 and h["access-control-allow-origin"] == "https://hub.example.org" and "X-API-Key" in h["access-control-allow-headers"], "a listed one is told what it may do", (status, h))
        status, h = headers(lab, "GET", "/healthz", {"Origin": "https://hub.example.org"})
        check(h.get("access-control-allow-origin") == "https://hub.example.org" and h["vary"] == "Origin", "and may read answers", h)
        status, h = headers(lab, "GET", "/api/registry/agents", {"Origin": "https://hub.example.org"})
        check(status == 401 and "access-control-allow-origin" in h, "errors too", (status, h))
        check("access-control-allow-credentials" not in h, "without the browser's own credentials")
        for origin in ("https://hub.example.org.evil", "null", "http://hub.example.org"):
            status, h = headers(lab, "OPTIONS", "/api/token", {**ask, "Origin": origin})
            check(status == 403 and "access-control-allow-origin" not in h, f"{origin} is not", (status, h))
    for wrong in ("hub.example.org", "https://hub.example.org/", "https://Hub.example.org", "ftp://x"):
        done = _run(binaries, "--cors-origin", wrong, "--print-config")
        check(done.returncode != 0 and "origin" in done.stderr, f"{wrong} is refused as an origin", done)
