#!/usr/bin/env python3
"""Writes the seeds of the fuzzer of frames (source/fuzz): make-corpus.py FOLDER. Each is a list of steps as fuzz.c reads them."""
import os, struct, sys

MAC, PEER = bytes([2, 0, 0, 0, 0, 2]), bytes([2, 0, 0, 0, 0, 1])
HERE, THERE = bytes([10, 0, 0, 2]), bytes([10, 0, 0, 1])


def frame(data, what=0):
    return bytes([what]) + struct.pack(">H", len(data)) + data


def timer(which):
    return bytes([2, 0, which])


def application(what):
    return bytes([3, 0, what])


def ip(protocol, payload, fragment=0, identity=1):
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), identity, fragment, 64, protocol, 0) + THERE + HERE
    return MAC + PEER + b"\x08\x00" + header + payload


def tcp(flags, sequence, data=b"", port=7, options=b"", window=4000, source=4000, urgent=0):
    size = (20 + len(options)) // 4
    return ip(6, struct.pack(">HHIIBBHHH", source, port, sequence, 0, size << 4, flags, window, 0, urgent) + options + data)


def udp(data, port=7):
    return struct.pack(">HHHH", 4000, port, 8 + len(data), 0) + data


arp = frame(MAC + PEER + b"\x08\x06" + struct.pack(">HHBBH", 1, 0x800, 6, 4, 2) + PEER + THERE + MAC + HERE)
SYN, ACK, FIN, RST, URG = 2, 16, 1, 4, 32
options = bytes([2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 2])
opened = arp + frame(tcp(SYN, 100, options=options)) + frame(tcp(ACK, 101), 1)
nd = bytes([135, 0, 0, 0, 0, 0, 0, 0]) + bytes([0xFD]) + bytes(14) + b"\x02" + bytes([1, 1]) + PEER
ip6 = bytes([0x60, 0, 0, 0]) + struct.pack(">HBB", len(nd), 58, 255) + b"\xfd" + bytes(14) + b"\x01" + b"\xfd" + bytes(14) + b"\x02" + nd
echo = bytes([8, 0, 0, 0, 0, 1, 0, 1]) + b"ping"
long = udp(b"a" * 40)
seeds = {
    "arp": arp,
    "ping": arp + frame(ip(1, echo)),
    "udp": arp + frame(ip(17, udp(b"hello"))),
    "fragments": arp + frame(ip(17, long[:24], 0x2000)) + frame(ip(17, long[24:], 3)),
    "neighbour": frame(MAC + PEER + b"\x86\xdd" + ip6),
    "open-echo-close": opened + frame(tcp(ACK, 101, b"hello"), 1) + frame(tcp(ACK, 106), 1) + frame(tcp(FIN | ACK, 106), 1) + frame(tcp(ACK, 107), 1),
    "out-of-order": opened + frame(tcp(ACK, 111, b"b" * 10), 1) + frame(tcp(ACK, 106, b"a" * 10), 1) + frame(tcp(ACK, 101, b"a" * 10), 1),
    "reset": opened + frame(tcp(RST, 101), 1),
    "urgent": opened + frame(tcp(ACK | URG, 101, b"now", urgent=2), 1),
    "window-zero": opened + application(4) + frame(tcp(ACK, 101, window=0), 1) + timer(0) * 4,
    # Segments of five bytes, and timestamps, which take twelve: lwIP, asked to write, would write beyond its buffer (see transport.c).
    "tiny-segments": arp + frame(tcp(SYN, 100, options=bytes([2, 4, 0, 5]) + options[4:])) + frame(tcp(ACK, 101), 1)
    + frame(tcp(ACK, 101, b"0123456789"), 1),
    "send-again": opened + application(4) + timer(0) * 10,
    "connect": arp + application(0) + frame(tcp(SYN | ACK, 500, port=49152, source=80), 1),
    "timers": arp + opened + b"".join(timer(index) for index in range(10)) + application(1),
}
for name, data in seeds.items():
    with open(os.path.join(sys.argv[1], name), "wb") as file:
        file.write(data)
