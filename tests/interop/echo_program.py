"""A program attached to meshd that answers every task with what it was told, and lets the test watch and ask."""
import queue
import threading
import time

from lab import Program
from processes import trouble


class echo_program(Program):
    def __init__(self, path):
        super().__init__(path)
        self.socket.settimeout(None)
        self.arrived, self.backlog = queue.Queue(), []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        try:
            while True:
                event = self.next_event()
                message = event["payload"].get("message") if event["type"] == "message" else None
                if message and message["type"] == "task_request":
                    self.tell(event["payload"]["from_peer"], "task_response", message["request_id"],
                              {"result": message["payload"]["message"], "error": ""})
                else:
                    self.arrived.put(event)
        except (OSError, ValueError, AssertionError):
            self.arrived.put({"type": "gone", "payload": {}})

    def tell(self, peer, kind, request, payload):
        self.command("send", target_peer=peer, message={
            "type": kind, "request_id": request, "source_agent": "interop", "target_agent": "", "payload": payload})

    def expect(self, wanted, seconds, what):
        """The first event, seen before or not, of which `wanted` says yes."""
        deadline = time.monotonic() + seconds
        while True:
            for event in self.backlog:
                if wanted(event):
                    self.backlog.remove(event)
                    return event
            try:
                self.backlog.append(self.arrived.get(timeout=max(0.01, deadline - time.monotonic())))
            except queue.Empty:
                raise trouble(f"{what}: not within {seconds} s; heard {[e['type'] for e in self.backlog]}") from None

    def status(self):
        self.command("status")
        return self.expect(lambda event: event["type"] == "status", 10, "status")["payload"]
