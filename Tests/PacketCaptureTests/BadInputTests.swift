// What a person reads when a capture cannot be: the exact line, and the exit status of the command.

import Foundation
import Testing

@testable import PacketCapture

private struct BadCapture: Sendable, CustomTestStringConvertible {
  var name: String
  var capture: [UInt8]
  var line: String
  /// Frames that come before the error.
  var frames = 0
  var testDescription: String { name }
}

private func pcap(_ change: (inout PcapBuilder) -> Void) -> [UInt8] {
  var file = PcapBuilder()
  file.add(zeros(60))
  change(&file)
  return file.bytes
}

/// A pcapng of one interface; its next block begins at byte 48 + 32.
private func pcapng(_ change: (inout PcapNGBuilder) -> Void) -> [UInt8] {
  var file = PcapNGBuilder()
  file.addInterface(1)
  change(&file)
  return file.bytes
}

private let damaged = "the file is damaged there, copy or capture it again"
private let notACapture =
  "x.pcap: this is neither a pcap nor a pcapng capture; give a file written by tcpdump, dumpcap or Wireshark"

private let beginnings: [BadCapture] = [
  BadCapture(
    name: "empty", capture: [],
    line: "x.pcap: the capture is empty, without even a header; "
      + "check that whatever wrote it had packets to write and room to write them"),
  BadCapture(name: "text", capture: Array("This is a letter, not a capture.\n".utf8), line: notACapture),
  BadCapture(name: "two letters", capture: Array("hi".utf8), line: notACapture),
  BadCapture(
    name: "three bytes of a magic number", capture: [0xd4, 0xc3, 0xb2],
    line: "x.pcap: byte 0: the capture is cut in its header: 3 of 24 bytes are there; "
      + "nothing can be read from it, capture or copy it again"),
  BadCapture(
    name: "a pcap cut in its header", capture: Array(PcapBuilder().bytes[..<23]),
    line: "x.pcap: byte 0: the capture is cut in its header: 23 of 24 bytes are there; "
      + "nothing can be read from it, capture or copy it again"),
  BadCapture(
    name: "a pcapng cut in its header", capture: Array(PcapNGBuilder().bytes[..<27]),
    line: "x.pcap: byte 0: the capture is cut in its header: 27 of 28 bytes are there; "
      + "nothing can be read from it, capture or copy it again"),
  BadCapture(
    name: "a pcapng cut in its header's options", capture: Array(PcapNGBuilder().bytes.dropLast(3)),
    line: "x.pcap: byte 0: the capture is cut in its header: 45 of 48 bytes are there; "
      + "nothing can be read from it, capture or copy it again"),
  BadCapture(
    name: "an unknown link type", capture: PcapBuilder(link: 195).bytes,
    line: "x.pcap: byte 0: link type 195 is not known; "
      + "capture Ethernet, raw IP, Linux cooked or loopback (tcpdump -y EN10MB, or -i any)"),
  BadCapture(
    name: "a future pcap", capture: PcapBuilder(major: 3).bytes,
    line: "x.pcap: byte 0: version 3.4 of the format is not known; convert it: editcap -F pcap IN OUT"),
  BadCapture(
    name: "a pcapng without a byte order", capture: [0x0a, 0x0d, 0x0d, 0x0a] + zeros(28),
    line: "x.pcap: byte 0: a section header has no byte-order mark; \(damaged)"),
]

private let compressed: [BadCapture] = [
  ("gzip", [0x1f, 0x8b]), ("zstd", [0x28, 0xb5, 0x2f, 0xfd]), ("xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]),
  ("bzip2", [0x42, 0x5a, 0x68, 0x39]), ("lz4", [0x04, 0x22, 0x4d, 0x18]),
].map { (how: String, magic: [UInt8]) in
  BadCapture(
    name: how, capture: magic + zeros(40),
    line: "x.pcap: the capture is compressed with \(how); decompress it first: \(how) -d")
}

private let records: [BadCapture] = [
  BadCapture(
    name: "cut in a record's header", capture: pcap { $0.bytes += zeros(15) },
    line: "x.pcap: byte 100: the capture is cut in a record: 15 of the 16 bytes that it claims are there; "
      + "read what is whole with --salvage", frames: 1),
  BadCapture(
    name: "cut in a record", capture: pcap { $0.bytes.removeLast() },
    line: "x.pcap: byte 24: the capture is cut in a record: 75 of the 76 bytes that it claims are there; "
      + "read what is whole with --salvage"),
  BadCapture(
    name: "a record of the largest size that is not there",
    capture: pcap { $0.add([1, 2], claims: 262_144) },
    line:
      "x.pcap: byte 100: the capture is cut in a record: 18 of the 262160 bytes that it claims are there; "
      + "read what is whole with --salvage", frames: 1),
  BadCapture(
    name: "a record beyond the limit", capture: pcap { $0.add([1, 2], claims: 262_145) },
    line: "x.pcap: byte 100: a record claims 262145 bytes, the limit is 262144; \(damaged)", frames: 1),
  BadCapture(
    name: "a block cut",
    capture: pcapng {
      $0.addEnhanced([1])
      $0.bytes.removeLast(5)
    },
    line: "x.pcap: byte 80: the capture is cut in a record: 43 of the 48 bytes that it claims are there; "
      + "read what is whole with --salvage"),
  BadCapture(
    name: "an unknown block cut",
    capture: pcapng {
      $0.addBlock(99, zeros(8))
      $0.bytes.removeLast(1)
    },
    line: "x.pcap: byte 80: the capture is cut in a record: 19 of the 20 bytes that it claims are there; "
      + "read what is whole with --salvage"),
]

private let blocks: [BadCapture] = [
  BadCapture(
    name: "a packet beyond the limit", capture: pcapng { $0.addEnhanced(zeros(8), claims: 300_000) },
    line: "x.pcap: byte 80: a record claims 300000 bytes, the limit is 262144; \(damaged)"),
  BadCapture(
    name: "a packet past its block", capture: pcapng { $0.addEnhanced(zeros(8), claims: 100) },
    line: "x.pcap: byte 80: a packet of 100 bytes runs past the end of its block of 52; \(damaged)"),
  BadCapture(
    name: "a simple packet past its block", capture: pcapng { $0.addSimple([1], wire: 5) },
    line: "x.pcap: byte 80: a packet of 5 bytes runs past the end of its block of 20; \(damaged)"),
  BadCapture(
    name: "a packet of no interface", capture: pcapng { $0.addEnhanced([1], interface: 1) },
    line: "x.pcap: byte 80: a packet is of interface 1, the section has 1; \(damaged)"),
  BadCapture(
    name: "a length that is no multiple of 4",
    capture: pcapng { $0.bytes += [9, 0, 0, 0, 14, 0, 0, 0] + zeros(6) },
    line: "x.pcap: byte 80: a block claims 14 bytes, which is no multiple of 4; \(damaged)"),
  BadCapture(
    name: "a block too small for its kind", capture: pcapng { $0.addBlock(6, zeros(16)) },
    line: "x.pcap: byte 80: a block claims 28 bytes, its kind has at least 32; \(damaged)"),
  BadCapture(
    name: "lengths that differ",
    capture: pcapng { $0.bytes += [9, 0, 0, 0, 12, 0, 0, 0, 16, 0, 0, 0] },
    line: "x.pcap: byte 80: a block claims 12 bytes at its start and 16 at its end; \(damaged)"),
  BadCapture(
    name: "a packet block larger than the window",
    capture: pcapng { $0.addBlock(6, zeros(2 * CaptureReader.maximumRecord)) },
    line: "x.pcap: byte 80: a block claims 524300 bytes, the limit is 524288; \(damaged)"),
  BadCapture(
    name: "an option past its block", capture: pcapng { $0.addBlock(1, [1, 0] + zeros(6) + [9, 0, 1, 0]) },
    line: "x.pcap: byte 80: option 9 of an interface runs past the end of its block; \(damaged)"),
  BadCapture(
    name: "more interfaces than the limit",
    capture: pcapng { file in for _ in 0..<65_536 { file.addBlock(1, [1, 0] + zeros(6)) } },
    line: "x.pcap: byte 1310780: a section has more than 65536 interfaces; \(damaged)"),
  BadCapture(
    name: "a resolution of two bytes",
    capture: pcapng { $0.addBlock(1, [1, 0] + zeros(6) + [9, 0, 2, 0] + zeros(4)) },
    line: "x.pcap: byte 80: option 9 of an interface has 2 bytes; \(damaged)"),
  BadCapture(
    name: "a frame of an unknown link type, and no interface of a known one",
    capture: pcapng {
      $0.addSection(bigEndian: false)
      $0.addInterface(147)
      $0.addEnhanced([1])
    },
    line: "x.pcap: byte 160: link type 147 is not known; "
      + "capture Ethernet, raw IP, Linux cooked or loopback (tcpdump -y EN10MB, or -i any)"),
  BadCapture(
    name: "a future section", capture: pcapng { $0.addSection(bigEndian: true, major: 2) },
    line: "x.pcap: byte 80: version 2.0 of the format is not known; convert it: editcap -F pcap IN OUT"),
]

@Suite("A capture that cannot be read says so in one line")
struct BadInputTests {
  @Test(
    "with file, place, fault and remedy, and exit status 65",
    arguments: beginnings + compressed + records + blocks)
  fileprivate func data(_ bad: BadCapture) {
    let reading = read(bad.capture)
    #expect(reading.failure?.description == bad.line)
    #expect(reading.failure?.exitStatus == 65)
    #expect(reading.frames.count == bad.frames)
  }

  @Test("and salvage hides no damage but a cut", arguments: beginnings + compressed + blocks)
  fileprivate func damage(_ bad: BadCapture) {
    #expect(read(bad.capture, salvage: true).failure?.description == bad.line)
  }

  @Test("exit status 66 if there is nothing to read")
  func noInput() throws {
    let folder = FileManager.default.temporaryDirectory.path
    #expect(failure("") == ": there is no such file; check the path")
    #expect(
      failure(folder + "/no-such-capture")
        == "\(folder)/no-such-capture: there is no such file; check the path")
    #expect(failure("/dev/null/x") == "/dev/null/x: there is no such file; check the path")
    #expect(failure(folder) == "\(folder): this is a directory, not a capture; name a capture file in it")
    let link = folder + "/softint-loop-\(getpid())"
    #expect(symlink(link, link) == 0)
    defer { unlink(link) }
    #expect(
      failure(link) == "\(link): cannot be opened: Too many levels of symbolic links; check who may read it")
  }

  private func failure(_ path: String) -> String? {
    do throws(CaptureError) {
      _ = try CaptureReader(path: path)
      return nil
    } catch {
      #expect(error.exitStatus == 66)
      return error.description
    }
  }

  @Test("a device that fails on the way is told from one that ends")
  func readFailure() {
    // A descriptor that is open for writing only refuses every read.
    let descriptor = open("/dev/null", O_WRONLY)
    defer { close(descriptor) }
    do throws(CaptureError) {
      _ = try CaptureReader(descriptor: descriptor, name: "the pipe")
      Issue.record("read from a descriptor that cannot be read")
    } catch {
      #expect(
        error.description
          == "the pipe: byte 0: reading failed: Bad file descriptor; "
          + "check the device, or copy the capture and try again")
      #expect(error.exitStatus == 66)
    }
  }

  @Test("on one line whatever the file is called")
  func fileName() {
    let error = CaptureError(.empty, file: "a\nb\u{1b}[31m\u{2028}c")
    #expect(error.description.hasPrefix("a\\u{a}b\\u{1b}[31m\\u{2028}c: the capture is empty"))
  }

  @Test("and nothing comes after an error")
  func afterError() throws {
    var reader = try CaptureReader(bytes: records[3].capture, name: "x.pcap")
    #expect(try reader.next { _, _ in })
    #expect(throws: CaptureError.self) { try reader.next { _, _ in } }
    #expect(try !reader.next { _, _ in Issue.record("a frame after an error") })
    #expect(reader.framesRead == 1)
  }
}

@Suite("A capture that was cut by a crash is salvaged")
struct SalvageTests {
  private static let captures: [[UInt8]] = [
    {
      var file = PcapBuilder()
      for index in 0..<3 { file.add(zeros(10 + index)) }
      return file.bytes
    }(),
    {
      var file = PcapNGBuilder(bigEndian: true)
      file.addInterface(1)
      for index in 0..<3 { file.addEnhanced(zeros(10 + index)) }
      file.addBlock(99, zeros(8))
      file.addSection(bigEndian: false)
      file.addInterface(101)
      file.addSimple([1, 2, 3], wire: 3)
      return file.bytes
    }(),
  ]

  @Test("up to the cut, at every length", arguments: captures)
  func everyLength(capture: [UInt8]) {
    let whole = read(capture)
    #expect(whole.failure == nil && whole.frames.count >= 3)
    for length in 0..<capture.count {
      let strict = read(Array(capture[..<length]))
      let salvaged = read(Array(capture[..<length]), salvage: true)
      #expect(salvaged.frames == strict.frames)
      #expect(salvaged.frames == Array(whole.frames[..<salvaged.frames.count]))
      guard let failure = strict.failure else {
        // Cut between two records: nothing tells that there were more.
        #expect(salvaged.failure == nil && salvaged.salvagedAt == nil)
        continue
      }
      if case .truncatedRecord = failure.kind {
        #expect(salvaged.failure == nil && salvaged.salvagedAt == failure.offset)
        #expect((salvaged.salvagedAt ?? .max) < UInt64(length))
      } else {
        #expect(salvaged.failure == failure && salvaged.frames.isEmpty)
      }
    }
    #expect(read(capture, salvage: true).salvagedAt == nil)
  }
}
