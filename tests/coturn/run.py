"""A real TURN server against our client: coturn on loopback, tried out with `meshctl turn`.

Prints one line a case: PASS name, FAIL name reason, SKIP name reason.
"""
import argparse
import base64
import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

SECRET, USER, PASSWORD, REALM = "north", "ada", "lovelace", "relay.example"


def free_port():
    """A port that is free for TCP and UDP at this moment, with its neighbours, which coturn takes as alternative ports."""
    while True:
        with socket.socket() as tcp:
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                for at in (port, port + 1):
                    with socket.socket(socket.AF_INET, kind) as probe:
                        probe.bind(("127.0.0.1", at))
            return port
        except OSError:
            continue


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def certificate(folder):
    key, cert = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


def rest_credentials(lifetime=3600, secret=SECRET):
    """Of the TURN REST scheme: the name says until when."""
    name = f"{int(time.time()) + lifetime}:{USER}"
    code = hmac.new(secret.encode(), name.encode(), hashlib.sha1).digest()
    return name, base64.b64encode(code).decode()


class coturn:
    """turnserver in the foreground, with these options besides the common ones."""

    def __init__(self, name, folder, *options, rest=False, v6=False):
        self.port, self.tls_port = free_port(), free_port()
        self.log_path = os.path.join(folder, f"coturn-{name}.log")
        who = ["--use-auth-secret", f"--static-auth-secret={SECRET}"] if rest else ["--lt-cred-mech", f"--user={USER}:{PASSWORD}"]
        both = ["--listening-ip=::1", "--relay-ip=::1"] if v6 else []
        command = ["turnserver", "-n", "--no-cli", "--no-stdout-log", "--simple-log", f"--log-file={self.log_path}",
                   f"--pidfile={os.path.join(folder, name)}.pid", f"--db={os.path.join(folder, name)}.sqlite",
                   "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", *both, f"--listening-port={self.port}",
                   f"--tls-listening-port={self.tls_port}", "--allow-loopback-peers", f"--realm={REALM}", "--verbose", *who, *options]
        with open(self.log_path + ".out", "w", encoding="utf-8") as out:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)

    def wait(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self.child.poll() is not None:
                raise RuntimeError(f"coturn ended ({self.child.returncode}); see {self.log_path}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.05)  # lint: allow sleep: another process is waited for, and it sends no event
        raise RuntimeError(f"coturn does not listen; see {self.log_path}")

    def __enter__(self):
        return self.wait()

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


class bench:
    def __init__(self, build, folder):
        self.meshctl, self.folder = os.path.join(build, "apps/meshctl"), folder
        self.cert, self.key = certificate(folder)

    def probe(self, uri, *flags, user=USER, password=PASSWORD):
        """The report of `meshctl turn --json`, and its exit code."""
        done = subprocess.run([self.meshctl, "turn", uri, "--json", *flags], capture_output=True, text=True, timeout=90, check=False,
                              env=dict(os.environ, TURN_USERNAME=user, TURN_PASSWORD=password))
        try:
            return json.loads(done.stdout), done.returncode
        except ValueError:
            raise AssertionError(f"exit {done.returncode}, no JSON: {done.stdout[-300:]} {done.stderr[-1500:]}") from None


def expect(condition, what):
    if not condition:
        raise AssertionError(str(what))


def expect_all_well(answer):
    report, code = answer
    expect(code == 0 and report["ok"], report)
    expect(report["rtt_ms"] is not None and report["channel_rtt_ms"] is not None, report)
    expect(report["lifetime_s"] >= 600 and report["mapped"], report)
    return report


def expect_failure(answer, word):
    report, code = answer
    expect(code == 1 and not report["ok"] and word in report["error"], report)


def every_transport(b, folder):
    with coturn("plain", folder, f"--cert={b.cert}", f"--pkey={b.key}", "--no-dtls") as c:
        yield "relays over UDP", lambda: expect_all_well(b.probe(f"turn:127.0.0.1:{c.port}"))
        yield "relays over TCP", lambda: expect_all_well(b.probe(f"turn:127.0.0.1:{c.port}?transport=tcp"))
        yield "relays over TLS", lambda: expect_all_well(b.probe(f"turns:localhost:{c.tls_port}", "--trust", b.cert))
        yield "a certificate that nobody vouches for is refused", lambda: expect_failure(
            b.probe(f"turns:localhost:{c.tls_port}"), "certificate")
        yield "a wrong password is an error in words", lambda: expect_failure(
            b.probe(f"turn:127.0.0.1:{c.port}", password="wrong"), "401")
        yield "an unknown user is an error in words", lambda: expect_failure(
            b.probe(f"turn:127.0.0.1:{c.port}", user="nobody"), "401")
        yield "IPv6 of a server that has none is an error in words", lambda: expect_failure(
            b.probe(f"turn:127.0.0.1:{c.port}", "--ipv6"), "440")

        def one_of_two():
            report = expect_all_well(b.probe(f"turn:127.0.0.1:{c.port}", "--both"))
            expect(len(report["relayed"]) == 1 and report["partial_refusal"] == 440, report)
        yield "of two families the one it has", one_of_two


def rest_secret(b, folder):
    with coturn("rest", folder, rest=True) as c:
        name, password = rest_credentials()
        yield "credentials made from a shared secret", lambda: expect_all_well(
            b.probe(f"turn:127.0.0.1:{c.port}", user=name, password=password))
        old, old_password = rest_credentials(lifetime=-60)
        yield "credentials that have expired", lambda: expect_failure(
            b.probe(f"turn:127.0.0.1:{c.port}", user=old, password=old_password), "401")
        _, other = rest_credentials(secret="south")
        yield "credentials of another secret", lambda: expect_failure(
            b.probe(f"turn:127.0.0.1:{c.port}", user=name, password=other), "401")


def both_families(b, folder):
    with coturn("both", folder, v6=True) as c:
        def two():
            report = expect_all_well(b.probe(f"turn:127.0.0.1:{c.port}", "--both"))
            expect(len(report["relayed"]) == 2 and report["relayed"][1].startswith("["), report)
        yield "an address of each family in one allocation", two
        yield "an IPv6 address over IPv4", lambda: expect_all_well(b.probe(f"turn:127.0.0.1:{c.port}", "--ipv6"))
        yield "the server at its IPv6 address", lambda: expect_all_well(b.probe(f"turn:[::1]:{c.port}", "--ipv6"))


def stale_nonces(b, folder):
    with coturn("stale", folder, "--stale-nonce=1") as c:
        yield "nonces that last a second", lambda: expect_all_well(b.probe(f"turn:127.0.0.1:{c.port}"))


def peers_denied(b, folder):
    with coturn("denied", folder, "--denied-peer-ip=127.0.0.0-127.255.255.255") as c:
        yield "peers that the server forbids", lambda: expect_failure(b.probe(f"turn:127.0.0.1:{c.port}"), "forbids")


def no_ports(b, folder):
    with coturn("full", folder, "--user-quota=1") as c:
        def second():
            holder = subprocess.Popen([sys.executable, os.path.abspath(__file__), "--hold", str(c.port)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE)
            try:
                expect(holder.stdout.readline().strip() == b"held", "no first allocation")
                expect_failure(b.probe(f"turn:127.0.0.1:{c.port}"), "486")
            finally:
                holder.kill()
                holder.wait()
        yield "a user's quota", second


def hold(port):
    """An allocation that is made and kept: a client of a few lines, with nothing of ours in it."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../daemons"))
    import turn_server
    client = turn_server.Client(("127.0.0.1", port), USER, PASSWORD)
    code, _ = client.request(turn_server.ALLOCATE, turn_server.UDP)
    print("held" if code == 0 else f"refused {code}", flush=True)
    sys.stdin.read()


def redirection(b, folder):
    # RFC 8656 §7.4, RFC 8489 §14.8: coturn redirects before it knows who asks, and does not sign it.
    with coturn("first", folder, "--alternate-server=127.0.0.1:9") as first:
        yield "a redirection that is not signed is not followed", lambda: expect_failure(
            b.probe(f"turn:127.0.0.1:{first.port}"), "signed")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default="build-test")
    parser.add_argument("--logs", default="build-test/logs/coturn")
    parser.add_argument("--only", help="cases of this group")
    parser.add_argument("--hold", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.hold:
        return hold(options.hold)
    if not shutil.which("turnserver"):
        print("SKIP coturn: turnserver is not installed (script/bootstrap --test)")
        return 0
    if not os.path.exists(os.path.join(options.build, "apps/meshctl")):
        print("FAIL coturn: apps/meshctl is not built")
        return 1
    folder = os.path.abspath(options.logs)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    b = bench(os.path.abspath(options.build), folder)
    groups = [every_transport, rest_secret, both_families, stale_nonces, peers_denied, no_ports, redirection]
    for group in groups:
        if options.only and group.__name__ != options.only:
            continue
        title = "coturn " + group.__name__.replace("_", " ")
        if group is both_families and not has_ipv6():
            print(f"SKIP {title}: no IPv6 on loopback")
            continue
        try:
            for name, case in group(b, folder):
                try:
                    case()
                    print(f"PASS coturn: {name}", flush=True)
                except (AssertionError, KeyError, subprocess.TimeoutExpired) as problem:
                    print(f"FAIL coturn: {name} {problem}", flush=True)
        except (RuntimeError, OSError, subprocess.CalledProcessError) as problem:
            print(f"FAIL {title} {problem}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
