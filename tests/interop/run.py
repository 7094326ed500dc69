"""Real peers against ours: every stack as offerer and as answerer, over registryd.

Two things of ours take part: strata_peer, a bare rtc::peer_connection that gives back every message (all sizes, text and
binary, a close from each side), and meshd with a program attached (the messages of the mesh). Prints one line a case:
PASS name, FAIL name reason, SKIP name reason.
"""
import argparse
import itertools
import os
import shutil
import subprocess
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [here, os.path.join(here, "../daemons")]
import browser  # noqa: E402
import programs  # noqa: E402
import relay  # noqa: E402
from echo_program import echo_program  # noqa: E402
from lab import Lab, until  # noqa: E402
from processes import process, trouble  # noqa: E402

PEERS = os.path.join(here, "peers")
STACKS = ("chromium", "chromium-mdns", "libwebrtc", "libdatachannel", "aiortc", "werift", "pion", "webrtc-rs")
# The sides that may restart ICE. libdatachannel and aiortc know no restarts.
RESTARTS = {stack: "this,other" for stack in ("chromium", "chromium-mdns", "libwebrtc", "werift", "pion", "webrtc-rs")}
# As an answerer to our restart it asks for the DTLS role that it does not have (RFC 8842 §5.5): it names active, always.
RESTARTS["webrtc-rs", "offerer"] = "this"
# How the two find each other: with candidates that follow, with whole descriptions from both sides, or through a relay alone.
WAYS = {"": {}, "whole descriptions": {"trickle": "no"}, **{f"relayed over {transport}": {"policy": "relay"} for transport in relay.URLS}}
# meshd controls, and moves the peer from its relay to a direct path that comes late.
RENOMINATION = "renomination"
RENOMINATED = (("chromium", "answerer"), ("libwebrtc", "answerer"))  # no other stack knows it
# What a stack cannot do with a relay.
NO_RELAY = {
    ("libwebrtc", "tls"): "it trusts the roots it was built with, and none can be added",
    ("libdatachannel", "tcp"): "its ICE knows relays over UDP only",
    ("libdatachannel", "tls"): "its ICE knows relays over UDP only",
    ("webrtc-rs", "tcp"): "it knows relays over UDP only",
    ("webrtc-rs", "tls"): "it knows relays over UDP only",
    ("chromium-mdns", "udp"): "the same as chromium: a relay has no name to hide",
    ("chromium-mdns", "tcp"): "the same as chromium: a relay has no name to hide",
    ("chromium-mdns", "tls"): "the same as chromium: a relay has no name to hide",
}
SIZES = [0, 1, 100, 1024, 16384, 65536, 262144]
MESH_SIZES = [1, 100, 1024, 16384, 60000]  # a line to the program is 65,536 octets at most
# werift hands an empty message to its SCTP as no data at all; webrtc-rs takes one that arrives for the end of the channel.
SMALLEST = {"werift": 1, "webrtc-rs": 1}
# What they say in a=max-message-size; webrtc-rs says nothing, and reads into 65,535 octets.
LARGEST = {"aiortc": 65536, "werift": 65536, "webrtc-rs": 65535}
OURS, THEIRS = "ours", "theirs"


def node_modules(build):
    """Installs the pinned Node packages into the build folder, once. Returns (folder, why not)."""
    folder = os.path.join(build, "npm")
    wanted = os.path.join(PEERS, "package-lock.json")
    stamp = os.path.join(folder, "installed-lock.json")
    if os.path.exists(stamp):
        with open(stamp, "rb") as have, open(wanted, "rb") as want:
            if have.read() == want.read():
                return folder, None
    if not shutil.which("npm"):
        return None, "npm is not installed"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(PEERS, name), folder)
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        said = [line for line in done.stderr.split("\n") if " code " in line or " request to " in line] or ["(no reason given)"]
        return None, f"npm could not install the peers: {said[0][:200]}"
    shutil.copy(wanted, stamp)
    return folder, None


class bench:
    """What all runs share: where things are, which stacks can run here, and how to start a peer."""

    def __init__(self, options):
        self.build, self.logs = os.path.abspath(options.build), os.path.abspath(options.logs)
        os.makedirs(self.logs, exist_ok=True)
        self.runs, self.all = 0, options.all
        self.programs, self.relay = {}, None
        self.pages = browser.page_server(PEERS)
        self.modules, self.no_modules = node_modules(self.build)

    def why_not(self, stack):
        """Why this stack cannot take part here, or None."""
        if stack.startswith("chromium"):
            if not browser.find_chromium():
                return "Chromium is not installed"
            if not has_address():
                return "no interface but loopback, where browsers gather no candidates"
        elif stack == "aiortc":
            probe = subprocess.run(["/usr/bin/python3", "-c", "import aiortc, websockets"], capture_output=True, check=False)
            if probe.returncode != 0:
                return "python3-aiortc or python3-websockets is not installed"
        elif self.no_modules:
            return self.no_modules
        elif stack in programs.SOURCES:
            if stack not in self.programs:
                self.programs[stack] = programs.program_of(stack, self.all, self.build)
            return self.programs[stack][1]
        return None

    def why_no_way(self, stack, way):
        """Why this stack cannot take this way, or None."""
        if way == RENOMINATION:
            return relay.why_not() or self._start_relay()
        transport = transport_of(way)
        return transport and (NO_RELAY.get((stack, transport)) or relay.why_not() or self._start_relay())

    def _start_relay(self):
        if not self.relay:
            self.relay = relay.relay_server(self.logs)

    def close(self):
        self.pages.close()
        if self.relay:
            self.relay.close()

    def start_peer(self, stack, folder, lab, role, **more):
        options = {"registry": url_of(lab), "id": THEIRS, "target": OURS, "role": role, **more}
        self.runs += 1
        if stack.startswith("chromium"):
            return browser.browser_peer(stack, self.pages, folder, str(self.runs), {**options, "token": lab.token(THEIRS)},
                                        stack == "chromium-mdns", self.relay.public_key_hash() if "ice" in options else None)
        flags = [text for key, value in {**options, "api-key": lab.keys[THEIRS]}.items() for text in ("--" + key, str(value))]
        if stack == "aiortc":
            command = ["/usr/bin/python3", os.path.join(PEERS, "aiortc_peer.py"), *flags]
        else:
            name = "wrtc" if stack == "libwebrtc" else stack
            command = ["node", os.path.join(PEERS, "node_peer.mjs"), "--stack", name, *flags]
            if stack in programs.SOURCES:
                command += ["--program", self.programs[stack][0]]
        trust = {name: self.relay.certificate for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")} if self.relay else {}
        return process(stack, command, folder, {"INTEROP_MODULES": self.modules or "", **trust})


def name_of(partner, stack, role, way):
    return " ".join(filter(None, ("interop", partner, stack, role))) + (f", {way}" if way else "")


def transport_of(way):
    return way.removeprefix("relayed over ") if way.startswith("relayed") else None


def url_of(lab):
    return f"http://127.0.0.1:{lab.http_port}"


def has_address():
    listing = subprocess.run(["ip", "-o", "addr", "show", "up", "scope", "global"], capture_output=True, text=True, check=False)
    return bool(listing.stdout.strip())


def say(verdict, name, reason=""):
    print(f"{verdict} {name}" + (f" {reason}" if reason else ""), flush=True)


def tell_cases(name, result):
    """Prints the cases that a peer reported; the last word is the peer's own."""
    for case in result["cases"]:
        say("PASS" if case["ok"] else "FAIL", f"{name}: {case['name']}", "" if case["ok"] else case.get("detail", ""))


def guarded(name, body):
    try:
        body()
        say("PASS", name)
        return True
    except trouble as problem:
        say("FAIL", name, str(problem))
        return False


def run_raw(shop, stack, role, way, folder, lab):
    """Their peer drives; strata_peer gives back."""
    name = name_of("", stack, role, way)
    transport, whole = transport_of(way), WAYS[way].get("trickle") == "no"
    restarts = RESTARTS.get((stack, role), RESTARTS.get(stack, "")) if not way else ""
    ours_more, theirs_more = ["--no-trickle"] if whole else [], dict(WAYS[way])
    if transport:
        ours_more += ["--relay-only", "--turn", shop.relay.url(transport), "--trust", shop.relay.certificate]
        theirs_more["ice"] = shop.relay.servers(transport)
    started = []
    try:
        def start_ours():
            ours = process("strata_peer", [
                os.path.join(shop.build, "tests/interop/strata_peer"), "--registry", url_of(lab), "--target", THEIRS,
                "--role", "answerer" if role == "offerer" else "offerer", *ours_more], folder,
                {"API_KEY": lab.keys[OURS], "TURN_USER": relay.USER, "TURN_PASSWORD": relay.PASSWORD})
            started.append(ours)
            ours.wait_event("registered", 20)
            return ours

        def start_theirs():
            sizes = [1, 1024] if whole else [1, 1024, 65536] if transport else SIZES
            sizes = [size for size in sizes if SMALLEST.get(stack, 0) <= size <= LARGEST.get(stack, SIZES[-1])]
            theirs = shop.start_peer(stack, folder, lab, role, exchange="raw", sizes=",".join(map(str, sizes)), restarts=restarts,
                                     **theirs_more)
            started.append(theirs)
            theirs.wait_event("registered", 30)
            return theirs

        if role == "offerer":  # whoever comes later offers
            ours, theirs = start_ours(), start_theirs()
        else:
            theirs, ours = start_theirs(), start_ours()
        result = theirs.wait_event("result", 180)
        tell_cases(name, result)
        if not any(case["name"] == "linked" and case["ok"] for case in result["cases"]):
            return  # nothing that follows can happen
        if transport:
            guarded(f"{name}: both sides use a relay", lambda: only_relays(theirs.wait_event("pair", 5), stack))
        if restarts:
            guarded(f"{name}: data moves with each restart", lambda: ours.wait_events("restarted", len(restarts.split(",")), 20))
        guarded(f"{name}: we see the close of our channel", lambda: ours.wait_event("closed", 10, label="mesh"))
        guarded(f"{name}: we see the close of theirs", lambda: ours.wait_event("closed", 10, label="again"))
        guarded(f"{name}: we see the end of the connection", lambda: ours.wait_event("ended", 40))
        tell_end(f"{name}: our peer ends cleanly", ours.join(20), ours.log_path)
    finally:
        stop_all(started)


def only_relays(event, stack):
    # Between relays of one server either side may see the other's relayed address as peer-reflexive.
    fine = ["relay-relay", "relay-prflx", "not told"]
    # Told to use relays only it names no other candidate, but its ICE agent pairs its host candidate all the same, and that
    # may win: our relay lets in the address that both of theirs share here.
    if stack == "libdatachannel":
        fine.append("host-relay")
    if event["pair"] not in fine:
        raise trouble(f"the pair is {event['pair']}")


def run_mesh(shop, stack, role, way, folder, lab):
    """Their peer speaks MeshMessages with meshd and the program behind it; who closes depends on the role."""
    name = name_of("meshd", stack, role, way)
    closer = "self" if role == "offerer" else "other"
    started = []
    try:
        def start_ours():
            lab.spawn("meshd", os.path.join(shop.build, "apps/meshd"), "--no-stun", env={
                "SIGNALING_URL": url_of(lab).replace("http", "ws", 1) + "/ws", "TOKEN_URL": url_of(lab) + "/api/token",
                "API_KEY": lab.keys[OURS], "IPC_SOCKET": lab.ipc(OURS)})
            until(lambda: os.path.exists(lab.ipc(OURS)), "meshd binds its local socket", 20)
            program = echo_program(lab.ipc(OURS))
            until(lambda: program.status().get("signaling") == "registered", "meshd registers", 20)
            return program

        def start_theirs():
            more = {}
            if way == RENOMINATION:
                more = {"late": "yes", "ice": shop.relay.servers("udp")}
            theirs = shop.start_peer(stack, folder, lab, role, exchange="mesh", closer=closer,
                                     sizes=",".join(map(str, MESH_SIZES)), **more)
            started.append(theirs)
            theirs.wait_event("registered", 30)
            return theirs

        if role == "offerer":
            program, theirs = start_ours(), start_theirs()
        else:
            theirs, program = start_theirs(), start_ours()
        guarded(f"{name}: the program hears of the peer", lambda: program.expect(
            lambda event: event["type"] == "peer_connected" and event["payload"]["peer_id"] == THEIRS or
            event["type"] == "peer_list" and THEIRS in event["payload"]["peers"], 60, "peer_connected"))
        theirs.wait_event("driven", 120)
        for size in MESH_SIZES:
            text = "m" * size

            def ask(size=size, text=text):
                program.tell(THEIRS, "task_request", f"q{size}", {"message": text, "skill": "echo"})
                reply = program.expect(lambda event: event["type"] == "message" and
                                       event["payload"]["message"]["request_id"] == f"q{size}", 30, "response")
                if reply["payload"]["from_peer"] != THEIRS or reply["payload"]["message"]["payload"].get("result") != text:
                    raise trouble("the response is not what was asked for")

            if not guarded(f"{name}: our program asks, {size} octets", ask):
                break
        program.tell(THEIRS, "agent_prompt", "", {"message": "finish", "direct": True})
        if closer == "other":
            theirs.wait_event("await-close", 30)
            tell_end(f"{name}: meshd ends cleanly", lab.stop("meshd"), "meshd.log")
        tell_cases(name, theirs.wait_event("result", 60))
        if closer == "self":
            guarded(f"{name}: the program hears that the peer is gone", lambda: program.expect(
                lambda event: event["type"] == "peer_disconnected", 60, "peer_disconnected"))
            tell_end(f"{name}: meshd ends cleanly", lab.stop("meshd"), "meshd.log")
    finally:
        stop_all(started)


def run_in_lab(shop, name, run, what, folder_name):
    folder = os.path.join(shop.logs, folder_name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    try:
        with Lab(os.path.join(shop.build, "apps"), [OURS, THEIRS]) as lab:
            try:
                run(shop, *what, folder, lab)
            finally:
                for log in lab.logs.values():
                    shutil.copy(log, folder)
    except (trouble, AssertionError) as problem:
        say("FAIL", name, str(problem))


def tell_end(name, code, log):
    say("PASS" if code == 0 else "FAIL", name, "" if code == 0 else f"exit {code}; see {log}")


def stop_all(started):
    for one in reversed(started):
        one.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default="build-test")
    parser.add_argument("--logs", default="build-test/logs/interop")
    parser.add_argument("--stack", action="append", choices=STACKS, default=[])
    parser.add_argument("--role", action="append", choices=("offerer", "answerer"), default=[])
    parser.add_argument("--with", dest="partner", action="append", choices=("strata_peer", "meshd"), default=[])
    parser.add_argument("--way", action="append", choices=[way.replace(" ", "-") or "trickle" for way in (*WAYS, RENOMINATION)], default=[])
    parser.add_argument("--all", action="store_true", help="also build the peers that take minutes to build: pion, webrtc-rs")
    options = parser.parse_args()
    shop = bench(options)
    kinds = {"strata_peer": (run_raw, "tests/interop/strata_peer", WAYS), "meshd": (run_mesh, "apps/meshd", ["", RENOMINATION])}
    begin = time.monotonic()
    for partner, (run, program, ways) in kinds.items():
        if options.partner and partner not in options.partner:
            continue
        for stack, role, way in itertools.product(options.stack or STACKS, options.role or ("offerer", "answerer"), ways):
            if options.way and (way.replace(" ", "-") or "trickle") not in options.way:
                continue
            if way == RENOMINATION and (stack, role) not in RENOMINATED:
                continue
            name = name_of("meshd" if partner == "meshd" else "", stack, role, way)
            missing = shop.why_not(stack) or shop.why_no_way(stack, way)
            if missing:
                say("SKIP", name, missing)
            elif not os.path.exists(os.path.join(shop.build, program)):
                say("FAIL", name, f"{program} is not built")
            else:
                run_in_lab(shop, name, run, (stack, role, way), "-".join([partner, stack, role, *way.split()]))
                print(f"    {name}: {time.monotonic() - begin:.0f} s since the start", file=sys.stderr, flush=True)
    shop.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
