// What the cases share: a program's guards and levels.

import HostedMachine
import SoftInterrupts

typealias System = InterruptSystem<HostedMachine>
typealias Base = At<None, HostedMachine>
typealias Clock = Held<SoftClock, HostedMachine>
typealias Net = Held<SoftNet, HostedMachine>
typealias Serial = Held<SoftSerial, HostedMachine>
typealias NetMask = Masked<SoftNet, HostedMachine>

/// Not Sendable.
final class Session {
  var count = 0
}

/// Noncopyable.
struct Buffer: ~Copyable {
  var bytes = 0
  mutating func fill() { bytes += 1 }
}

let clockCount = Guarded<Int, SoftClock>(0)
let netCount = Guarded<Int, SoftNet>(0)
let netNames = Guarded<[String], SoftNet>([])
let serialCount = Guarded<Int, SoftSerial>(0)
let sessions = Guarded<[Int: Session], SoftNet>([:])
let buffer = Guarded<Buffer, SoftNet>(Buffer())
