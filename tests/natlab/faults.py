"""Trouble while numbered messages flow: every message must arrive once or be reported to its program as not sent."""
import os
import random
import signal
import threading
import time

from matrix import milliseconds, tier_of
from mesh import account, mesh
from world import impossible, world

INTERVAL = 0.05  # between requests of one side, unless the trouble wants another


class flow:
    """Both sides ask at a steady pace until stopped."""

    def __init__(self, interval, *talkers):
        self.interval = interval
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self._send, args=(one,), daemon=True) for one in talkers]
        for thread in self.threads:
            thread.start()

    def _send(self, one):
        try:
            while not self.ending.wait(self.interval):
                one.request()
        except OSError:
            pass  # meshd is gone; the account will show it

    def stop(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()


def pause(seconds):
    time.sleep(seconds)  # lint: allow sleep: the trouble has to last this long on real kernels


def lossy(lab):
    lab.world.set_loss(5)
    pause(15)


def distant(_):
    pause(8)  # the world was built with the delay


def router_reboots(lab):
    pause(2)
    lab.world.cut("b")
    pause(2)
    lab.world.reboot_router("b")
    pause(12)


def router_renumbered(lab):
    pause(2)
    lab.world.change_router_address("b")
    pause(20)


def host_renumbered(lab):
    pause(2)
    lab.world.change_host_address("b")
    pause(12)


def relay_killed(lab):
    pause(2)
    lab.world.stop("relay", signal.SIGKILL)
    pause(4)
    lab.start_relay()
    pause(12)


def tiers_die_and_return(lab):
    """Half a minute in which the direct way, the relay and the registry go and come, alone and together."""
    chance = random.Random(1)
    dead = set()
    ways = {
        "direct": (lambda: lab.world.block_direct(), lambda: lab.world.unblock_direct()),
        "relay": (lambda: lab.world.stop("relay", signal.SIGKILL), lab.start_relay),
        "registry": (lambda: lab.world.stop("registryd", signal.SIGKILL), lab.start_registry),
    }
    for _ in range(24):
        way = chance.choice(["direct", "direct", "relay", "registry"])
        ways[way][way in dead]()
        dead ^= {way}
        pause(chance.uniform(0.3, 2.5))
    for way in dead:
        ways[way][1]()
    pause(5)


# name: (what happens, kind of a, kind of b, delay of the world in ms each way)
FAULTS = {
    "loss of 5 %, direct": (lossy, "port_restricted", "port_restricted", 0),
    "loss of 5 %, relayed": (lossy, "symmetric", "symmetric", 0),
    "40 ms each way, direct": (distant, "port_restricted", "port_restricted", 40),
    "40 ms each way, relayed": (distant, "symmetric", "symmetric", 40),
    "NAT reboot, direct": (router_reboots, "full", "port_restricted", 0),
    "NAT reboot, relayed": (router_reboots, "symmetric", "symmetric", 0),
    "new public address, direct": (router_renumbered, "port_restricted", "port_restricted", 0),
    "new address of a host, direct": (host_renumbered, "port_restricted", "port_restricted", 0),
    "new address of a host, relayed": (host_renumbered, "symmetric", "symmetric", 0),
    "relay killed and restarted": (relay_killed, "symmetric", "symmetric", 0),
    "tiers die and return": (tiers_die_and_return, "port_restricted", "port_restricted", 0),
}
INTERVALS = {"tiers die and return": 0.004}  # ten thousand requests and more


def run_fault(name, binaries, folder, patience=20, after=60):
    """One world, one trouble. Returns a row."""
    trouble, a, b, delay = FAULTS[name]
    row = {"fault": name, "from": a, "to": b, "wrong": ""}
    wrong = []
    try:
        with world(a, b, delay, folder) as w:
            lab = mesh(w, binaries)
            one, two = lab.start_host("a"), lab.start_host("b")
            if not (one.wait_connected(patience) and two.wait_connected(patience)):
                raise impossible("the two never linked, before any trouble")
            row["tier_before"] = tier_of(two.link().get("connection"))
            running = flow(INTERVALS.get(name, INTERVAL), one, two)
            try:
                trouble(lab)
            finally:
                running.stop()
            w.set_loss(0)
            begin = time.monotonic()
            for side, other in ((one, two), (two, one)):
                side.wait(lambda side=side, other=other: side.settled(other), after)
            row["settled_s"] = round(time.monotonic() - begin, 2)
            for key, side, other in (("a", one, two), ("b", two, one)):
                row[key], bad = account(side, other)
                wrong += bad
            # It must work again, too: a request that gets its answer, from each side.
            for side, other in ((one, two), (two, one)):
                before = len(side.round_trips)
                side.wait_connected(patience)
                side.request()
                if not side.wait(lambda side=side, before=before: len(side.round_trips) > before, 10):
                    wrong.append(f"side {side.side} gets no answer afterwards")
            link = two.link()
            row.update(tier=tier_of(link.get("connection")), attempts=link.get("attempts"), restarts=link.get("restarts"),
                       opened=link.get("opened"), disconnections=two.disconnections, rtt_ms=milliseconds(one.round_trips + two.round_trips),
                       longest_ms=round(1000 * max(one.round_trips + two.round_trips, default=0)))
            if one.gone or two.gone:
                wrong.append("a meshd closed its local socket")
    except impossible as reason:
        wrong.append(str(reason))
    row["ok"], row["wrong"] = not wrong, "; ".join(wrong)
    return row


HEAD = ("fault", "between", "tier", "sent", "arrived", "reported", "RTT ms", "longest ms", "restarts", "connections", "")


def cells_of(row):
    def both(key):
        return "/".join(str(row[side][key]) for side in "ab") if "b" in row else "-"

    return (row["fault"], f"{row['from']} - {row['to']}", f"{row.get('tier_before', '-')} > {row.get('tier', '-')}", both("sent"),
            both("arrived"), both("refused"), str(row.get("rtt_ms", "-")), str(row.get("longest_ms", "-")), str(row.get("restarts", "-")),
            str(row.get("opened", "-")), "" if row["ok"] else "FAILED " + row["wrong"])


def folder_name(row_name):
    return "".join(c if c.isalnum() else "-" for c in row_name.replace("%", "percent")).strip("-")


def folder_for(logs, name):
    folder = os.path.join(logs, folder_name(name))
    os.makedirs(folder, exist_ok=True)
    return folder
