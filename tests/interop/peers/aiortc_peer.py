"""aiortc as a peer; the same options and the same exchange as node_peer.mjs, written a second time because it is another language."""
import argparse
import asyncio
import hashlib
import json
import sys
import urllib.request

import websockets
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp

CLOSE = "close this channel"


def report(**fields):
    print(json.dumps(fields), flush=True)


def text_of(size):
    tail = "\u00e9\u6f22\U0001f30d" if size >= 16 else ""
    room = size - len(tail.encode())
    text = "".join(f"{i}," for i in range(room))
    return text[:room] + tail


def bytes_of(size):
    return bytes((i * 167 + (i >> 8)) & 0xFF for i in range(size))


def as_bytes(message):
    return message.encode() if isinstance(message, str) else message


def digest(message):
    return hashlib.sha256(as_bytes(message)).hexdigest()


class channel:
    """A data channel with awaitable open, messages and close."""

    def __init__(self, native):
        self.native, self.label = native, native.label
        self.opened, self.closed, self.messages = asyncio.Event(), asyncio.Event(), asyncio.Queue()
        native.on("open", self.opened.set)
        native.on("message", self.messages.put_nowait)
        native.on("close", self.on_close)
        if native.readyState == "open":
            self.opened.set()

    def on_close(self):
        self.closed.set()
        report(event="closed", label=self.label)

    async def next(self, seconds):
        return await asyncio.wait_for(self.messages.get(), seconds)

    def send(self, message):
        self.native.send(message)


class session:
    def __init__(self, options):
        self.options, self.cases = options, []
        self.peer = self.socket = None
        self.described, self.arrived = asyncio.get_running_loop().create_future(), asyncio.get_running_loop().create_future()
        self.early, self.ended = [], asyncio.Event()

    async def case(self, name, body):
        try:
            await body
            self.cases.append({"name": name, "ok": True})
            return True
        except asyncio.TimeoutError:
            self.cases.append({"name": name, "ok": False, "detail": "nothing came in time"})
        except Exception as error:  # whatever went wrong belongs into the report
            self.cases.append({"name": name, "ok": False, "detail": f"{type(error).__name__}: {error}"})
        return False

    async def send(self, kind, payload, target=None):
        message = {"type": kind, "peer_id": self.options.id, "payload": payload}
        if target:
            message["target_id"] = target
        await self.socket.send(json.dumps(message))

    def connect(self):
        servers = [RTCIceServer(**server) for server in json.loads(self.options.ice)]
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self.peer.on("connectionstatechange", self.on_state)
        self.peer.on("datachannel", self.on_channel)

    def on_state(self):
        report(event="state", state=self.peer.connectionState)
        if self.peer.connectionState in ("failed", "closed"):
            self.ended.set()

    def on_channel(self, native):
        arrived = channel(native)
        if self.options.mode == "echo":
            asyncio.ensure_future(self.echo(arrived))
        if not self.arrived.done():
            self.arrived.set_result(arrived)

    async def describe(self, kind):
        """aiortc gathers before it has a description, so the candidates are inside."""
        await self.peer.setLocalDescription(await (self.peer.createOffer() if kind == "offer" else self.peer.createAnswer()))
        lines = self.peer.localDescription.sdp.splitlines(keepends=True)
        if self.options.policy == "relay":
            # aiortc has no such policy: what the other side does not know it cannot use, and what is not there cannot check.
            ice = self.peer.sctp.transport.transport._connection
            ice._protocols[:] = [protocol for protocol in ice._protocols if protocol.local_candidate.type == "relay"]
            lines = [line for line in lines if not line.startswith("a=candidate:") or " typ relay" in line]
        await self.send(kind, {"sdp": "".join(lines)}, self.options.target)

    async def take_candidate(self, payload):
        candidate = candidate_from_sdp(payload["candidate"].split(":", 1)[1])
        candidate.sdpMid, candidate.sdpMLineIndex = payload.get("sdpMid") or None, payload.get("sdpMLineIndex") or 0
        await self.peer.addIceCandidate(candidate)

    async def hear(self):
        async for text in self.socket:
            message = json.loads(text)
            kind, payload = message["type"], message.get("payload")
            try:
                if kind == "peer_list":
                    report(event="registered", peers=payload["peers"])
                    if not self.described.done():
                        self.described.set_result(payload["peers"])
                elif message["peer_id"] != self.options.target:
                    continue
                elif kind == "offer" and self.options.role == "answerer":
                    self.connect()
                    await self.peer.setRemoteDescription(RTCSessionDescription(payload["sdp"], "offer"))
                    await self.describe("answer")
                    await self.add_early()
                elif kind == "answer" and self.peer:
                    await self.peer.setRemoteDescription(RTCSessionDescription(payload["sdp"], "answer"))
                    await self.add_early()
                elif kind == "ice_candidate":
                    self.early.append(payload)
                    if self.peer and self.peer.remoteDescription:
                        await self.add_early()
            except Exception as error:
                report(event="trouble", detail=f"{kind}: {type(error).__name__}: {error}")

    async def add_early(self):
        while self.early:
            await self.take_candidate(self.early.pop(0))

    async def link(self):
        if self.options.role == "offerer":
            peers = await asyncio.wait_for(self.described, 15)
            if self.options.target not in peers:
                raise RuntimeError(f"{self.options.target} is not in the peer list {peers}")
            self.connect()
            self.channel = channel(self.peer.createDataChannel("mesh"))
            if self.options.mode == "echo":
                asyncio.ensure_future(self.echo(self.channel))
            await self.describe("offer")
        else:
            self.channel = await asyncio.wait_for(self.arrived, 60)
            if self.channel.label != "mesh":
                raise RuntimeError(f"the channel is called '{self.channel.label}'")
        await asyncio.wait_for(self.channel.opened.wait(), 40)
        report(event="open", label=self.channel.label)

    async def echo(self, on):
        while True:
            message = await on.next(120)
            if message == CLOSE:
                return on.native.close()
            on.send(message)

    async def one_echo(self, message):
        self.channel.send(message)
        back = await self.channel.next(30)
        if type(back) is not type(message):
            raise RuntimeError(f"came back as {type(back).__name__}")
        if digest(back) != digest(message):
            raise RuntimeError(f"came back changed, {len(as_bytes(back))} octets")

    def pair(self):
        """Types of the candidates in use; aiortc does not tell, its ICE does."""
        nominated = getattr(self.peer.sctp.transport.transport._connection, "_nominated", {}).get(1)
        return f"{nominated.local_candidate.type}-{nominated.remote_candidate.type}" if nominated else "not told"

    async def closed_by_other(self):
        self.channel.send(CLOSE)
        await asyncio.wait_for(self.channel.closed.wait(), 15)

    async def closed_here(self):
        again = channel(self.peer.createDataChannel("again"))
        await asyncio.wait_for(again.opened.wait(), 15)
        again.send("once more")
        if await again.next(15) != "once more":
            raise RuntimeError("wrong echo")
        again.native.close()
        await asyncio.wait_for(again.closed.wait(), 15)

    async def one_task(self, size):
        message = text_of(size)
        self.mesh("task_request", f"r{size}", {"message": message, "skill": "echo"})
        back = json.loads(await self.channel.next(30))
        if back["type"] != "task_response" or back["request_id"] != f"r{size}":
            raise RuntimeError(f"answered with {back['type']}")
        if digest(back["payload"]["result"]) != digest(message):
            raise RuntimeError("came back changed")

    def mesh(self, kind, request, payload):
        self.channel.send(json.dumps({"type": kind, "request_id": request, "source_agent": "interop", "target_agent": "",
                                      "payload": payload}, ensure_ascii=False))

    async def answer_tasks(self):
        while True:
            asked = json.loads(await self.channel.next(60))
            if asked["type"] == "agent_prompt":
                return
            self.mesh("task_response", asked["request_id"], {"result": asked["payload"]["message"], "error": ""})

    async def exchange(self):
        options = self.options
        if options.mode == "echo":
            return await self.ended.wait()
        for size in options.sizes:
            if options.exchange == "mesh":
                if not await self.case(f"task {size}", self.one_task(size)):
                    return None
                continue
            for kind, message in (("text", text_of(size)), ("binary", bytes_of(size))):
                if not await self.case(f"{kind} {size}", self.one_echo(message)):
                    return None
        if options.exchange == "raw":
            report(event="pair", pair=self.pair())
            await self.case("closed by the other side", self.closed_by_other())
            await self.case("closed by this side", self.closed_here())
        else:
            report(event="driven")
            await self.case("answers tasks", self.answer_tasks())
            if options.closer == "other":
                report(event="await-close")
                await self.case("closed by the other side", asyncio.wait_for(self.channel.closed.wait(), 20))

    async def run(self):
        request = urllib.request.Request(self.options.registry + "/api/token", method="POST",
                                         headers={"X-API-Key": self.options.api_key})
        with urllib.request.urlopen(request, timeout=10) as reply:
            token = json.load(reply)["token"]
        url = self.options.registry.replace("http", "ws", 1) + "/ws?token=" + token
        async with websockets.connect(url) as self.socket:
            hearing = asyncio.ensure_future(self.hear())
            await self.send("register", None)
            if await self.case("linked", self.link()):
                await self.exchange()
            if self.peer:
                await asyncio.wait_for(self.peer.close(), 10)
            hearing.cancel()


async def main():
    parser = argparse.ArgumentParser()
    for name in ("registry", "api-key", "id", "target", "role"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--mode", default="drive")
    parser.add_argument("--exchange", default="raw")
    parser.add_argument("--closer", default="self")
    parser.add_argument("--ice", default="[]")
    parser.add_argument("--policy", default="all")
    parser.add_argument("--trickle", default="yes")  # aiortc gathers first, always; what comes to it may trickle
    parser.add_argument("--restarts", default="")  # aiortc has none
    parser.add_argument("--sizes", type=lambda text: [int(part) for part in text.split(",")], default=[1, 100])
    one = session(parser.parse_args())
    try:
        await one.run()
    except Exception as error:
        one.cases.append({"name": "runs", "ok": False, "detail": f"{type(error).__name__}: {error}"})
    good = all(case["ok"] for case in one.cases)
    report(event="result", ok=good, cases=one.cases)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
