"""A wire with a length: passes Ethernet frames between two interfaces, each held for some milliseconds.

usage: delay_line.py INTERFACE INTERFACE MILLISECONDS

For kernels without netem. Needs real checksums on the frames (ethtool -K ... tx off on both neighbours).
"""
import heapq
import select
import socket
import sys
import time

EVERY_PROTOCOL, OUTGOING, LARGEST_FRAME = 3, 4, 65536


def open_interface(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_PROTOCOL))
    s.bind((name, 0))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    return s


def main():
    left, right = open_interface(sys.argv[1]), open_interface(sys.argv[2])
    hold = float(sys.argv[3]) / 1000
    waiting, order = [], 0  # (when to send, order of arrival, where to, frame)
    while True:
        patience = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for arrived_at in select.select([left, right], [], [], patience)[0]:
            frame, sender = arrived_at.recvfrom(LARGEST_FRAME)
            if sender[2] != OUTGOING:
                order += 1
                other = right if arrived_at is left else left
                heapq.heappush(waiting, (time.monotonic() + hold, order, other, frame))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, other, frame = heapq.heappop(waiting)
            try:
                other.send(frame)
            except OSError:
                pass  # a wire loses what does not fit, too


if __name__ == "__main__":
    main()
