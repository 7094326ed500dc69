"""What `meshctl nat` says of each kind of NAT: RFC 5780 against registryd with two addresses, on real kernels."""
import json
import os
import subprocess

import world

# Kind of network: name, mapping, filtering.
EXPECTED = {
    "public": ("open internet", "no NAT", "endpoint-independent"),
    "full": ("full cone", "endpoint-independent", "endpoint-independent"),
    "restricted": ("restricted cone", "endpoint-independent", "address-dependent"),
    "port_restricted": ("port-restricted cone", "endpoint-independent", "address- and port-dependent"),
    "symmetric": ("symmetric", "address- and port-dependent", "address- and port-dependent"),
    "cgnat": ("port-restricted cone", "endpoint-independent", "address- and port-dependent"),
    "udp_blocked": ("UDP blocked", "unknown", "unknown"),
}
HEAD = ["network", "NAT", "mapping", "filtering", "ports", "hairpin", "as expected"]


def run_kind(kind, binaries, folder):
    expected = EXPECTED[kind]
    with world.world(kind, "public", folder=folder) as lab:
        lab.spawn("registryd", "inet", os.path.join(binaries, "registryd"), "--dev", "--listen", "127.0.0.1:8080", "--state-dir", lab.folder,
                  "--stun", f"{world.REGISTRY}:3478", "--stun-alternate", world.SECOND)
        command = ["ip", "netns", "exec", lab.named("host-a"), os.path.join(binaries, "meshctl"), "nat", "--json", "--server", f"{world.REGISTRY}:3478"]
        # The server may not listen yet, which looks like a network that blocks everything.
        for _ in range(3):
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL)
            report = json.loads(done.stdout) if done.stdout else {}
            if report.get("nat") != "offline":
                break
    found = tuple(report.get(key) for key in ("nat", "mapping", "filtering"))
    return {"kind": kind, "found": found, "ok": found == expected, "report": report, "wrong": "" if found == expected else f"expected {expected}: {done.stderr.strip()}"}


def cells_of(row):
    report = row["report"]
    return [row["kind"], *(str(cell) for cell in row["found"]), str(report.get("ports")), str(report.get("hairpin")), "yes" if row["ok"] else "NO"]
