"""A port of a real gateway: miniupnpd on a home router, asked by `meshctl portmap` over each protocol it speaks.

miniupnpd (Debian: miniupnpd-nftables) is looked for in PATH, or where MINIUPNPD says; without it there is nothing to show.
"""
import os
import shutil
import subprocess
import time

import world

# It refuses to map ports of addresses that lead nowhere, which all addresses for documentation do: it is told another one.
CLAIMED = "192.88.98.1"
PROTOCOLS = {"pcp": "PCP", "nat-pmp": "NAT-PMP", "upnp": "UPnP"}
HEAD = ["protocol", "outside", "data gets in", "gone afterwards", "as expected"]
TABLE = """
table inet upnp {
  chain forward { type filter hook forward priority -10; policy accept; }
  chain prerouting { type nat hook prerouting priority -110; policy accept; }
  chain postrouting { type nat hook postrouting priority 90; policy accept; }
}
"""
SETTINGS = f"""ext_ifname=wan
listening_ip=lan
http_port=5000
enable_natpmp=yes
enable_upnp=yes
ext_ip={CLAIMED}
secure_mode=yes
system_uptime=no
upnp_table_name=upnp
upnp_nat_table_name=upnp
upnp_forward_chain=forward
upnp_nat_chain=prerouting
upnp_nat_postrouting_chain=postrouting
uuid=00000000-0000-0000-0000-000000000001
allow 1024-65535 0.0.0.0/0 1024-65535
"""
RECEIVE = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 4000)); s.settimeout(8); print(s.recv(99).decode())"
SEND = "import socket, sys; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'hello', (sys.argv[1], int(sys.argv[2])))"


def program():
    return os.environ.get("MINIUPNPD") or shutil.which("miniupnpd")


def start(lab, where, *command):
    return subprocess.Popen(["ip", "netns", "exec", lab.named(where), "setpriv", "--pdeathsig", "KILL", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            stdin=subprocess.DEVNULL, text=True)


def rules_of(lab):
    return lab.inside("home-a", "nft", "list", "table", "inet", "upnp").stdout


def run_protocol(protocol, binaries, folder):
    with world.world("port_restricted", "public", folder=folder) as lab:
        lab.inside("home-a", "nft", "-f", "-", text=TABLE)
        settings = os.path.join(lab.folder, "miniupnpd.conf")
        with open(settings, "w", encoding="utf-8") as file:
            file.write(SETTINGS)
        lab.spawn("miniupnpd", "home-a", program(), "-f", settings, "-d", "-P", os.path.join(lab.folder, "miniupnpd.pid"))
        time.sleep(1)  # lint: allow sleep: it has no way to say that it listens
        receiver = start(lab, "host-a", "python3", "-c", RECEIVE)
        asker = start(lab, "host-a", os.path.join(binaries, "meshctl"), "portmap", "4000", "--protocol", protocol, "--seconds", "3")
        outside = asker.stdout.readline().strip()
        port = outside.rpartition(":")[2] or "9"
        # The router accepts what was redirected; nobody inside has sent anything out.
        lab.inside("host-b", "python3", "-c", SEND, lab.outside_address["a"], port)
        heard = receiver.communicate(timeout=20)[0].strip()
        errors = asker.communicate(timeout=20)[1]
        gone = f"dport {port}" not in rules_of(lab)
    ok = outside.startswith(CLAIMED + ":") and PROTOCOLS[protocol] in errors and heard == "hello" and gone
    return {"protocol": protocol, "outside": outside, "heard": heard == "hello", "gone": gone, "ok": ok, "wrong": "" if ok else errors.strip()}


def cells_of(row):
    return [row["protocol"], row["outside"], "yes" if row["heard"] else "no", "yes" if row["gone"] else "no", "yes" if row["ok"] else "NO"]
