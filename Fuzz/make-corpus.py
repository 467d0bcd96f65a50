#!/usr/bin/env python3
"""Writes the seeds of the capture fuzzer to the folder given, by default corpus/ beside this script.

Small captures, each with one thing that the others do not have: a link type, a format, a byte order,
a resolution, a header chain, or damage. Only the standard library; the same files on every run.
"""
import pathlib
import struct
import sys

V4 = bytes([192, 0, 2, 1]), bytes([198, 51, 100, 7])
V6 = bytes.fromhex("20010db8000000000000000000000001"), bytes.fromhex("20010db8000000010000000000000002")
TCP, UDP, ICMP, ICMPV6, HOP, ROUTING, FRAGMENT, AH, DESTINATION = 6, 17, 1, 58, 0, 43, 44, 51, 60


def tcp(a=49152, b=443, flags=0x12):
    return struct.pack(">HHIIBBHHH", a, b, 1, 2, 0x50, flags, 1024, 0, 0)


def udp(a=5353, b=53, payload=b"payload"):
    return struct.pack(">HHHH", a, b, 8 + len(payload), 0) + payload


def icmp():
    return bytes([8, 0, 0, 0, 0, 1, 0, 1])


def ipv4(payload, proto, options=b"", offset=0, more=False, total=None):
    words = 5 + len(options) // 4
    total = words * 4 + len(payload) if total is None else total
    return struct.pack(">BBHHHBBH4s4s", 0x40 | words, 0, total, 7, (more << 13) | offset, 64, proto, 0,
                       *V4) + options + payload


def ipv6(payload, following, length=None):
    length = len(payload) if length is None else length
    return struct.pack(">IHBB16s16s", 6 << 28, length, following, 64, *V6) + payload


def extension(following, payload, words=0):
    return bytes([following, words]) + bytes(6 + 8 * words) + payload


def fragment(following, payload, offset=0, more=True):
    return struct.pack(">BBHI", following, 0, offset << 3 | more, 9) + payload


def authentication(following, payload):
    return bytes([following, 4]) + bytes(22) + payload


def ethernet(payload, kind=0x0800, tags=()):
    tagged = b"".join(struct.pack(">HH", tag, 5) for tag in tags)
    return bytes(12) + tagged + struct.pack(">H", kind) + payload


def cooked1(payload, kind=0x0800):
    return struct.pack(">HHH8sH", 0, 1, 6, bytes(8), kind) + payload


def cooked2(payload, kind=0x0800):
    return struct.pack(">HHIHBB8s", kind, 0, 2, 1, 0, 6, bytes(8)) + payload


FRAMES = {
    "ethernet": (1, [
        ethernet(ipv4(tcp(), TCP)), ethernet(ipv4(udp(), UDP)) + bytes(9), ethernet(ipv4(icmp(), ICMP)),
        ethernet(ipv6(tcp(), TCP), 0x86DD), ethernet(bytes(28), 0x0806), ethernet(bytes(40), 0x0026)]),
    "vlan": (1, [
        ethernet(ipv4(udp(), UDP), tags=(0x8100,)), ethernet(ipv4(tcp(), TCP), tags=(0x88A8, 0x8100)),
        ethernet(ipv6(udp(), UDP), 0x86DD, tags=(0x9100, 0x8100, 0x8100)),
        ethernet(ipv4(tcp(), TCP), tags=(0x8100,) * 9)]),
    "ipv4": (228, [
        ipv4(tcp(), TCP, options=bytes([1] * 8)), ipv4(udp(), UDP, more=True), ipv4(bytes(16), UDP, offset=2),
        ipv4(tcp(), TCP, total=0), ipv4(tcp(), TCP, total=22), ipv4(ipv4(udp(), UDP), 4)]),
    "ipv6": (229, [
        ipv6(extension(TCP, tcp()), HOP), ipv6(extension(ROUTING, extension(UDP, udp()), 1), DESTINATION),
        ipv6(fragment(UDP, udp()), FRAGMENT), ipv6(fragment(UDP, bytes(16), offset=4), FRAGMENT),
        ipv6(authentication(TCP, tcp()), AH), ipv6(icmp(), ICMPV6), ipv6(tcp(), TCP, length=0),
        ipv6(bytes([60, 0] + [0] * 6) * 18, DESTINATION), ipv6(b"", 59)]),
    "raw": (101, [ipv4(tcp(), TCP), ipv6(udp(), UDP), b"\x10"]),
    "cooked1": (113, [
        cooked1(ipv4(tcp(), TCP)), cooked1(ipv6(udp(), UDP), 0x86DD),
        cooked1(struct.pack(">HH", 5, 0x0800) + ipv4(udp(), UDP), 0x8100)]),
    "cooked2": (276, [
        cooked2(ipv4(tcp(), TCP)), cooked2(ipv6(udp(), UDP), 0x86DD),
        cooked2(struct.pack(">HH", 5, 0x86DD) + ipv6(udp(), UDP), 0x8100)]),
    "null": (0, [
        struct.pack("<I", 2) + ipv4(tcp(), TCP), struct.pack(">I", 2) + ipv4(udp(), UDP),
        struct.pack("<I", 30) + ipv6(tcp(), TCP), struct.pack("<I", 7) + bytes(8)]),
    "loop": (108, [struct.pack(">I", 2) + ipv4(tcp(), TCP), struct.pack(">I", 24) + ipv6(udp(), UDP)]),
}


def pcap(link, frames, order="<", magic=0xA1B2C3D4, extra=b"", snap=65535, cut=None):
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, link)
    for index, frame in enumerate(frames):
        held = frame if cut is None else frame[:cut]
        out += struct.pack(order + "IIII", 1_700_000_000 + index, 123456, len(held), len(frame)) + extra + held
    return out


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + length + body + length


def option(order, code, value):
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order):
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)
                 + option(order, 4, b"a writer") + option(order, 0, b""))


def interface(order, link, snap=0, resolution=None, offset=None):
    body = struct.pack(order + "HHI", link, 0, snap) + option(order, 2, b"eth0")
    if resolution is not None:
        body += option(order, 9, bytes([resolution]))
    if offset is not None:
        body += option(order, 14, struct.pack(order + "q", offset))
    return block(order, 1, body + option(order, 0, b""))


def enhanced(order, number, time, frame):
    body = struct.pack(order + "IIIII", number, time >> 32, time & 0xFFFFFFFF, len(frame), len(frame))
    return block(order, 6, body + frame + bytes(-len(frame) % 4) + option(order, 1, b"a comment"))


def obsolete(order, number, time, frame):
    return block(order, 2, struct.pack(order + "HHIIII", number, 0xFFFF, time >> 32, time & 0xFFFFFFFF,
                                       len(frame), len(frame)) + frame)


def simple(order, frame, snap=0):
    return block(order, 3, struct.pack(order + "I", len(frame)) + (frame[:snap] if snap else frame))


def pcapng(order, link, frames):
    out = section(order) + interface(order, link)
    return out + b"".join(enhanced(order, 0, 1_700_000_000_000_000 + n, f) for n, f in enumerate(frames))


def captures():
    for name, (link, frames) in FRAMES.items():
        yield name + ".pcap", pcap(link, frames)
        yield name + "-cut.pcap", pcap(link, frames, order=">", cut=33)
        yield name + ".pcapng", pcapng("<", link, frames)
    frames = FRAMES["ethernet"][1]
    yield "nanoseconds.pcap", pcap(1, frames, magic=0xA1B23C4D)
    yield "nanoseconds-big.pcap", pcap(1, frames, order=">", magic=0xA1B23C4D)
    yield "modified.pcap", pcap(1, frames, magic=0xA1B2CD34, extra=bytes(8))
    yield "big.pcapng", pcapng(">", 1, frames)
    time = 1_700_000_000 << 10
    yield "many.pcapng", b"".join([
        section("<"), interface("<", 1, resolution=0x8A, offset=-3), interface("<", 101, resolution=9, snap=64),
        block("<", 5, bytes(20)), enhanced("<", 0, time, frames[0]), enhanced("<", 1, time, frames[1][14:]),
        obsolete("<", 0, time, frames[2]), block("<", 0x0BAD, bytes(64)),
        section(">"), interface(">", 1, snap=40, resolution=3), simple(">", frames[0], 40),
        interface(">", 147), enhanced(">", 1, time, b"user"), obsolete(">", 0, time, frames[3])])
    whole = pcapng("<", 1, frames)
    yield "truncated.pcapng", whole[:-17]
    yield "lengths-differ.pcapng", whole[:-4] + b"\x40\0\0\0"
    yield "option-too-long.pcapng", section("<") + block("<", 1, struct.pack("<HHIHH", 1, 0, 0, 9, 200))
    yield "truncated.pcap", pcap(1, frames)[:-5]
    yield "too-large.pcap", pcap(1, frames) + struct.pack("<IIII", 1, 2, 0x7FFFFFFF, 60)
    yield "gzip.pcap", b"\x1f\x8b\x08\0\0\0\0\0"


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "corpus"
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in captures():
        (folder / name).write_bytes(data)


main()
