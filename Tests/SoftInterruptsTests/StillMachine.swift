// A machine of one CPU on which nothing happens: the core's data structures need a machine to be generic over, not to run on.

import SoftInterrupts

final class StillMachine: Machine {
  typealias Word = AtomicWord
  typealias Seat = Int

  var cpuCount: Int { 1 }
  static var current: UnsafeMutableRawPointer? { nil }
  static func setCurrent(_ pointer: UnsafeMutableRawPointer?) {}
  static func localFence() {}
  static func lightFence() {}
  static func heavyFence() {}
  static func pause(_ round: Int) {}
  static func now() -> UInt64 { 0 }
  static func ticks() -> UInt64 { 0 }
  func seat(ofCPU cpu: Int) -> Int { cpu }
  func makeVisitorSeat() -> Int { -1 }
  func releaseSeat(_ seat: Int) {}
  static func isSame(_ a: Int, _ b: Int) -> Bool { a == b }
  func park(_ seat: Int, until deadline: UInt64) {}
  static func unpark(_ seat: Int) {}
  func pollDevices(cpu: Int) {}
  func start(cpu: Int, _ main: @escaping @Sendable () -> Void) throws(MachineError) {}
  func join(cpu: Int) {}
  func startSubstitute(forCPU cpu: Int, _ main: @escaping @Sendable () -> Void) throws(MachineError) {
    throw MachineError("no threads")
  }
  func startLevelThread(
    cpu: Int, level: Level, _ main: @escaping @Sendable () -> Void
  ) throws(MachineError) -> (seat: Int, join: () -> Void) {
    throw MachineError("no threads")
  }
  var schedulingNote: String? { nil }
  static func fatal(_ message: String) -> Never { fatalError(message) }
}

/// A generator with a seed, so that every failure can be repeated (SplitMix64).
struct Seeded: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
