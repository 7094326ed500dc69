"""Programs under test as child processes: each in its own session, its output kept as a log and readable line by line."""
import json
import os
import queue
import signal
import subprocess
import threading
import time


class trouble(Exception):
    """Something did not happen; the message says what."""


class process:
    """A child whose standard output is lines (JSON or not) and whose both outputs go to <logs>/<name>.log."""

    def __init__(self, name, command, logs, environment=None, cwd=None):
        self.name, self.lines, self.events = name, queue.Queue(), []
        self.log_path = os.path.join(logs, name + ".log")
        self.log = open(self.log_path, "w", encoding="utf-8")
        self.log.write("$ " + " ".join(command) + "\n")
        self.log.flush()
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, cwd=cwd,
                                      env=dict(os.environ, **(environment or {})), start_new_session=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for raw in self.child.stdout:
            text = raw.decode("utf-8", "replace").rstrip("\n")
            self.log.write(text + "\n")
            self.log.flush()
            try:
                value = json.loads(text)
            except ValueError:
                continue
            if isinstance(value, dict):
                self.lines.put(value)
        self.lines.put(None)

    def wait_event(self, name, seconds, **fields):
        """The next (or an earlier) event with this name and these fields."""
        deadline = time.monotonic() + seconds
        while True:
            for event in self.events:
                if event and event.get("event") == name and all(event.get(key) == value for key, value in fields.items()):
                    return event
            if self.events and self.events[-1] is None:
                raise trouble(f"{self.name} ended ({self.child.wait()}) before it said '{name}'; see {self.log_path}")
            try:
                self.events.append(self.lines.get(timeout=max(0.01, deadline - time.monotonic())))
            except queue.Empty:
                raise trouble(f"{self.name} did not say '{name}' within {seconds} s; see {self.log_path}") from None

    def wait_events(self, name, count, seconds):
        """Until an event was seen so often."""
        deadline = time.monotonic() + seconds
        while (seen := sum(1 for event in self.events if event and event.get("event") == name)) < count:
            try:
                if (self.events and self.events[-1] is None) or time.monotonic() > deadline:
                    raise queue.Empty
                self.events.append(self.lines.get(timeout=max(0.01, deadline - time.monotonic())))
            except queue.Empty:
                raise trouble(f"{self.name} said '{name}' {seen} times, not {count}; see {self.log_path}") from None

    def running(self):
        return self.child.poll() is None

    def join(self, seconds):
        """The exit code of a child that ends by itself; None if it does not."""
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, seconds=10):
        """Asks it to end and returns its exit code; what does not listen is killed, with the processes it started."""
        if self.running():
            self.child.send_signal(signal.SIGTERM)
        try:
            code = self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        try:
            os.killpg(self.child.pid, signal.SIGKILL)  # its own session: nobody else is in it
        except ProcessLookupError:
            pass
        self.child.wait()
        self.reader.join(2)
        self.log.close()
        return code

    def tail(self, characters=1500):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()[-characters:]
