// Captures that cannot be read and files that cannot be written: one line that names the file, the place and
// the remedy, a status in the manner of sysexits(3), and nothing half-written.

import Foundation
import TestSupport
import Testing

@Suite("Bad input")
struct BadInputTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func file(_ bytes: [UInt8]) throws -> String {
    let path = directory.file("capture")
    try Data(bytes).write(to: URL(filePath: path))
    return path
  }

  /// A little-endian pcap header of a link type.
  private static func header(link: UInt8) -> [UInt8] {
    [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, link, 0, 0, 0]
  }

  /// A record header that claims `length` bytes.
  private static func record(length: UInt32) -> [UInt8] {
    let claim = (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
    return [1, 0, 0, 0, 0, 0, 0, 0] + claim + claim
  }

  private static let cases: [(bytes: [UInt8], line: String)] = [
    (
      [],
      ": the capture is empty, without even a header; check that whatever wrote it had packets to write and room to write them"
    ),
    (
      Array("This is text.\n".utf8),
      ": this is neither a pcap nor a pcapng capture; give a file written by tcpdump, dumpcap or Wireshark"
    ),
    ([0x1f, 0x8b, 8, 0], ": the capture is compressed with gzip; decompress it first: gzip -d"),
    (
      Array(header(link: 1).prefix(10)),
      ": byte 0: the capture is cut in its header: 10 of 24 bytes are there; nothing can be read from it, capture or copy it again"
    ),
    (
      header(link: 147),
      ": byte 0: link type 147 is not known; capture Ethernet, raw IP, Linux cooked or loopback (tcpdump -y EN10MB, or -i any)"
    ),
    (
      header(link: 1) + record(length: 60) + [1, 2, 3],
      ": byte 24: the capture is cut in a record: 19 of the 76 bytes that it claims are there; read what is whole with --salvage"
    ),
    (
      header(link: 1) + record(length: 262_145),
      ": byte 24: a record claims 262145 bytes, the limit is 262144; the file is damaged there, copy or capture it again"
    ),
  ]

  @Test("Wrong data are status 65, from either verb", arguments: cases.indices, ["flows", "compare"])
  func wrongData(index: Int, verb: String) throws {
    let path = try file(Self.cases[index].bytes)
    let run = try Softint.run(verb, path)
    #expect(run.errors == "softint: \(path)\(Self.cases[index].line)\n")
    #expect(run.status == 65)
    #expect(run.output.isEmpty)
  }

  @Test("A capture that cannot be read is status 66, from either verb", arguments: ["flows", "compare"])
  func noInput(verb: String) throws {
    let missing = try Softint.run(verb, "no such.pcap")
    #expect(missing.errors == "softint: no such.pcap: there is no such file; check the path\n")
    let folder = try Softint.run(verb, directory.path)
    #expect(
      folder.errors
        == "softint: \(directory.path): this is a directory, not a capture; name a capture file in it\n")
    let closed = try Softint.shell("softint \(verb) - <&-")
    #expect(closed.errors.hasPrefix("softint: standard input: byte 0: reading failed: "))
    for run in [missing, folder, closed] {
      #expect(run.status == 66)
      #expect(run.output.isEmpty)
    }
  }

  @Test("A capture without frames has flows, none, but nothing to compare")
  func noFrames() throws {
    let path = try file(Self.header(link: 1))
    #expect(try Softint.run("flows", path).status == 0)
    let run = try Softint.run("compare", path)
    #expect(
      run.errors == "softint: \(path): the capture holds no frame to replay; give one with traffic\n")
    #expect(run.status == 65)
    #expect(run.output.isEmpty)
  }

  @Test("A cut capture is read up to the cut with --salvage, which is said")
  func salvage() throws {
    let whole = try Data(contentsOf: repositoryFile("Tests/Captures/ethernet.pcap"))
    let path = try file(Array(whole.dropLast(3)))
    let refused = try Softint.run("flows", path)
    #expect((refused.status, refused.output) == (65, ""))
    let run = try Softint.run("flows", path, "--json", "--salvage")
    #expect(run.status == 0)
    #expect(run.errors.hasPrefix("softint: \(path): byte "))
    #expect(run.errors.hasSuffix(": the capture is cut here and was read up to it\n"))
    #expect(try FlowsDocument(run.output).frames == FlowsDocument.frames(of: "ethernet.pcap") - 1)
  }

  @Test(
    "A file in a missing folder is refused before the capture is read",
    arguments: [["flows", "no such.pcap", "--export"], ["compare", "no such.pcap", "--html"]])
  func missingFolder(arguments: [String]) throws {
    let path = directory.file("none/file")
    let run = try Softint.start(arguments + [path]).end()
    #expect(
      run.errors
        == "softint: \(path): cannot be created: No such file or directory; check that the directory exists\n"
    )
    #expect(run.status == 73)
    #expect(run.output.isEmpty)
    #expect(try directory.contents.isEmpty)
  }

  @Test("An output that would replace the capture is refused", arguments: ["--export", "--html"])
  func replacesCapture(option: String) throws {
    let before = try Data(contentsOf: repositoryFile("Tests/Captures/ethernet.pcap"))
    let path = try file(Array(before))
    let run = try Softint.run(option == "--html" ? "compare" : "flows", path, option, path)
    #expect(run.errors == "softint: \(option) names the capture itself, name another file\n")
    #expect(run.status == 64)
    #expect(try Data(contentsOf: URL(filePath: path)) == before)
  }

  @Test("A full disk is status 74, wherever the output goes")
  func fullDisk() throws {
    let export = try Softint.run("flows", "ethernet.pcap", "--export", "/dev/full")
    #expect(
      export.errors
        == "softint: /dev/full: writing failed: No space left on device; make room or name a file on another disk\n"
    )
    let output = try Softint.shell("softint flows ethernet.pcap > /dev/full")
    #expect(
      output.errors
        == "softint: standard output: writing failed: No space left on device; make room or name a file on another disk\n"
    )
    #expect((export.status, output.status) == (74, 74))
    let help = try Softint.shell("softint flows --help > /dev/full")
    #expect(help.status == 74)
  }

  @Test("A closed standard output is an error, and no file gets its number")
  func closedOutput() throws {
    let path = directory.file("flows.ipfix")
    let run = try Softint.shell("softint flows ethernet.pcap --export '\(path)' >&-")
    #expect(run.status == 74)
    #expect(run.errors.hasPrefix("softint: standard output: writing failed: "))
    #expect(try IPFIXFile(Array(Data(contentsOf: URL(filePath: path)))).messages.isEmpty == false)
  }
}
