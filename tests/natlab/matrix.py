"""Every kind of network toward every kind: which tier two meshd find, through which candidates, how fast."""
import statistics
import time

from mesh import mesh, until
from rules import KINDS
from world import impossible, world

ORDER = {"none": 0, "relay": 1, "direct": 2}
REQUESTS = 20


def expected(a, b):
    """The best tier that exists between two kinds.

    Two hosts reach each other directly when one of them can be found at an address that the other knows, and its filter
    takes packets from where they come. A symmetric NAT sends from a port nobody was told of: that passes a filter that looks at
    addresses only, and none that looks at ports.
    """
    if "udp_blocked" in (a, b):
        return "relay"
    filters_ports = {"port_restricted", "symmetric", "cgnat"}
    if "symmetric" in (a, b) and (b if a == "symmetric" else a) in filters_ports:
        return "relay"
    return "direct"


def tier_of(connection):
    if not connection or "local" not in connection:
        return "none"
    return "relay" if "relay" in (connection["local"]["type"], connection["remote"]["type"]) else "direct"


def milliseconds(values):
    return round(1000 * statistics.median(values), 2) if values else None


def settled_link(host, wanted):
    """The link when it has the tier that is wanted, or what it has after three seconds: data may begin on a relay."""
    deadline = time.monotonic() + 3
    while True:
        link = host.link()
        if tier_of(link.get("connection") or {}) == wanted or time.monotonic() > deadline:
            return link
        time.sleep(0.05)  # lint: allow sleep: another process is asked again


def run_cell(a, b, binaries, folder, patience, relay="coturn"):
    """One pair: the side that comes second calls. Returns a row of the table."""
    row = {"from": a, "to": b, "expected": expected(a, b) if relay or expected(a, b) == "direct" else "none", "tier": "none"}
    begin = time.monotonic()
    try:
        with world(a, b, folder=folder) as w:
            m = mesh(w, binaries, relay)
            first = m.start_host("a")
            until(first.registered, "side a registers")
            second = m.start_host("b")
            begin = time.monotonic()
            if second.wait_connected(patience) and first.wait_connected(patience):
                row["linked_s"] = round(time.monotonic() - begin, 2)
                for _ in range(REQUESTS):
                    for one, other in ((first, second), (second, first)):
                        one.request()
                        one.wait(lambda one=one, other=other: one.settled(other), 10)
                row["requests"] = [len(first.sent_at), len(second.sent_at)]
                row["answers"] = [len(first.round_trips), len(second.round_trips)]
                row["rtt_ms"] = milliseconds(first.round_trips + second.round_trips)
                link = settled_link(second, row["expected"])
                connection = link.get("connection") or {}
                row.update(tier=tier_of(connection), local=connection.get("local"), remote=connection.get("remote"),
                           phases_ms=connection.get("phases_ms"), attempts=link.get("attempts"))
            for name in list(w.processes):
                if name.startswith("meshd") and w.stop(name) != 0:
                    row["trouble"] = f"{name} did not end cleanly; see {w.logs[name]}"
    except impossible as reason:
        row["trouble"] = str(reason)
    judge(row)
    return row


def judge(row):
    wrong = []
    if ORDER[row["tier"]] < ORDER[row["expected"]]:
        wrong.append(f"expected {row['expected']}, found {row['tier']}")
    if row.get("answers") != row.get("requests"):
        wrong.append(f"{row['answers']} of {row['requests']} requests were answered")
    if "trouble" in row:
        wrong.append(row["trouble"])
    row["ok"], row["wrong"] = not wrong, "; ".join(wrong)


def pairs(text):
    """A:B,... as a list; without a text, all ordered pairs."""
    if not text:
        return [(a, b) for a in KINDS for b in KINDS]
    found = [tuple(part.split(":")) for part in text.split(",")]
    for pair in found:
        if len(pair) != 2 or not set(pair) <= set(KINDS):
            raise ValueError(f"'{':'.join(pair)}' is no pair; the kinds are {', '.join(KINDS)}")
    return found


HEAD = ("a", "b (calls)", "expected", "tier", "pair of b", "gathered", "checked", "dtls", "sctp", "channel", "RTT ms", "")


def cells_of(row):
    phases = row.get("phases_ms") or {}
    pair = f"{row['local']['type']} - {row['remote']['type']}" if row.get("local") else "-"
    times = ["-" if phases.get(k) is None else f"{phases[k]:.0f}" for k in ("gathering", "checks", "dtls", "sctp", "channel")]
    return (row["from"], row["to"], row["expected"], row["tier"], pair, *times, str(row.get("rtt_ms", "-")),
            "" if row["ok"] else "FAILED " + row["wrong"])


def format_table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)
