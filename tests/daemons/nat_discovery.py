"""registryd --stun-alternate and meshctl nat: NAT behaviour discovery (RFC 5780) with each other, with coturn, and by hand."""
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile

from lab import DEADLINE, Lab, check, until

COOKIE = 0x2112A442
ALTERNATE = ["--stun-alternate", "127.0.0.2"]


def _binding(*attributes):
    body = b"".join(struct.pack("!HH", kind, len(value)) + value for kind, value in attributes)
    return struct.pack("!HHI", 1, len(body), COOKIE) + os.urandom(12) + body


def _free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _meshctl(binaries, *options):
    done = subprocess.run([os.path.join(binaries, "meshctl"), "nat", *options], capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def a_registry_with_two_addresses_answers_from_four_places(binaries):
    with Lab(binaries, ["ada"], registry_options=ALTERNATE) as lab:
        server = ("127.0.0.1", lab.stun_port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(DEADLINE)
            places = set()
            for flags in (0, 2, 4, 6):
                s.sendto(_binding((3, struct.pack("!I", flags))), server)
                answer, place = s.recvfrom(2048)
                places.add(place)
                check(struct.unpack("!H", answer[:2])[0] == 0x0101, f"flags {flags} are answered", answer)
                check((place[0] != server[0], place[1] != server[1]) == (flags & 4 != 0, flags & 2 != 0), f"flags {flags} choose the place", place)
            check(len(places) == 4, "there are four places", places)
        with socket.create_connection(server, timeout=DEADLINE) as t:
            t.sendall(_binding())
            check(t.recv(2048)[:2] == b"\x01\x01", "STUN is answered over TCP as well")
        code, out, err = _meshctl(binaries, "--registry", f"http://127.0.0.1:{lab.http_port}", "--json")
        report = json.loads(out)
        check(code == 0 and report["nat"] == "open internet" and report["servers"][0]["rfc5780"], "meshctl nat asks whom the registry names", (code, out, err))
        status, text = lab.request("GET", "/metrics", headers={"X-API-Key": lab.keys["ada"]})
        check(status == 200 and "stun_discovery_answered_total" in text, "discovery is counted", text)


def a_registry_with_one_address_refuses_to_answer_from_another(binaries):
    with Lab(binaries, ["ada"]) as lab, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(DEADLINE)
        s.sendto(_binding((3, struct.pack("!I", 6))), ("127.0.0.1", lab.stun_port))
        answer = s.recv(2048)
        check(answer[:2] == b"\x01\x11" and answer[26:28] == b"\x04\x14", "CHANGE-REQUEST is unknown to it: 420", answer)
        code, out, _ = _meshctl(binaries, "--server", f"127.0.0.1:{lab.stun_port}", "--line")
        check(code == 0 and out.startswith("no NAT: mapping no NAT, filtering unknown"), "and meshctl says what it does not know", out)


def coturn_and_strata_find_out_the_same(binaries):
    if not shutil.which("turnutils_natdiscovery") or not shutil.which("turnserver"):
        print("SKIP daemons: discovery with coturn: coturn is not installed")
        return
    with Lab(binaries, ["ada"], registry_options=ALTERNATE) as lab:
        done = subprocess.run(["turnutils_natdiscovery", "-m", "-f", "-p", str(lab.stun_port), "127.0.0.1"], capture_output=True, text=True, timeout=60, check=False)
        text = done.stdout + done.stderr
        check("Endpoint Independent Mapping" in text and "Endpoint Independent Filtering" in text, "coturn's client understands registryd", text[-2000:])
        port, folder = _free_port(), tempfile.mkdtemp(dir=lab.dir)
        lab.spawn("coturn", "turnserver", "-n", "--listening-ip=127.0.0.1", "--listening-ip=127.0.0.2", f"--listening-port={port}", f"--alt-listening-port={_free_port()}",
                  "--stun-only", "--no-cli", "--no-tls", "--no-dtls", "--log-file=stdout", f"--pidfile={folder}/pid", f"--userdb={folder}/db")
        report = until(lambda: (r := json.loads(_meshctl(binaries, "--server", f"127.0.0.1:{port}", "--json")[1]))["nat"] != "offline" and r, "coturn answers")
        check(report["nat"] == "open internet" and report["servers"][0]["rfc5780"], "meshctl nat understands coturn", report)
