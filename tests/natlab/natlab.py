"""The program behind script/natlab: which worlds to make, what to print."""
import argparse
import json
import os
import shutil
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import behaviour  # noqa: E402
import faults  # noqa: E402
import matrix  # noqa: E402
import port_mapping  # noqa: E402
import tiers  # noqa: E402
import world  # noqa: E402

QUICK = "public:symmetric,full:port_restricted,port_restricted:port_restricted,symmetric:restricted,cgnat:port_restricted,symmetric:symmetric,udp_blocked:port_restricted"


def leave(*_):
    raise SystemExit(130)  # through every 'with': nothing is left behind


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return folder


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries")
    parser.add_argument("--pairs", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--no-matrix", action="store_true")
    parser.add_argument("--no-relay", action="store_true")
    parser.add_argument("--faults", nargs="?", const="", default=None)
    parser.add_argument("--behaviour", action="store_true")
    parser.add_argument("--port-mapping", action="store_true")
    parser.add_argument("--tiers", action="store_true")
    parser.add_argument("--patience", type=float, default=20)
    parser.add_argument("--logs", default="build/natlab-logs")
    parser.add_argument("--json")
    o = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, leave)
    missing = world.why_not() or (None if o.no_relay or shutil.which("turnserver") else "coturn is not installed (script/bootstrap --test)")
    if missing:
        print(f"natlab: {missing}", file=sys.stderr)
        return 2
    try:
        wanted = [] if o.no_matrix else matrix.pairs(o.pairs or (QUICK if o.quick else ""))
    except ValueError as reason:
        print(f"natlab: {reason}", file=sys.stderr)
        return 2
    troubles = [name for name in faults.FAULTS if o.faults is not None and o.faults in name]
    logs = os.path.abspath(o.logs)
    rows, fault_rows = [], []
    for a, b in wanted:
        row = matrix.run_cell(a, b, o.binaries, fresh(os.path.join(logs, f"{a}-{b}")), o.patience, None if o.no_relay else "coturn")
        rows.append(row)
        print(f"{a} - {b}: {row['tier']}{'' if row['ok'] else ' FAILED ' + row['wrong']}", file=sys.stderr, flush=True)
    if rows:
        print(matrix.format_table([matrix.HEAD] + [matrix.cells_of(row) for row in rows]))
        print("phases in milliseconds since b began the attempt; RTT is the median of a request and its answer, program to program")
    for name in troubles:
        row = faults.run_fault(name, o.binaries, fresh(faults.folder_for(logs, name)), o.patience)
        fault_rows.append(row)
        print(f"{name}: {'ok' if row['ok'] else 'FAILED ' + row['wrong']}", file=sys.stderr, flush=True)
    if fault_rows:
        print(matrix.format_table([faults.HEAD] + [faults.cells_of(row) for row in fault_rows]))
        print("numbers are side a / side b; reported: meshd told its program that it could not be sent")
    kind_rows = []
    for kind in behaviour.EXPECTED if o.behaviour else ():
        kind_rows.append(row := behaviour.run_kind(kind, o.binaries, fresh(os.path.join(logs, f"nat-{kind}"))))
        print(f"{kind}: {row['found'][0]}{'' if row['ok'] else ' FAILED ' + row['wrong']}", file=sys.stderr, flush=True)
    if kind_rows:
        print(matrix.format_table([behaviour.HEAD] + [behaviour.cells_of(row) for row in kind_rows]))
    mapping_rows = []
    if o.port_mapping and not port_mapping.program():
        print("natlab: no miniupnpd (Debian: miniupnpd-nftables; MINIUPNPD=PATH): port mappings are not tried", file=sys.stderr)
    for protocol in port_mapping.PROTOCOLS if o.port_mapping and port_mapping.program() else ():
        mapping_rows.append(row := port_mapping.run_protocol(protocol, o.binaries, fresh(os.path.join(logs, f"map-{protocol}"))))
        print(f"{protocol}: {row['outside']}{'' if row['ok'] else ' FAILED ' + row['wrong']}", file=sys.stderr, flush=True)
    if mapping_rows:
        print(matrix.format_table([port_mapping.HEAD] + [port_mapping.cells_of(row) for row in mapping_rows]))
    tier_rows = []
    if o.tiers:
        try:
            tier_rows = [{"ok": True, **row} for row in tiers.run_tiers(o.binaries, fresh(os.path.join(logs, "tiers")), patience=o.patience)]
            print(matrix.format_table([tiers.HEAD] + [tiers.cells_of(row) for row in tier_rows]))
        except world.impossible as reason:
            tier_rows = [{"ok": False, "wrong": str(reason)}]
            print(f"tiers: FAILED {reason}", file=sys.stderr, flush=True)
    all_rows = tier_rows + rows + fault_rows + kind_rows + mapping_rows
    if o.json:
        with open(o.json, "w", encoding="utf-8") as file:
            json.dump({"cells": rows, "faults": fault_rows, "behaviour": kind_rows, "port mappings": mapping_rows, "tiers": tier_rows}, file, indent=2)
    failed = sum(not row["ok"] for row in all_rows)
    print(f"{len(all_rows) - failed} ok, {failed} failed; logs of the daemons are in {o.logs}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
