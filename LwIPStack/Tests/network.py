"""What faults and soak share: a network namespace of one's own, with the stack at one end of a wire, the kernel at the other, and in between a
relay that can lose, double and reorder frames."""
import atexit
import http.client
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time

KERNEL, STACK = "192.0.2.1", "192.0.2.2"


def own_namespace():
    """Starts this program again where it may do what it wants to the network."""
    if os.environ.get("IN_NAMESPACE") != "1":
        os.environ["IN_NAMESPACE"] = "1"
        os.execvp("unshare", ["unshare", "-Urn", sys.executable, *sys.argv])


def command(text):
    subprocess.run(text.split(), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def setting(path, value):
    with open("/proc/sys/net/" + path, "w") as file:
        file.write(str(value))


class Relay(threading.Thread):
    """Two raw sockets and what happens between them. Settings may change at any time; the draws are those of a seed."""

    def __init__(self, left, right):
        super().__init__(daemon=True)
        self.loss = self.double = self.late = 0.0
        # A port of the kernel's end whose frames vanish, both ways.
        self.vanished = None
        # Whether the kernel's end has no link: the kernel tells of what is sent to it for a second only, and then drops it in silence.
        self.down = False
        self.counts = dict(passed=0, lost=0, doubled=0, late=0, gone=0)
        self.random = random.Random(1)
        self.sockets = []
        for name in (left, right):
            raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
            raw.bind((name, 0))
            self.sockets.append(raw)
        self.start()

    def run(self):
        held = {}
        while True:
            # What is held back goes on after three others, or after 5 ms if nothing else comes.
            ready = select.select(self.sockets, [], [], 0.005 if held else None)[0]
            if not ready:
                for raw, (frame, _) in held.items():
                    self.send(raw, frame)
                held.clear()
                continue
            for raw in ready:
                frame, address = raw.recvfrom(65536)
                if address[2] == socket.PACKET_OUTGOING:
                    continue
                other = self.sockets[1 - self.sockets.index(raw)]
                if self.random.random() < self.loss or self.vanished in self.ports(frame):
                    self.counts["lost"] += 1
                    continue
                if other not in held and self.random.random() < self.late:
                    self.counts["late"] += 1
                    held[other] = (frame, 3)
                    continue
                self.send(other, frame)
                if self.random.random() < self.double:
                    self.counts["doubled"] += 1
                    self.send(other, frame)
                if other in held:
                    kept, left = held[other]
                    if left == 1:
                        self.send(other, kept)
                        del held[other]
                    else:
                        held[other] = (kept, left - 1)

    def send(self, raw, frame):
        """Passes a frame on; without a link it is lost, as on a wire."""
        try:
            if self.down and raw is self.sockets[0]:
                raise OSError
            raw.send(frame)
            self.counts["passed"] += 1
        except OSError:
            self.counts["gone"] += 1

    @staticmethod
    def ports(frame):
        if len(frame) < 38 or frame[12:14] != b"\x08\x00" or frame[23] != 6:
            return ()
        return int.from_bytes(frame[34:36], "big"), int.from_bytes(frame[36:38], "big")


def wire(relayed=True):
    """near (the kernel's) … far (the stack's)."""
    command("ip link set lo up")
    pairs = [("near", "middle1"), ("middle2", "far")] if relayed else [("near", "far")]
    for a, b in pairs:
        command(f"ip link add {a} type veth peer name {b}")
    for name in (name for pair in pairs for name in pair):
        setting(f"ipv6/conf/{name}/disable_ipv6", 1)
        command(f"ethtool -K {name} tx off gso off tso off gro off")
        command(f"ip link set {name} up")
    command(f"ip address add {KERNEL}/24 dev near")
    return Relay("middle1", "middle2") if relayed else None


class Server:
    """`softint-net serve` at the far end."""

    def __init__(self, program, *options, port=80):
        self.port = port
        # Nothing is left running, whatever fails.
        atexit.register(lambda: self.process.kill())
        self.process = subprocess.Popen(
            [program, "serve", "--device", "packet:far", "--address", f"{STACK}/24", "--port", str(port), *options],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening"):
            sys.exit(f"the server does not start: {line}")

    def get(self, path, timeout=60):
        connection = http.client.HTTPConnection(STACK, self.port, timeout=timeout)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()

    def stats(self):
        return json.loads(self.get("/stats"))

    def memory(self):
        """Resident, in kB."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

    def settled(self, seconds=60):
        """Looks until nothing is left but the connection that asks, and lwIP's timers still go; what was last seen.

        One connection for all looks: with one for each, some thousand a second, the kernel came to a port of which lwIP has a
        connection in TIME_WAIT, and lwIP accepts no new one on that for two minutes."""
        connection = http.client.HTTPConnection(STACK, self.port, timeout=60)
        try:
            return self.look_until_settled(connection, time.monotonic() + seconds)
        finally:
            connection.close()

    @staticmethod
    def look_until_settled(connection, end):
        ticks = None
        while True:
            connection.request("GET", "/stats")
            stats = json.loads(connection.getresponse().read())
            if ticks is None:
                ticks = stats["timers"]["ip_reass_tmr"]
            if stats["sessions"] <= 1 and stats["segments"] <= 1 and stats["buffers"] <= 2 and stats["timers"]["ip_reass_tmr"] > ticks:
                return stats
            if time.monotonic() > end:
                sys.exit(f"something is left, or a timer stands: {stats}")
            time.sleep(0.01)

    def stop(self):
        """Ends it; what it said at its end."""
        self.process.send_signal(signal.SIGINT)
        rest = self.process.communicate(timeout=30)[0]
        if self.process.returncode != 0 or "in vain 0 times" not in rest:
            sys.exit(f"the server ended with {self.process.returncode}: {rest}")
        return rest
