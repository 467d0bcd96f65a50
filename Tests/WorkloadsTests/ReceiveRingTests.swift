// The receive ring hands batches over in order, whole, and each buffer to one side at a time.

import ComparisonReport
import FlowMeter
import PacketCapture
import Testing

@testable import Workloads

@Suite("The receive ring")
struct ReceiveRingTests {
  /// Puts frames with these numbers into the ring, as much as fits; how many did.
  private func put(_ numbers: Range<UInt32>, into ring: ReceiveRing) -> UInt {
    let room = ring.room()
    let count = min(room, UInt(numbers.count))
    for offset in 0..<count {
      let (descriptor, buffer) = ring.place(offset, room: room)
      let number = numbers.lowerBound + UInt32(offset)
      descriptor.initialize(
        to: ReceivedFrame(
          header: FrameHeader(timestamp: 0, wireLength: number, capturedLength: 4, link: .ethernet),
          hash: number, due: 0))
      buffer.storeBytes(of: number, as: UInt32.self)
    }
    ring.publish(count)
    return count
  }

  /// The numbers of the oldest frames, by descriptor and by buffer.
  private func look(_ count: UInt, in ring: ReceiveRing) -> [(UInt32, UInt32)] {
    (0..<count).map {
      let (descriptor, bytes) = ring.frame($0)
      return (descriptor.pointee.hash, bytes.load(as: UInt32.self))
    }
  }

  @Test(
    "Frames come out in order and whole, over many laps, whatever the sizes of the batches",
    arguments: [1, 3, 7])
  func order(batch: UInt) {
    let ring = ReceiveRing(capacity: 8, longest: 100)
    defer { ring.deallocate() }
    var (sent, got): (UInt32, UInt32) = (0, 0)
    for round in 0..<200 {
      sent += UInt32(put(sent..<sent + UInt32(round % 6), into: ring))
      let ready = ring.ready(batch)
      #expect(ready == min(batch, UInt(sent - got)))
      for (index, seen) in look(ready, in: ring).enumerated() {
        #expect(seen == (got + UInt32(index), got + UInt32(index)))
      }
      ring.giveBack(ready)
      got += UInt32(ready)
      #expect(ring.done == UInt64(got))
    }
    #expect(got > 100)
  }

  @Test("A full ring takes nothing until something is given back")
  func full() {
    let ring = ReceiveRing(capacity: 4, longest: 1)
    defer { ring.deallocate() }
    #expect(put(0..<10, into: ring) == 4)
    #expect(put(10..<12, into: ring) == 0)
    #expect(ring.ready(64) == 4)
    #expect(put(10..<12, into: ring) == 0, "looking is not giving back")
    ring.giveBack(3)
    #expect(put(10..<20, into: ring) == 3)
    #expect(look(ring.ready(64), in: ring).map(\.0) == [3, 10, 11, 12])
  }

  @Test("What is in use is in few buffers: the one given back last is filled first")
  func latestFirst() {
    let ring = ReceiveRing(capacity: 1_024, longest: 1_500)
    defer { ring.deallocate() }
    var used: Set<UnsafeRawPointer> = []
    for number in 0..<UInt32(5_000) {
      _ = put(number..<number + 1, into: ring)
      used.insert(ring.frame(0).bytes)
      ring.giveBack(ring.ready(1))
    }
    #expect(used.count == 1)
  }
}

@Suite("One lossless pass")
struct PassTests {
  @Test(
    "Under every discipline each frame is counted once, on one CPU and on three",
    arguments: [.oneCPU, .bigLock, .ordered, .mpSafe, .threads, .mixed] as [Discipline], [1, 3])
  func digest(discipline: Discipline, cpus: Int) throws {
    let path = #filePath.replacing(
      "Tests/WorkloadsTests/ReceiveRingTests.swift", with: "Sources/softint/Resources/bundled.pcapng")
    let capture = try LoadedCapture(path: path)
    let plain = plainPass(capture)
    let result = try meterFlows(capture, discipline: discipline, cpus: cpus, isInterrupted: { false })
    #expect(result.table.digest == plain.table.digest)
    #expect(result.skipped == plain.skipped)
  }
}
