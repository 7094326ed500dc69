"""Two programs that ask and answer while the best way between them dies, then the next, then all come back: what a message takes on each."""
import signal
import statistics
import time

from matrix import tier_of
from mesh import account, mesh
from world import impossible, world

HEAD = ("what happens", "tier", "first answer after", "round trip p50", "p99", "requests")
REQUESTS = 100


def ask(one, count, seconds=30):
    """So many requests, one after the other; the round trips of those that were answered."""
    times = []
    for _ in range(count):
        before = len(one.round_trips)
        one.request()
        if not one.wait(lambda before=before: len(one.round_trips) > before, seconds):
            raise impossible("a request stays without an answer")
        times.append(one.round_trips[-1])
    return times


def settle(one, wanted, seconds=60):
    """Until messages take this way; what they take meanwhile is another row's business."""
    deadline = time.monotonic() + seconds
    while (found := tier(one)) != wanted:
        if time.monotonic() > deadline:
            raise impossible(f"messages take the way '{found}' instead of '{wanted}'")
        time.sleep(0.02)  # lint: allow sleep: another process is asked again


def tier(one):
    link = one.link()
    used = (link.get("delivery") or {}).get("tier", "none")
    if used in ("direct", "relayed"):
        return {"relay": "relayed", "direct": "direct", "none": used}[tier_of(link.get("connection"))]
    return used


def run_tiers(binaries, folder=None, say=lambda row: None, patience=20):
    """Rows for HEAD, each handed to `say` when it is there; raises impossible."""
    with world("port_restricted", "port_restricted", folder=folder) as w:
        lab = mesh(w, binaries, "registryd")
        one, two = lab.start_host("a"), lab.start_host("b")
        if not (one.wait_connected(patience) and two.wait_connected(patience)):
            raise impossible("the two never linked")
        steps = (
            ("nothing", "direct", lambda: None),
            ("no UDP passes between the two", "relayed", w.block_direct),
            ("the relay is killed as well", "tasks", lambda: w.stop("relay", signal.SIGKILL)),
            ("the relay is back", "relayed", lab.start_relay),
            ("the direct way is back", "direct", w.unblock_direct),
        )
        rows = []
        for what, wanted, happen in steps:
            happen()
            first = ask(one, 1)[0]
            settle(one, wanted, 120)
            times = sorted(ask(one, REQUESTS))
            row = {"what": what, "tier": wanted, "first_ms": 1000 * first, "p50_ms": 1000 * statistics.median(times),
                   "p99_ms": 1000 * times[len(times) * 99 // 100], "requests": len(times) + 1}
            rows.append(row)
            say(row)
        one.wait(lambda: one.settled(two), 10)
        counts, wrong = account(one, two)
        if wrong or counts["arrived"] != counts["sent"]:
            raise impossible("; ".join(wrong) or f"{counts}")
        return rows


def cells_of(row):
    return (row["what"], row["tier"], *(f"{row[k]:.1f} ms" for k in ("first_ms", "p50_ms", "p99_ms")), str(row["requests"]))
