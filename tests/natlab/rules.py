"""What a home router does, as an nftables rule set: one for each kind of NAT. Text in, text out.

RFC 4787 speaks of mapping (does the outside port depend on the destination?) and filtering (who may answer?). Linux by
itself maps independently of the endpoint as long as the port is free, and filters by address and port; what is laxer
needs a memory of what has left, what is stricter needs random ports.
"""

KINDS = {
    "public": "no NAT: the host has a public address",
    "full": "endpoint-independent mapping and filtering (full cone)",
    "restricted": "endpoint-independent mapping, address-dependent filtering",
    "port_restricted": "endpoint-independent mapping, address- and port-dependent filtering",
    "symmetric": "address- and port-dependent mapping and filtering, random ports",
    "cgnat": "a port-restricted home router behind a port-restricted NAT of the provider",
    "udp_blocked": "TCP passes a NAT, UDP is dropped",
}

# Outside port -> inside endpoint, written by every packet that leaves and forgotten two minutes after the last one.
MEMORY = """
  map inside_of { type inet_service : ipv4_addr . inet_service; flags dynamic, timeout; timeout 2m; size 8192; }
  set spoken_to { type ipv4_addr . inet_service; flags dynamic, timeout; timeout 2m; size 8192; }
"""
REMEMBER = """iifname "lan" oifname "wan" meta l4proto udp update @inside_of { udp sport : ip saddr . udp sport }
    iifname "lan" oifname "wan" meta l4proto udp update @spoken_to { ip daddr . udp sport }"""

# Per kind: what an unasked packet from outside meets, how sources are rewritten, what happens to what passes through.
BEHAVIOUR = {
    "full": ('iifname "wan" meta l4proto udp dnat to udp dport map @inside_of', "masquerade", REMEMBER),
    "restricted": ('iifname "wan" ip saddr . udp dport @spoken_to dnat to udp dport map @inside_of', "masquerade", REMEMBER),
    "port_restricted": ("", "masquerade", ""),
    "symmetric": ("", "masquerade random,fully-random", ""),
    "udp_blocked": ("", "masquerade", "meta l4proto udp drop"),
}


def router(kind):
    """Rules of a router between the interfaces "lan" and "wan"."""
    unasked, rewrite, passing = BEHAVIOUR[kind]
    # The input chain matters: a stray packet that reaches the router itself would enter connection tracking, and the
    # host inside that sends to the same place a moment later would be given another port.
    return f"""
table ip router {{
{MEMORY if "@" in unasked else ""}
  chain from_outside {{ type nat hook prerouting priority dstnat; policy accept;
    {unasked}
  }}
  chain sources {{ type nat hook postrouting priority srcnat; policy accept;
    oifname "wan" {rewrite}
  }}
  chain passing {{ type filter hook forward priority filter; policy accept;
    {passing}
    ct status dnat accept
    iifname "wan" ct state new drop
  }}
  chain to_itself {{ type filter hook input priority filter; policy accept;
    iifname "wan" ct state new drop
  }}
}}
"""


def loss(per_mille):
    """Rules that lose packets at random wherever they arrive from a wire, before connection tracking sees them."""
    return f"""
table ip weather {{
  chain arriving {{ type filter hook prerouting priority -400; policy accept;
    iifname != "lo" numgen random mod 1000 < {per_mille} counter drop
  }}
}}
"""


def apart(one, other):
    """Rules that keep the UDP of two networks from each other."""
    return f"""
table ip apart {{
  chain between {{ type filter hook forward priority filter; policy accept;
    ip saddr {one} ip daddr {other} meta l4proto udp drop
    ip saddr {other} ip daddr {one} meta l4proto udp drop
  }}
}}
"""
