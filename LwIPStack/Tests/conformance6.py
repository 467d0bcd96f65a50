#!/usr/bin/env python3
"""As conformance.py, over IPv6: hand-made packets against a stack, and what it answers: conformance6.py INTERFACE OUR-MAC > TRANSCRIPT.

After each step comes a ping, and what was answered at once comes before its answer. What the stack says of itself (solicitations of neighbours
and routers, reports of groups) is answered where it has to be, and not written down.
"""
import logging
import select
import struct
import sys
import time

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import (  # noqa: E402
    ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, TCP, UDP, Ether, HBHOptUnknown, PadN, Raw, RouterAlert, conf, raw)

THERE, HERE, GROUP = "2001:db8::2", "2001:db8::1", "ff02::1:ff00:2"
interface, mac = sys.argv[1], sys.argv[2]
wire = conf.L2socket(iface=interface)
mac_bytes = bytes.fromhex(mac.replace(":", ""))
peer_mac = "33:33:ff:00:00:02"
pings = 0
ports = iter(range(20000, 60000))


def put(packet, to=None):
    # Built once, so that what a case made wrong stays wrong.
    wire.send(raw(Ether(src=mac, dst=to or peer_mac) / packet))


def ip(**fields):
    return IPv6(src=HERE, dst=THERE, **fields)


class Answer:
    """A packet of the stack, taken apart by hand."""

    def __init__(self, frame):
        self.length, self.next, self.hops = struct.unpack("!HBB", frame[18:22])
        self.source, self.body = frame[22:38], frame[54 : 54 + self.length]
        self.is_icmp = self.next == 58
        self.type, self.code = (self.body[0], self.body[1]) if self.is_icmp else (None, None)


def packets(seconds=10):
    """IPv6 packets of the stack; solicitations of us are answered."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if not select.select([wire], [], [], left)[0]:
            return
        frame = wire.recv_raw()[1]
        if frame is None or frame[6:12] == mac_bytes or frame[12:14] != b"\x86\xdd":
            continue
        answer = Answer(frame)
        if answer.type == 135 and answer.body[8:24] == bytes.fromhex("20010db8000000000000000000000001"):
            put(IPv6(src=HERE, dst=THERE) / ICMPv6ND_NA(R=0, S=1, O=1, tgt=HERE) / ICMPv6NDOptDstLLAddr(lladdr=mac))
        elif answer.type not in (133, 135, 143, 131):
            yield answer


def answers():
    """What the stack has answered up to now."""
    global pings
    pings += 1
    put(ip() / ICMPv6EchoRequest(id=0x7777, seq=pings, data=b"fence"))
    got = []
    for answer in packets():
        if answer.type == 129 and answer.body[4:6] == b"\x77\x77":
            if struct.unpack("!H", answer.body[6:8])[0] == pings:
                return got
        else:
            got.append(answer)
    sys.exit("conformance6: the stack does not answer a ping")


def show(answer, connection=None):
    body = answer.body
    if answer.type == 136:
        flags = "".join(name for bit, name in ((0x80, "R"), (0x40, "S"), (0x20, "O")) if body[4] & bit)
        return f"advertisement {flags}, {body[8:24].hex()}, options {body[24:].hex()}, hop limit {answer.hops}"
    if answer.is_icmp:
        where = f" at {struct.unpack('!I', body[4:8])[0]}" if answer.type == 4 else ""
        return f"icmp6 {answer.type}/{answer.code}{where}, {len(body)} bytes"
    if answer.next == 44:
        offset = struct.unpack("!H", body[2:4])[0]
        return f"fragment of {body[0]} at {offset & ~7}{' and more' if offset & 1 else ''}, {len(body)} bytes"
    if answer.next == 17:
        return f"udp {len(body) - 8} bytes"
    if answer.next == 6:
        return connection.show(body) if connection else f"tcp {TCP(body).flags}"
    return f"protocol {answer.next}, {len(body)} bytes"


def step(label, *parts, connection=None, to=None):
    for part in parts:
        put(part, to)
    print(f"  {label}:" + "".join(f"\n    {show(answer, connection)}" for answer in answers()))


class Connection:
    """One end of TCP, in our hand."""

    def __init__(self, port=7):
        self.port, self.source = port, next(ports)
        self.sequence, self.ack, self.base, self.peer_base = 1000, 0, 1000, None

    def segment(self, flags, data=b"", sequence=None, **fields):
        made = TCP(sport=self.source, dport=self.port, flags=flags, seq=self.sequence if sequence is None else sequence % 2**32,
                   ack=self.ack if "A" in flags else 0, window=8192, **fields)
        return ip() / made / Raw(data) if data else ip() / made

    def show(self, body):
        segment = TCP(body)
        if self.peer_base is None and "S" in segment.flags:
            self.peer_base, self.ack = segment.seq, (segment.seq + 1) % 2**32
        relative = self.peer_base is not None and not ("R" in segment.flags and segment.seq == 0)
        words = [str(segment.flags), f"seq {(segment.seq - self.peer_base) % 2**32}" if relative else f"seq {segment.seq}, absolute"]
        if "A" in segment.flags:
            words.append(f"ack {(segment.ack - self.base) % 2**32}")
        words.append(f"win {segment.window} {[name for name, _ in segment.options]} {bytes(segment.payload).decode('latin-1')}")
        return " ".join(words)

    def send(self, label, *segments):
        step(label, *segments, connection=self)

    def open(self):
        self.send("SYN", self.segment("S", options=[("MSS", 1440)]))
        self.sequence += 1
        self.send("ACK", self.segment("A"))

    def write(self, data):
        self.send(f"data {data.decode()}", self.segment("PA", data))
        self.sequence += len(data)
        self.ack += len(data)
        self.send("its ACK", self.segment("A"))

    def reset(self):
        put(self.segment("R"))
        answers()


def open_echo_close():
    c = Connection()
    c.open()
    c.write(b"hello")
    c.send("out of order", c.segment("PA", b"bb", sequence=c.sequence + 2))
    c.send("the first", c.segment("PA", b"aa"))
    c.sequence += 4
    c.ack += 4
    c.send("FIN", c.segment("FA"))
    c.sequence += 1
    c.ack += 1
    c.send("last ACK", c.segment("A"))
    c.send("after the end", c.segment("A"))


def resets():
    c = Connection()
    c.open()
    c.send("RST before the window", c.segment("R", sequence=c.sequence - 1))
    c.send("RST in the window", c.segment("R", sequence=c.sequence + 100))
    c.write(b"alive?")
    c.send("RST, exactly", c.segment("R"))
    c.send("after it", c.segment("PA", b"gone?"))
    for flags in ("S", "A", "FPU"):
        nobody = Connection(port=8)
        nobody.send(f"{flags} to nobody", nobody.segment(flags))


def bad_checksums():
    c = Connection()
    c.open()
    for name, packet in (("TCP", c.segment("PA", b"bad", chksum=1)), ("UDP", ip() / UDP(sport=4000, dport=7, chksum=1) / b"bad"),
                         ("UDP, none", ip() / UDP(sport=4000, dport=7, chksum=0) / b"bad"),
                         ("ICMPv6", ip() / ICMPv6EchoRequest(id=9, cksum=1, data=b"bad")),
                         ("a solicitation", IPv6(src=HERE, dst=GROUP, hlim=255) / ICMPv6ND_NS(tgt=THERE, cksum=1))):
        step(f"a bad checksum of {name}", packet, connection=c)
    c.write(b"alive?")
    c.reset()


def pieces(identity, protocol, bytes_, size=512):
    return [ip() / IPv6ExtHdrFragment(nh=protocol, offset=at // 8, m=int(at + size < len(bytes_)), id=identity) / Raw(bytes_[at : at + size])
            for at in range(0, len(bytes_), size)]


def fragments():
    whole = raw(ip() / UDP(sport=4000, dport=7) / Raw(bytes(range(256)) * 8))[40:]
    parts = pieces(77, 17, whole)
    step("in order", *parts)
    step("backwards", *reversed(pieces(78, 17, whole)))
    again = pieces(79, 17, whole)
    step("one twice", again[0], again[1], again[1], *again[2:])
    step("one missing", *pieces(80, 17, whole)[1:])
    wide = pieces(81, 17, whole)
    wide[1] = wide[1].__class__(raw(ip() / IPv6ExtHdrFragment(nh=17, offset=64, m=1, id=81) / Raw(whole[512:1024] + b"overlaps")))
    step("overlapping", *wide)
    small = raw(ip() / UDP(sport=4000, dport=7) / b"one")[40:]
    step("whole in one", ip() / IPv6ExtHdrFragment(nh=17, offset=0, m=0, id=82) / Raw(small))
    step("more to come, and no multiple of 8", ip() / IPv6ExtHdrFragment(nh=17, offset=0, m=1, id=83) / Raw(small))
    step("beyond 64 kB", ip() / IPv6ExtHdrFragment(nh=17, offset=8191, m=0, id=84) / Raw(b"x" * 100))
    step("a header that is cut", ip(nh=44) / Raw(b"\x11\x00\x00"))
    syn = raw(ip() / TCP(sport=4000, dport=8, flags="S"))[40:]
    step("a TCP segment in fragments", *pieces(85, 6, syn, size=8))


def options():
    hello = UDP(sport=4000, dport=7) / b"hello"
    step("hop by hop, padded", ip() / IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)]) / hello)
    step("router alert", ip() / IPv6ExtHdrHopByHop(options=[RouterAlert()]) / hello)
    for kind, words in ((0x1E, "skip"), (0x5E, "drop"), (0x9E, "tell"), (0xDE, "tell unless to a group")):
        unknown = HBHOptUnknown(otype=kind, optlen=4, optdata=b"what")
        step(f"hop by hop, unknown: {words}", ip() / IPv6ExtHdrHopByHop(options=[unknown]) / hello)
        step(f"for the end, unknown: {words}", ip() / IPv6ExtHdrDestOpt(options=[unknown]) / hello)
    step("hop by hop, longer than the packet", ip() / IPv6ExtHdrHopByHop(len=200, options=[PadN(optdata=b"\0" * 4)]) / hello)
    step("an option longer than its header", ip() / IPv6ExtHdrHopByHop(len=0, options=[HBHOptUnknown(otype=0x1E, optlen=200, optdata=b"what")]) / hello)
    step("hop by hop, not first", ip() / IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)]) / IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)]) / hello)
    step("a route, at its end", ip() / IPv6ExtHdrRouting(type=0, segleft=0, addresses=[HERE]) / hello)
    step("a route, not at its end", ip() / IPv6ExtHdrRouting(type=0, segleft=1, addresses=[HERE]) / hello)
    step("an unknown header", ip(nh=200) / Raw(b"what"))
    step("no next header", ip(nh=59) / Raw(b"what"))
    step("a length behind the end", ip(plen=200) / hello)


def neighbours():
    slla = ICMPv6NDOptSrcLLAddr(lladdr=mac)
    to_group, group_mac = IPv6(src=HERE, dst=GROUP, hlim=255), "33:33:ff:00:00:02"
    step("of it, by its group", to_group / ICMPv6ND_NS(tgt=THERE) / slla, to=group_mac)
    step("of it, to it alone", IPv6(src=HERE, dst=THERE, hlim=255) / ICMPv6ND_NS(tgt=THERE))
    step("a hop limit of 64", IPv6(src=HERE, dst=GROUP, hlim=64) / ICMPv6ND_NS(tgt=THERE) / slla, to=group_mac)
    step("a code of 1", to_group / ICMPv6ND_NS(tgt=THERE, code=1) / slla, to=group_mac)
    step("of another", to_group / ICMPv6ND_NS(tgt="2001:db8::99") / slla, to=group_mac)
    step("of a group", to_group / ICMPv6ND_NS(tgt="ff02::1") / slla, to=group_mac)
    step("by somebody who has no address yet", IPv6(src="::", dst=GROUP, hlim=255) / ICMPv6ND_NS(tgt=THERE), to=group_mac)
    step("an option of length 0", to_group / ICMPv6ND_NS(tgt=THERE) / Raw(b"\x01\x00" + mac_bytes), to=group_mac)
    step("cut", to_group / Raw(raw(IPv6(src=HERE, dst=GROUP, nh=58) / ICMPv6ND_NS(tgt=THERE))[40:50]), to=group_mac)


def pings_and_datagrams():
    for size in (0, 1, 1000):
        step(f"ping, {size} bytes", ip() / ICMPv6EchoRequest(id=5, data=b"x" * size))
    step("ping to all nodes", IPv6(src=HERE, dst="ff02::1") / ICMPv6EchoRequest(id=5, data=b"all"), to="33:33:00:00:00:01")
    step("ping to another address", IPv6(src=HERE, dst="2001:db8::99") / ICMPv6EchoRequest(id=5, data=b"other"))
    step("ping from a group", IPv6(src="ff02::5", dst=THERE) / ICMPv6EchoRequest(id=5, data=b"group"))
    step("an unknown type", ip(nh=58) / Raw(raw(ip() / ICMPv6EchoRequest(type=200, data=b"?"))[40:]))
    step("to a port", ip() / UDP(sport=4000, dport=7) / b"hello")
    step("empty", ip() / UDP(sport=4000, dport=7))
    step("to nobody", ip() / UDP(sport=4000, dport=8) / b"hello")
    step("to nobody, of a group", IPv6(src=HERE, dst="ff02::1") / UDP(sport=4000, dport=8) / b"hello", to="33:33:00:00:00:01")
    step("a length behind the end", ip() / UDP(sport=4000, dport=7, len=200) / b"hello")


for _ in range(20):
    # The stack may not be there yet when the first comes.
    put(IPv6(src=HERE, dst=GROUP, hlim=255) / ICMPv6ND_NS(tgt=THERE) / ICMPv6NDOptSrcLLAddr(lladdr=mac))
    reply = next((answer for answer in packets(1) if answer.type == 136), None)
    if reply is not None:
        break
else:
    sys.exit("conformance6: the stack does not answer a solicitation")
peer_mac = ":".join(f"{byte:02x}" for byte in reply.body[26:32])
cases = [open_echo_close, resets, bad_checksums, fragments, options, neighbours, pings_and_datagrams]
for function in cases:
    print(f"{function.__name__}, IPv6")
    function()
print(f"{len(cases)} cases over IPv6", file=sys.stderr)
