// What a simulation of the meter is told: the machine's costs, the stages' costs, and what of a capture the stages look at.
//
// Law: constant once made, and free of any machine.

import FlowMeter
import PacketCapture
import SimulatedMachine

/// The costs that a simulation predicts by.
public struct MeterModel: Sendable, Equatable {
  /// Of the machine's operations.
  public var machine = CostModel()
  /// Reading a line of data, not of a word, that another CPU has written, where lines follow each other; in nanoseconds.
  public var streamedLine = 0.0
  /// Of the stages.
  public var stages = StageCosts()

  /// No costs at all.
  public init() {}
}

/// Data that moves between CPUs, in lines. Counted from the sizes of what is there, not measured.
enum MovedLines {
  /// A frame: its descriptor, and the two lines in which its headers lie.
  static let frame = 3.0
  /// A flow that is counted: its place in the index, and its record; the record's second line follows its first.
  static let flow = 2.0
  /// A flow that is looked at in passing: its record of 160 bytes.
  static let record = 2.5
}

/// The frames of a capture as the simulated stages see them: decoded beforehand, for decoding has a price and no effect.
final class DecodedCapture {
  let capture: LoadedCapture
  let outcomes: [DecodeOutcome]
  /// A later lap is later in capture time.
  let lap: Int64

  init(_ capture: LoadedCapture) {
    self.capture = capture
    outcomes = capture.frames.map { FrameDecoder.decode(capture.bytes(of: $0), header: $0.header) }
    lap = capture.duration &+ 1_000_000
  }
}

/// Which CPU has written a flow's record last, and who has read it since.
struct FlowPlaces {
  private var writers = [Int16](repeating: -1, count: 1 << 16)
  private var readers = [ProcessSet](repeating: 0, count: 1 << 16)
  private static func place(_ key: FlowKey) -> Int { Int(key.symmetricHash & 0xffff) }

  /// A CPU counts a packet of a flow; whether the record has to come from elsewhere.
  mutating func write(_ key: FlowKey, by cpu: Int) -> Bool {
    let place = Self.place(key)
    let moves = writers[place] >= 0 && writers[place] != Int16(cpu)
    writers[place] = Int16(cpu)
    readers[place] = .only(cpu)
    return moves
  }

  /// The same, of a CPU that only reads it.
  mutating func read(_ key: FlowKey, by cpu: Int) -> Bool {
    let place = Self.place(key)
    defer { readers[place].insert(cpu) }
    return writers[place] >= 0 && !readers[place].has(cpu)
  }
}
