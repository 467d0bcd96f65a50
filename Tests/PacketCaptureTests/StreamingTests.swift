// A capture arrives in whatever pieces the system gives, and memory does not grow with it.

import Foundation
import Testing

@testable import PacketCapture

@Suite("A capture streams")
struct StreamingTests {
  private static let capture: [UInt8] = {
    var file = PcapNGBuilder()
    file.addInterface(1, resolution: 9)
    file.addSimple([1, 2, 3], wire: 3)
    file.addBlock(99, zeros(100))
    for index in 0..<20 { file.addEnhanced(zeros(index), time: UInt64(index)) }
    file.addSection(bigEndian: true)
    file.addInterface(101)
    file.addEnhanced(Packet.ipv4(6, Packet.tcp()))
    return file.bytes
  }()

  @Test("the same in pieces of any size", arguments: [1, 2, 3, 5, 7, 16, 64, 1_000])
  func pieces(_ piece: Int) {
    let pieces = read(Self.capture, piece: piece)
    let whole = read(Self.capture)
    #expect(whole.frames.count == 22 && whole.failure == nil)
    #expect(pieces.frames == whole.frames && pieces.failure == nil)
  }

  @Test("through a pipe, in a window that does not grow")
  func pipe() throws {
    // Frames of many lengths, so that they straddle every refill of the window in some other way.
    var file = PcapBuilder()
    for index in 0..<40 { file.add([UInt8](repeating: UInt8(index), count: index * 37 % 1_500)) }
    file.add([UInt8](repeating: 0xee, count: CaptureReader.maximumRecord))
    let records = Array(file.bytes[24...])
    let rounds = 30
    let total = 24 + rounds * records.count
    #expect(total > 10 * CaptureReader.windowCapacity)

    var ends: [Int32] = [0, 0]
    #expect(Glibc.pipe(&ends) == 0)
    let (input, output) = (ends[0], ends[1])
    defer { close(input) }
    let header = Array(file.bytes[..<24])
    let writer = Thread {
      for part in [header] + Array(repeating: records, count: rounds) {
        var written = 0
        while written < part.count {
          let count = part.withUnsafeBytes { write(output, $0.baseAddress! + written, part.count - written) }
          guard count > 0 else { break }
          written += count
        }
      }
      close(output)
    }
    writer.start()

    var reader = try CaptureReader(descriptor: input, name: "pipe")
    var lowest = UInt.max
    var highest: UInt = 0
    var wrong = 0
    while try reader.next({ _, bytes in
      if let base = bytes.baseAddress {
        lowest = min(lowest, UInt(bitPattern: base))
        highest = max(highest, UInt(bitPattern: base) + UInt(bytes.count))
      }
      if let first = bytes.first, !bytes.allSatisfy({ $0 == first }) { wrong += 1 }
    }) {}
    #expect(wrong == 0)
    #expect(reader.framesRead == UInt64(rounds * 41))
    #expect(reader.bytesRead == UInt64(total))
    // Every frame lay within one window, in the same place from the first to the last.
    #expect(highest - lowest <= UInt(CaptureReader.windowCapacity))
  }

  @Test("from a file, which is closed at the end and after an error")
  func file() throws {
    let path = FileManager.default.temporaryDirectory.path + "/softint-capture-\(getpid()).pcapng"
    try Data(Self.capture).write(to: URL(fileURLWithPath: path))
    defer { unlink(path) }
    var frames: UInt64 = 0
    do {
      var reader = try CaptureReader(path: path)
      while try reader.next({ _, _ in }) {}
      frames = reader.framesRead
    }
    #expect(frames == 22)
    #expect(openDescriptors(of: path) == 0)
    try Data([1, 2, 3, 4]).write(to: URL(fileURLWithPath: path))
    #expect(throws: CaptureError.self) { _ = try CaptureReader(path: path) }
    #expect(openDescriptors(of: path) == 0)
  }

  /// How many descriptors of this process are of the file.
  private func openDescriptors(of path: String) -> Int {
    let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    return descriptors.count {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0))?.hasPrefix(path)
        == true
    }
  }
}
