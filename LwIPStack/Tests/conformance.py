#!/usr/bin/env python3
"""Hand-made segments against a stack, and what it answers: conformance.py INTERFACE OUR-MAC > TRANSCRIPT. Needs scapy, and a stack with the
application of `softint-net conform` at the other end of INTERFACE, on which the kernel has no address.

No waits: after each step a ping is sent, and since frames keep their order, what was answered at once comes before its answer. Only where lwIP's
timers answer, the answer is waited for. Initial sequence numbers, ports that lwIP chooses, identities and timestamps are written relative to
what they began with or left out, so that transcripts of the same behaviour are the same.
"""
import logging
import select
import sys
import time

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import ARP, ICMP, IP, TCP, UDP, Ether, IPOption, Raw, conf, fragment, raw  # noqa: E402

THERE, HERE = "192.0.2.2", "192.0.2.1"
interface, mac = sys.argv[1], sys.argv[2]
wire = conf.L2socket(iface=interface)
peer_mac = "ff:ff:ff:ff:ff:ff"
pings = 0
ports = iter(range(20000, 60000))


def put(packet):
    # Built once, so that what a case made wrong stays wrong.
    wire.send(raw(packet))


def ether(packet):
    return Ether(src=mac, dst=peer_mac) / packet


def ip(**fields):
    return IP(src=HERE, dst=THERE, **fields)


def frames(until):
    """Frames of the stack until the deadline."""
    while (left := until - time.monotonic()) > 0:
        if not select.select([wire], [], [], left)[0]:
            return
        frame = wire.recv()
        if frame is not None and frame.src != mac:
            yield frame


def answers_arp(frame):
    if ARP in frame and frame[ARP].op == 1 and frame[ARP].pdst == HERE:
        put(ether(ARP(op=2, hwsrc=mac, psrc=HERE, hwdst=frame.src, pdst=frame[ARP].psrc)))
        return True
    return False


def answers():
    """What the stack has answered up to now."""
    global pings
    pings += 1
    put(ether(ip() / ICMP(id=0x7777, seq=pings) / b"fence"))
    got = []
    for frame in frames(time.monotonic() + 10):
        if answers_arp(frame) or IP not in frame:
            continue
        if ICMP in frame and frame[ICMP].type == 0 and frame[ICMP].id == 0x7777:
            if frame[ICMP].seq == pings:
                return got
            continue
        got.append(frame)
    sys.exit("conformance: the stack does not answer a ping")


def awaited(want, seconds=20):
    """The first frame that is wanted; lwIP's timers send it."""
    for frame in frames(time.monotonic() + seconds):
        if not answers_arp(frame) and IP in frame and want(frame):
            return frame
    return None


class Connection:
    """One end of TCP, in our hand."""

    def __init__(self, port=7, options=(), window=8192):
        self.port, self.source, self.window = port, next(ports), window
        self.sequence, self.ack, self.base, self.peer_base = 1000, 0, 1000, None
        self.options = list(options)
        self.stamped = any(name == "Timestamp" for name, _ in self.options)
        self.clock = 1000
        self.stamp_there = 0

    def segment(self, flags, data=b"", sequence=None, ack=None, **fields):
        options = fields.pop("options", None)
        if options is None:
            options = [("Timestamp", (self.clock, self.stamp_there))] if self.stamped else []
        segment = TCP(sport=self.source, dport=self.port, flags=flags, seq=self.sequence if sequence is None else sequence % 2**32,
                      ack=(self.ack if ack is None else ack % 2**32) if "A" in flags else 0,
                      window=fields.pop("window", self.window), options=options, **fields)
        return ip() / segment / Raw(data) if data else ip() / segment

    def show(self, frame):
        if ICMP in frame:
            return f"icmp {frame[ICMP].type}/{frame[ICMP].code}"
        segment = frame[TCP]
        if self.peer_base is None and "S" in segment.flags:
            self.peer_base = segment.seq
            self.ack = (segment.seq + 1) % 2**32
        base = self.peer_base or 0
        data = bytes(segment.payload)[: frame[IP].len - 20 - segment.dataofs * 4]
        words = [str(segment.flags)]
        # A reset of what has no connection has the sequence that it was asked with: 0 if with none.
        is_relative = self.peer_base is not None and not ("R" in segment.flags and segment.seq == 0)
        words.append(f"seq {(segment.seq - base) % 2**32}" if is_relative else f"seq {segment.seq}, absolute")
        if "A" in segment.flags:
            words.append(f"ack {(segment.ack - self.base) % 2**32}")
        words.append(f"win {segment.window}")
        if segment.urgptr:
            words.append(f"urg {segment.urgptr}")
        for name, value in segment.options:
            if name == "Timestamp":
                self.stamp_there = value[0]
                words.append(f"tsecr {value[1]}")
            elif name == "SAck":
                words.append("sack " + " ".join(str((edge - self.base) % 2**32) for edge in value))
            elif name not in ("NOP", "EOL"):
                words.append(f"{name} {value}")
        if data:
            words.append(data.decode("latin-1") if len(data) <= 40 else f"{len(data)} bytes")
        return " ".join(words)

    def mine(self, frame):
        if ICMP in frame:
            return True
        return TCP in frame and frame[TCP].dport == self.source

    def send(self, label, *segments):
        """Sends, and writes down what comes."""
        for segment in segments:
            put(ether(segment))
        print(f"  {label}:" + "".join(f"\n    {self.show(frame)}" for frame in answers() if self.mine(frame)))

    def wait(self, label, want):
        frame = awaited(lambda frame: self.mine(frame) and TCP in frame and want(frame[TCP]))
        print(f"  {label}:\n    {self.show(frame) if frame is not None else 'nothing'}")

    def open(self):
        self.send("SYN", self.segment("S", options=self.options))
        self.sequence += 1
        self.send("ACK", self.segment("A"))

    def write(self, data, **fields):
        """Data in order; what is given back is acknowledged."""
        self.send(f"data {data.decode('latin-1')}", self.segment("PA", data, **fields))
        self.sequence += len(data)
        self.ack += len(data)
        self.send("its ACK", self.segment("A"))

    def reset(self):
        put(ether(self.segment("R")))
        answers()


cases = []


def case(function):
    cases.append(function)
    return function


@case
def open_echo_close():
    c = Connection(options=[("MSS", 1460)])
    c.open()
    c.write(b"hello")
    c.send("FIN", c.segment("FA"))
    c.sequence += 1
    c.ack += 1
    c.send("last ACK", c.segment("A"))
    c.send("after the end", c.segment("A"))


@case
def out_of_order():
    c = Connection(options=[("MSS", 1460), ("SAckOK", b"")])
    c.open()
    c.send("second", c.segment("PA", b"bbbb", sequence=c.sequence + 4))
    c.send("third", c.segment("PA", b"cccc", sequence=c.sequence + 8))
    c.send("first", c.segment("PA", b"aaaa"))
    c.reset()


@case
def overlapping():
    c = Connection(options=[("MSS", 1460)])
    c.open()
    c.send("5 to 9", c.segment("PA", b"56789", sequence=c.sequence + 5))
    c.send("2 to 7", c.segment("PA", b"234567", sequence=c.sequence + 2))
    c.send("0 to 3", c.segment("PA", b"0123"))
    c.sequence += 10
    c.ack += 10
    c.send("partly old", c.segment("PA", b"89ab", sequence=c.sequence - 2))
    c.send("all old", c.segment("PA", b"45", sequence=c.sequence - 6))
    c.reset()


@case
def duplicate_syn():
    c = Connection(options=[("MSS", 1460)])
    c.send("SYN", c.segment("S", options=c.options))
    c.send("SYN again", c.segment("S", options=c.options))
    c.send("another SYN", c.segment("S", sequence=c.sequence + 7, options=c.options))
    c.sequence += 1
    c.send("ACK", c.segment("A"))
    c.send("SYN in the window", c.segment("S", sequence=c.sequence + 10))
    c.write(b"alive?")
    c.reset()


@case
def wrong_ack_of_syn():
    c = Connection()
    c.send("SYN", c.segment("S"))
    c.sequence += 1
    c.send("ACK of something else", c.segment("A", ack=c.ack + 100))
    c.reset()


@case
def no_connection():
    for flags in ("A", "FA", "SA", "R", "", "FPU", "SF"):
        c = Connection()
        c.ack = 5
        c.send(f"flags {flags or 'none'} to a listener", c.segment(flags))
        c = Connection(port=8)
        c.ack = 5
        c.send(f"flags {flags or 'none'} to nobody", c.segment(flags))
        c.reset()


@case
def reset_in_and_out_of_window():
    c = Connection()
    c.open()
    c.send("RST before the window", c.segment("R", sequence=c.sequence - 1))
    c.send("RST behind the window", c.segment("R", sequence=c.sequence + 300000))
    c.send("RST in the window", c.segment("R", sequence=c.sequence + 100))
    c.write(b"alive?")
    c.send("RST, exactly", c.segment("R"))
    c.send("after it", c.segment("PA", b"gone?"))


@case
def reset_while_opening():
    c = Connection()
    c.send("SYN", c.segment("S"))
    c.sequence += 1
    c.send("RST of another sequence", c.segment("R", sequence=c.sequence + 50))
    c.send("RST", c.segment("R"))
    c.send("ACK", c.segment("A"))


@case
def ack_of_nothing():
    c = Connection()
    c.open()
    c.send("ACK of what was never sent", c.segment("A", ack=c.ack + 5000))
    c.send("old ACK", c.segment("A", ack=c.ack - 1))
    c.write(b"alive?")
    c.reset()


@case
def beyond_the_window():
    c = Connection()
    c.open()
    c.send("data behind the window", c.segment("PA", b"x", sequence=c.sequence + 200000))
    c.send("a probe of one byte before", c.segment("A", b"p", sequence=c.sequence - 1))
    c.reset()


@case
def zero_window_of_ours():
    c = Connection(window=0)
    c.open()
    # Its ACK comes by itself, by the fast timer; that is not what is looked for.
    put(ether(c.segment("PA", b"held")))
    c.sequence += 4
    c.wait("its probe, our window being 0", lambda segment: bytes(segment.payload)[:1] == b"h")
    put(ether(c.segment("A", window=8192)))
    c.wait("our window open", lambda segment: bytes(segment.payload)[:4] == b"held")
    c.ack += 4
    c.reset()


@case
def zero_window_of_its():
    c = Connection(port=9, options=[("MSS", 1460)])
    c.open()
    # Whether each segment is acknowledged at once or by lwIP's fast timer depends on when that runs; in the end all are.
    last = None
    for start in range(0, 65535, 1400):
        part = c.segment("PA", b"x" * min(1400, 65535 - start))
        c.sequence += min(1400, 65535 - start)
        put(ether(part))
        last = ([frame for frame in answers() if c.mine(frame)] or [last])[-1]
    if last is None or last[TCP].ack != c.sequence:
        last = awaited(lambda frame: c.mine(frame) and frame[TCP].ack == c.sequence)
    print(f"  window full:\n    {c.show(last)}")
    c.send("a probe", c.segment("A", b"z"))
    c.reset()


@case
def urgent():
    c = Connection()
    c.open()
    c.send("urgent", c.segment("PAU", b"now!!", urgptr=3))
    c.sequence += 5
    c.ack += 5
    c.send("a pointer behind the end", c.segment("PAU", b"more", urgptr=4000))
    c.reset()


@case
def old_timestamps():
    c = Connection(options=[("MSS", 1460), ("Timestamp", (1000, 0))])
    c.open()
    c.clock = 2000
    c.write(b"stamped")
    c.clock = 500
    c.send("an older stamp", c.segment("PA", b"older"))
    c.clock = 3000
    c.send("without a stamp", c.segment("PA", b"bare", sequence=c.sequence, options=[]))
    c.reset()


@case
def small_segments():
    c = Connection(options=[("MSS", 100)])
    c.open()
    c.send("300 bytes", c.segment("PA", b"s" * 300))
    c.sequence += 300
    c.ack += 300
    c.send("their ACK", c.segment("A"))
    c.reset()


@case
def scaled_window():
    c = Connection(options=[("MSS", 1460), ("WScale", 7), ("NOP", None)], window=2)
    c.open()
    c.send("a window of 2 times 128", c.segment("PA", b"w" * 300))
    c.reset()


@case
def odd_options():
    for name, options in (("a length of 0", bytes([3, 0, 0, 0])), ("a length behind the end", bytes([2, 40, 1, 1])), ("MSS 0", bytes([2, 4, 0, 0])),
                          ("unknown", bytes([200, 4, 1, 2]))):
        c = Connection()
        segment = TCP(raw(TCP(sport=c.source, dport=7, flags="S", seq=c.sequence, window=8192, dataofs=6)) + options)
        segment.chksum = None
        c.send(f"SYN with {name}", ip() / segment)
        c.sequence += 1
        c.reset()


@case
def data_with_syn():
    c = Connection()
    c.send("SYN with data", c.segment("S", b"early"))
    c.sequence += 1
    c.send("ACK and the data", c.segment("PA", b"early"))
    c.reset()


@case
def fin_with_data():
    c = Connection()
    c.open()
    c.send("FIN before its data", c.segment("FPA", b"bb", sequence=c.sequence + 2))
    c.send("the data", c.segment("PA", b"aa"))
    c.sequence += 5
    c.reset()


@case
def data_after_fin():
    c = Connection()
    c.open()
    c.send("FIN", c.segment("FA"))
    c.sequence += 1
    c.send("data behind it", c.segment("PA", b"late"))
    c.send("FIN again", c.segment("FA", sequence=c.sequence - 1))
    c.reset()


@case
def simultaneous_close():
    c = Connection(port=13)
    c.open()
    c.send("it closes", c.segment("PA", b"x"))
    c.sequence += 1
    c.send("our FIN, its own not acknowledged", c.segment("FA"))
    c.sequence += 1
    c.ack += 1
    c.send("ACK of its FIN", c.segment("A"))
    c.send("our FIN again", c.segment("FA", sequence=c.sequence - 1))
    c.send("SYN while it waits", c.segment("S", sequence=c.sequence + 100))
    c.reset()


@case
def it_closes_first():
    c = Connection(port=13)
    c.open()
    c.send("it closes", c.segment("PA", b"x"))
    c.sequence += 1
    c.ack += 1
    c.send("ACK of its FIN", c.segment("A"))
    c.send("data, half-closed", c.segment("PA", b"yy"))
    c.sequence += 2
    c.send("our FIN", c.segment("FA"))
    c.sequence += 1
    c.send("our FIN again", c.segment("FA", sequence=c.sequence - 1))
    c.reset()


def told_to_connect():
    c = Connection()
    c.source = next(ports)
    put(ether(ip() / UDP(sport=4000, dport=9) / Raw(c.source.to_bytes(2, "big"))))
    syn = next(frame for frame in answers() if TCP in frame and frame[TCP].dport == c.source)
    c.port = syn[TCP].sport
    print(f"  told to connect:\n    {c.show(syn)}")
    return c


@case
def it_connects():
    c = told_to_connect()
    c.send("SYN and ACK", c.segment("SA", options=[("MSS", 1460)]))
    c.sequence += 1
    c.write(b"hello")
    c.reset()


@case
def simultaneous_open():
    c = told_to_connect()
    c.send("SYN of ours", c.segment("S", options=[("MSS", 1460)]))
    c.sequence += 1
    c.send("ACK", c.segment("A"))
    c.send("data", c.segment("PA", b"both"))
    c.reset()


@case
def it_is_refused():
    c = told_to_connect()
    c.send("RST without the right ACK", c.segment("RA", ack=c.ack + 9))
    c.send("an ACK of something else", c.segment("A", ack=c.ack + 9))
    c.send("RST", c.segment("RA"))


@case
def sends_again():
    c = Connection()
    c.open()
    c.send("data", c.segment("PA", b"again?"))
    c.sequence += 6
    c.wait("after its timeout", lambda segment: bytes(segment.payload).startswith(b"again?"))
    c.reset()


@case
def three_same_acks():
    c = Connection(options=[("MSS", 100)])
    c.open()
    c.send("300 bytes", c.segment("PA", b"r" * 300))
    c.sequence += 300
    c.send("the first came", c.segment("A", ack=c.ack + 100))
    for count in range(3):
        c.send(f"the same ACK, {count + 1}", c.segment("A", ack=c.ack + 100))
    c.reset()


@case
def bad_checksums():
    c = Connection()
    c.open()
    for name, packet in (("TCP", c.segment("PA", b"bad", chksum=1)), ("UDP", ip() / UDP(sport=4000, dport=7, chksum=1) / b"bad"),
                         ("ICMP", ip() / ICMP(id=9, chksum=1) / b"bad"), ("IP", IP(src=HERE, dst=THERE, chksum=1) / UDP(sport=4000, dport=7) / b"bad")):
        put(ether(packet))
        print(f"  a bad checksum of {name}: {len([f for f in answers() if c.mine(f) or UDP in f])} answers")
    c.write(b"alive?")
    c.reset()


def datagrams(label, *packets):
    for packet in packets:
        put(ether(packet))
    got = answers()
    print(f"  {label}:")
    for frame in got:
        if ICMP in frame:
            print(f"    icmp {frame[ICMP].type}/{frame[ICMP].code} {len(frame[ICMP].payload)} bytes")
        elif UDP in frame or frame[IP].proto == 17:
            print(f"    udp, fragment at {frame[IP].frag * 8}{' and more' if frame[IP].flags.MF else ''}, {frame[IP].len} bytes")


@case
def fragments():
    whole = ip(id=77) / UDP(sport=4000, dport=7) / Raw(bytes(range(256)) * 8)
    parts = fragment(IP(raw(whole)), 600)
    datagrams("in order", *parts)
    datagrams("backwards", *reversed(parts))
    datagrams("one twice", parts[0], parts[1], parts[1], *parts[2:])
    datagrams("one missing", *[part for part in fragment(IP(raw(ip(id=78) / whole[UDP])), 600)[1:]])
    overlapped = fragment(IP(raw(ip(id=79) / whole[UDP])), 600)
    wide = overlapped[1].copy()
    wide.payload = Raw(raw(overlapped[1].payload) + b"overlaps")
    wide.len = wide.chksum = None
    datagrams("overlapping", overlapped[0], wide, *overlapped[2:])
    datagrams("a TCP segment in fragments", *fragment(IP(raw(ip(id=80) / TCP(sport=4000, dport=8, flags="S"))), 8))
    datagrams("beyond 64 kB", IP(src=HERE, dst=THERE, id=81, frag=8191, proto=17) / Raw(b"x" * 100))


@case
def datagrams_and_pings():
    datagrams("to a port", ip() / UDP(sport=4000, dport=7) / b"hello")
    datagrams("empty", ip() / UDP(sport=4000, dport=7))
    datagrams("without checksum", ip() / UDP(sport=4000, dport=7, chksum=0) / b"hello")
    datagrams("to nobody", ip() / UDP(sport=4000, dport=8) / b"hello")
    datagrams("a length behind the end", ip() / UDP(sport=4000, dport=7, len=200) / b"hello")
    datagrams("a length shorter than its header", ip() / UDP(sport=4000, dport=7, len=4) / b"hello")
    datagrams("ping", ip() / ICMP(id=5) / Raw(b"x" * 1000))
    datagrams("an unknown protocol", ip(proto=200) / Raw(b"what"))
    datagrams("with an option of IP", IP(src=HERE, dst=THERE, options=[IPOption(b"\x07\x07\x04\x00\x00\x00\x00")]) / UDP(sport=4000, dport=7) / b"hello")
    datagrams("to another address", IP(src=HERE, dst="192.0.2.99") / UDP(sport=4000, dport=7) / b"hello")
    datagrams("a timestamp request", ip() / ICMP(type=13))


put(Ether(src=mac, dst=peer_mac) / ARP(op=1, hwsrc=mac, psrc=HERE, pdst=THERE))
reply = next((f for f in frames(time.monotonic() + 10) if ARP in f and f[ARP].op == 2 and f[ARP].psrc == THERE), None)
if reply is None:
    sys.exit("conformance: the stack does not answer ARP")
peer_mac = reply[ARP].hwsrc
chosen = [function for function in cases if not sys.argv[3:] or function.__name__ in sys.argv[3:]]
for function in chosen:
    print(function.__name__)
    function()
print(f"{len(chosen)} cases", file=sys.stderr)
