"""The demo behind script/demo: three sidecars, every pair talks, the registry dies, they go on talking."""
import argparse
import hashlib
import itertools
import json
import os
import signal
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tests", "daemons"))
from lab import Lab  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tests", "natlab"))
import tiers  # noqa: E402
import world  # noqa: E402

PEERS = ["ada", "grace", "hedy"]
PINGS = 50


class Talker:
    """One program: sends numbered messages to every other peer and checks off what it gets."""

    def __init__(self, lab, name):
        self.name = name
        self.program = lab.program(name)
        self.others = [p for p in PEERS if p != name]
        self.sent = {p: 0 for p in self.others}
        self.expected = {p: 0 for p in self.others}
        self.received = {p: 0 for p in self.others}
        self.trouble = []

    def take(self, event):
        payload = event["payload"]
        if event["type"] == "message":
            sender, text = payload["from_peer"], payload["message"]["payload"]["message"]
            number, digest = text.split(" ", 2)[:2]
            if int(number) != self.received[sender]:
                self.trouble.append(f"{self.name}: message {number} from {sender}, expected {self.received[sender]}")
            if hashlib.sha256(f"{sender}>{self.name}:{number}".encode()).hexdigest() != digest:
                self.trouble.append(f"{self.name}: message {number} from {sender} is damaged")
            self.received[sender] += 1
        elif event["type"] == "send_failed":
            self.trouble.append(f"{self.name}: {payload}")

    def send(self, count):
        for _ in range(count):
            for p in self.others:
                n = self.sent[p]
                digest = hashlib.sha256(f"{self.name}>{p}:{n}".encode()).hexdigest()
                self.program.send(p, f"{n} {digest} {'.' * (n % 200)}")
                self.sent[p] += 1

    def receive_all(self, count):
        for p in self.others:
            self.expected[p] += count
        while not self.trouble and any(self.received[p] < self.expected[p] for p in self.others):
            self.take(self.program.next_event())

    def exchange(self, count):
        sender = threading.Thread(target=self.send, args=(count,))
        sender.start()
        try:
            self.receive_all(count)
        except (AssertionError, OSError) as e:
            self.trouble.append(f"{self.name}: {e}")
        sender.join()

    def ping(self, peer, count):
        for _ in range(count):
            self.program.command("ping", target_peer=peer)
            while True:
                event = self.program.next_event()
                self.take(event)
                if event["type"] in ("pong", "send_failed"):
                    break

    def links(self):
        self.program.command("status")
        found = []
        while True:
            event = self.program.next_event()
            self.take(event)
            if event["type"] == "link":
                found.append(event["payload"])
            if event["type"] == "status":
                return found


def together(talkers, action):
    threads = [threading.Thread(target=action, args=(t,)) for t in talkers]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def milliseconds(value):
    return "-" if value is None else f"{value:.2f}"


def table(rows):
    widths = [max(len(str(r[i])) for r in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  " + "  ".join(str(c).ljust(w) for c, w in zip(row, widths)).rstrip())


def show_tiers(binaries):
    """Two more sidecars, behind NATs of the Linux kernel: the best way between them dies, then the next, then both return."""
    print("\nthree tiers: two sidecars in networks of their own, each behind a NAT, with registryd as registry and as relay")
    if reason := world.why_not():
        print(f"  not shown: {reason}")
        return True
    print(f"  {'what happens':34}{'way':10}{'first answer after':>20}{'round trip p50':>17}{'p99':>12}")

    def say(row):
        what, tier, *times, _ = tiers.cells_of(row)
        print(f"  {what:34}{tier:10}{times[0]:>20}{times[1]:>17}{times[2]:>12}", flush=True)

    try:
        tiers.run_tiers(binaries, say=say)
    except world.impossible as trouble:
        print(f"  FAILED: {trouble}")
        return False
    return True


def main():
    options = argparse.ArgumentParser()
    options.add_argument("binaries")
    options.add_argument("--keep", action="store_true")
    options.add_argument("--messages", type=int, default=500)
    options.add_argument("--json")
    o = options.parse_args()

    # Every step has a deadline of its own; one for the whole keeps a broken run from hanging.
    if not o.keep:
        signal.alarm(300)
    with Lab(o.binaries, PEERS, meshd_options=["--quiet"], registry_options=["--quiet"]) as lab:
        print(f"registryd listens on 127.0.0.1:{lab.http_port}, its STUN responder on 127.0.0.1:{lab.stun_port}")
        for p in PEERS:
            lab.start_meshd(p)
        talkers = [Talker(lab, p) for p in PEERS]
        for t in talkers:
            t.program.wait_for_peers(*t.others)
        print(f"{', '.join(PEERS)}: every pair is linked")

        together(talkers, lambda t: t.exchange(o.messages))
        print(f"{o.messages} messages in each of {len(PEERS) * (len(PEERS) - 1)} directions")

        lab.stop("registryd", signal.SIGKILL)
        print("registryd killed; the sidecars have nobody but each other")
        together(talkers, lambda t: t.exchange(o.messages))
        print(f"{o.messages} more in each direction, without a registry")

        for t in talkers:
            for p in t.others:
                t.ping(p, PINGS)
        report = []
        for t in talkers:
            for link in t.links():
                report.append({"from": t.name, "to": link["peer"], **{k: link[k] for k in ("connection", "rtt_ms", "messages_sent", "messages_received")},
                               "sent": t.sent[link["peer"]], "received": t.received[link["peer"]]})

        print("\nlinks (local and remote candidate, milliseconds from the start of the attempt to the end of each phase)")
        rows = [("link", "local", "remote", "signaling", "gathering", "checks", "dtls", "sctp", "channel")]
        for r in report:
            c, ph = r["connection"], r["connection"]["phases_ms"]
            rows.append((f"{r['from']} - {r['to']}", f"{c['local']['type']} {c['local']['address']}", f"{c['remote']['type']} {c['remote']['address']}",
                         *(milliseconds(ph[k]) for k in ("signaling", "gathering", "checks", "dtls", "sctp", "channel"))))
        table(rows)
        print(f"\nround trips (of {PINGS} pings through both sidecars, milliseconds) and messages of the programs")
        rows = [("link", "p50", "p99", "sent", "received")]
        for r in report:
            rows.append((f"{r['from']} - {r['to']}", milliseconds(r["rtt_ms"]["p50"]), milliseconds(r["rtt_ms"]["p99"]), r["sent"], r["received"]))
        table(rows)
        if o.json:
            with open(o.json, "w") as f:
                json.dump(report, f, indent=2)

        trouble = list(itertools.chain.from_iterable(t.trouble for t in talkers))
        total = sum(sum(t.received.values()) for t in talkers)
        expected = 2 * o.messages * len(PEERS) * (len(PEERS) - 1)
        for line in trouble:
            print(line)
        ok = not trouble and total == expected and len(report) == len(PEERS) * (len(PEERS) - 1)
        print(f"\n{total} of {expected} messages arrived, each once and in order" if ok else f"\nFAILED: {total} of {expected} messages arrived")

        ok = show_tiers(o.binaries) and ok
        if o.keep and ok:
            lab.start_registry()
            ctl = os.path.join(o.binaries, "meshctl")
            print("\nrunning until Ctrl-C; try")
            print(f"  {ctl} --ipc {lab.ipc('ada')} status\n  {ctl} --ipc {lab.ipc('ada')} ping grace")
            print(f"  {ctl} --ipc {lab.ipc('ada')} send grace 'hello'\n  {ctl} stun 127.0.0.1:{lab.stun_port}")
            print(f"  curl -s http://127.0.0.1:{lab.http_port}/metrics")
            try:
                signal.pause()
            except KeyboardInterrupt:
                pass
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
