"""An internet of network namespaces: two hosts, each behind its router, and a core with public addresses.

    host-a -- home-a -- [isp-a] -- [line-a] -- inet -- [line-b] -- [isp-b] -- home-b -- host-b

Names of namespaces carry a random prefix, so that worlds stand beside each other; close() removes everything. Processes
live in namespaces as children of this program and are ended by their pid; should this program be killed, the kernel
ends them (their parent-death signal).
"""
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile

import rules

REGISTRY, SECOND, RELAY = "198.51.100.1", "198.51.100.2", "198.51.100.3"  # in the core
SIDES = ("a", "b")
HERE = os.path.dirname(os.path.abspath(__file__))


class impossible(Exception):
    """This machine cannot make the world; the message says why."""


def run(*command, text=None, allowed=False):
    done = subprocess.run(command, input=text, stdin=None if text else subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0 and not allowed:
        raise impossible(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
    return done


def why_not():
    """Why no world can be made here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for tool in ("ip", "nft", "conntrack", "ethtool", "sysctl", "setpriv"):
        if not shutil.which(tool):
            return f"{tool} is not installed (script/bootstrap --test)"
    name = "st" + secrets.token_hex(3) + "-probe"
    try:
        run("ip", "netns", "add", name)
        try:
            run("ip", "netns", "exec", name, "nft", "-f", "-", text=rules.router("full"))
        finally:
            run("ip", "netns", "del", name, allowed=True)
    except impossible as reason:
        return f"network namespaces cannot be made here: {reason}"
    return None


class world:
    def __init__(self, kind_a, kind_b, delay_ms=0, folder=None):
        self.prefix = "st" + secrets.token_hex(3)
        self.kinds = dict(zip(SIDES, (kind_a, kind_b)))
        self.folder = folder or tempfile.mkdtemp(prefix="strata-natlab-")
        self.own_folder = folder is None
        self.namespaces, self.processes, self.logs = [], {}, {}
        self.delay_ms = delay_ms
        self.host_address, self.outside_address = {}, {}
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for name in list(self.processes):
            self.stop(name)
        for name in self.namespaces:
            run("ip", "netns", "del", self.named(name), allowed=True)
        self.namespaces = []
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- building

    def named(self, name):
        return f"{self.prefix}-{name}"

    def inside(self, name, *command, text=None, allowed=False):
        return run("ip", "netns", "exec", self.named(name), *command, text=text, allowed=allowed)

    def _namespace(self, name, forwards=True):
        run("ip", "netns", "add", self.named(name))
        self.namespaces.append(name)
        self.inside(name, "sysctl", "-qw", f"net.ipv4.ip_forward={int(forwards)}", "net.ipv4.conf.all.rp_filter=0",
                    "net.ipv4.conf.default.rp_filter=0", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        self._ip(name, "link set lo up")

    def _ip(self, name, *lines):
        run("ip", "-n", self.named(name), "-batch", "-", text="\n".join(lines) + "\n")

    def _wire(self, left, left_device, right, right_device, left_address=None, right_address=None):
        run("ip", "link", "add", left_device, "netns", self.named(left), "type", "veth", "peer", "name", right_device,
            "netns", self.named(right))
        for name, device, address in ((left, left_device, left_address), (right, right_device, right_address)):
            # Whole packets with real checksums: what bridges and captures need.
            self.inside(name, "ethtool", "-K", device, "tx", "off", "tso", "off", "gso", "off", allowed=True)
            self._ip(name, *([f"addr add {address} dev {device}"] if address else []), f"link set {device} up")

    def _build(self):
        self._namespace("inet")
        self._ip("inet", *(f"addr add {address}/32 dev lo" for address in (REGISTRY, SECOND, RELAY)))
        # What nobody has an address for is lost without a word, as in the Internet; a machine without a default route says
        # "unreachable" instead.
        self._ip("inet", "link add void type veth peer name nowhere", "link set void up", "link set nowhere up",
                 "neigh add 192.0.2.254 lladdr 02:00:00:00:00:01 dev void", "route add default via 192.0.2.254 dev void onlink")
        for number, side in enumerate(SIDES):
            self._build_side(side, number, self.kinds[side])

    def _build_side(self, side, number, kind):
        home, host, net = f"home-{side}", f"host-{side}", f"203.0.113.{16 * number}"
        gateway, self.outside_address[side] = (f"{net.rsplit('.', 1)[0]}.{16 * number + k}" for k in (1, 2))
        outermost = f"isp-{side}" if kind == "cgnat" else home
        self._namespace(outermost)
        self._uplink(side, outermost, f"{self.outside_address[side]}/28", f"{gateway}/28")
        self._ip(outermost, f"route add default via {gateway}")
        if kind == "cgnat":
            self._namespace(home)
            self._wire(home, "wan", outermost, "lan", f"100.64.{number}.2/24", f"100.64.{number}.1/24")
            self._ip(home, f"route add default via 100.64.{number}.1")
        self._namespace(host, forwards=False)
        lan = f"192.0.2.{32 * number}" if kind == "public" else f"10.77.{number}.0"
        length = 27 if kind == "public" else 24
        base, last = lan.rsplit(".", 1)
        router, self.host_address[side] = (f"{base}.{int(last) + k}" for k in (1, 2))
        self._wire(host, "eth0", home, "lan", f"{self.host_address[side]}/{length}", f"{router}/{length}")
        self._ip(host, f"route add default via {router}")
        if kind == "public":
            self._ip("inet", f"route add {lan}/{length} via {self.outside_address[side]}")
        self.load_router(side)

    def _uplink(self, side, outermost, address, gateway):
        """The wire to the core; with a delay on side a, when one is wanted."""
        if side != "a" or not self.delay_ms:
            self._wire(outermost, "wan", "inet", f"to-{side}", address, gateway)
            return
        if not self._netem(outermost, side, address, gateway):
            line = f"line-{side}"
            self._namespace(line, forwards=False)
            self._wire(outermost, "wan", line, "left", address)
            self._wire("inet", f"to-{side}", line, "right", gateway)
            self.spawn("delay", line, sys.executable, "-S", os.path.join(HERE, "delay_line.py"), "left", "right", str(self.delay_ms))

    def _netem(self, outermost, side, address, gateway):
        if self.inside("inet", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms", allowed=True).returncode != 0:
            return False
        self.inside("inet", "tc", "qdisc", "del", "dev", "lo", "root")
        self._wire(outermost, "wan", "inet", f"to-{side}", address, gateway)
        for name, device in ((outermost, "wan"), ("inet", f"to-{side}")):
            self.inside(name, "tc", "qdisc", "add", "dev", device, "root", "netem", "delay", f"{self.delay_ms}ms", "limit", "10000")
        return True

    def load_router(self, side):
        kind = self.kinds[side]
        if kind == "public":
            return
        for name in ([f"isp-{side}", f"home-{side}"] if kind == "cgnat" else [f"home-{side}"]):
            self.inside(name, "nft", "flush", "ruleset")
            self.inside(name, "nft", "-f", "-", text=rules.router("port_restricted" if kind == "cgnat" else kind))

    # --- processes

    def spawn(self, name, where, *command, env=None):
        """Starts a program in a namespace; its outputs go to <folder>/<name>.log."""
        self.logs[name] = os.path.join(self.folder, name + ".log")
        with open(self.logs[name], "a", encoding="utf-8") as out:
            out.write("$ " + " ".join(command) + "\n")
            out.flush()
            # ip and setpriv replace themselves by what they start, so the child is the program itself.
            self.processes[name] = subprocess.Popen(
                ["ip", "netns", "exec", self.named(where), "setpriv", "--pdeathsig", "KILL", *command],
                stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=self.folder, env={**os.environ, **(env or {})})
        return self.processes[name]

    def stop(self, name, how=signal.SIGTERM, seconds=20):
        """Ends one of our programs; returns its exit code, None when it had to be killed."""
        process = self.processes.pop(name)
        if process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return None
        return process.returncode

    # --- faults, while everything runs

    def set_loss(self, percent):
        self.inside("inet", "nft", "delete", "table", "ip", "weather", allowed=True)
        if percent:
            self.inside("inet", "nft", "-f", "-", text=rules.loss(int(percent * 10)))

    def block_direct(self):
        """No UDP between the two sides; what goes through the core still passes."""
        self.inside("inet", "nft", "-f", "-", text=rules.apart(*(self.outermost(side) for side in SIDES)))

    def unblock_direct(self):
        self.inside("inet", "nft", "delete", "table", "ip", "apart", allowed=True)

    def outermost(self, side):
        """The network that packets of this side come from, as the core sees it."""
        number = SIDES.index(side)
        return f"192.0.2.{32 * number}/27" if self.kinds[side] == "public" else f"203.0.113.{16 * number}/28"

    def cut(self, side):
        """The router is off."""
        self._ip(f"home-{side}", "link set wan down")

    def reboot_router(self, side):
        """The router comes back and knows nothing of its mappings."""
        home = f"home-{side}"
        self.inside(home, "nft", "flush", "ruleset")
        self.inside(home, "conntrack", "-F", allowed=True)
        self.load_router(side)
        self._ip(home, "link set wan up")
        gateway = self.gateway_of(side)
        self._ip(home, f"route replace default via {gateway}")

    def gateway_of(self, side):
        number = SIDES.index(side)
        return f"100.64.{number}.1" if self.kinds[side] == "cgnat" else f"203.0.113.{16 * number + 1}"

    def change_router_address(self, side):
        """The provider hands out another public address, as after a reconnect."""
        home, number = f"home-{side}", SIDES.index(side)
        old, new = self.outside_address[side], f"203.0.113.{16 * number + 5}"
        self._ip(home, f"addr del {old}/28 dev wan", f"addr add {new}/28 dev wan", f"route replace default via {self.gateway_of(side)}")
        self.inside(home, "conntrack", "-F", allowed=True)
        self.outside_address[side] = new

    def change_host_address(self, side):
        """The host is given another address in its network, as on another lease or another network."""
        host, number = f"host-{side}", SIDES.index(side)
        public = self.kinds[side] == "public"
        base, first, length = ("192.0.2", 32 * number, 27) if public else (f"10.77.{number}", 0, 24)
        old, new = self.host_address[side], f"{base}.{first + 7}"
        self._ip(host, f"addr del {old}/{length} dev eth0", f"addr add {new}/{length} dev eth0",
                 f"route replace default via {base}.{first + 1}")
        self.host_address[side] = new
