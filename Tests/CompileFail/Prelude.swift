// What the cases share: a program's guards and levels.

import HostedMachine
import SoftInterrupts

typealias M = HostedMachine
typealias System = InterruptSystem<M>
typealias Base = At<None, M>
typealias NetEntry = At<SoftNet, M>
typealias BigLock = Held<None, M>
typealias Clock = Held<SoftClock, M>
typealias Net = Held<SoftNet, M>
typealias Serial = Held<SoftSerial, M>
typealias NetMask = Masked<SoftNet, M>

/// Not Sendable.
final class Session {
  var count = 0
}

/// Noncopyable.
struct Buffer: ~Copyable {
  var bytes = 0
  mutating func fill() { bytes += 1 }
}

/// A level of the program's own, between softNet and softSerial.
enum DriverLock: JustAboveSoftNet { static let number = 0 }
typealias Driver = Held<DriverLock, M>

/// A second one there, above the first.
enum CacheLock: JustAboveSoftNet, AboveOwnLevel {
  static let number = 1
  typealias Own = DriverLock
}
/// A third one there, of which nothing is said.
enum TraceLock: JustAboveSoftNet { static let number = 2 }
typealias Cache = Held<CacheLock, M>

let clockCount = Guarded<Int, SoftClock>(0)
let netCount = Guarded<Int, SoftNet>(0)
let netNames = Guarded<[String], SoftNet>([])
let driverCount = Guarded<Int, DriverLock>(0)
let serialCount = Guarded<Int, SoftSerial>(0)
let bigLockCount = Guarded<Int, None>(0)
let sessions = Guarded<[Int: Session], SoftNet>([:])
let buffer = Guarded<Buffer, SoftNet>(Buffer())

func use(_ net: borrowing Net) { net[netCount] += 1 }
func consume(_ net: consuming Net) {}
