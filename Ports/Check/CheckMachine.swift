// A machine of one CPU that does nothing: enough to compile every part of the core as Embedded Swift, specialised.
//
// It is compiled by CI, never run. A real port has this shape.

import SoftInterrupts

final class CheckMachine: Machine {
  typealias Word = AtomicWord
  typealias Seat = Int

  nonisolated(unsafe) static var slot: UnsafeMutableRawPointer?

  var cpuCount: Int { 1 }
  static var current: UnsafeMutableRawPointer? { slot }
  static func setCurrent(_ pointer: UnsafeMutableRawPointer?) { slot = pointer }
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
  func start(cpu: Int, _ main: @escaping @Sendable () -> Void) throws(MachineError) { main() }
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
  static func fatal(_ message: String) -> Never { fatalError() }
}

/// Uses every part of the public surface once.
public func checkEverything() throws(MachineError) -> Int {
  let system = try InterruptSystem(on: CheckMachine())
  var sum = 0
  let cell = system.perCPU(at: .softNet) { _ in 0 }
  let lock = system.levelLock(at: .softBio, rank: 1, 0)
  let ring = Ring<Int, CheckMachine>(capacity: 4)
  let condition = system.condition(guardedBy: .softNet)
  do throws(EstablishError) {
    let handler = try system.establish("check", at: .softNet, as: .ordered, .anywhere) { here in
      here.raise(to: .softSerial) { _ in }
      here.mask(to: .vm) { _ in }
      here.retire()
    }
    handler.schedule()
    handler.schedule(on: 0)
    system.suspend(handler)
    system.resume(handler)
    system.setWay(.mpSafe, of: handler)
    system.disestablish(handler)
  } catch { sum += 1 }
  do throws(CalloutError) {
    let callout = try system.callout("check", at: .softClock, guard: .softNet) { _ in }
    callout.schedule(after: .milliseconds(1))
    callout.cancel()
    callout.halt()
    callout.retire()
  } catch { sum += 1 }
  sum += checkTyped(system)
  system.raise(to: .softNet) { here in
    cell.open { $0 += 1 }
    condition.wait { true }
    condition.broadcast()
    sum += here.level == .softNet ? 1 : 0
  }
  system.raise(exactly: .softSerial) { _ in }
  _ = system.tryRaise(to: .softClock) { _ in 1 }
  system.mask(to: .softNet) { _ in }
  system.bigLock { _ in system.yieldBigLock() }
  lock.withLock { $0 += 1 }
  _ = ring.push(1)
  sum += ring.pop() ?? 0
  system.crossCall(on: 0, at: .vm) { _ in }
  system.crossCallAndWait(on: 0, at: .vm) { _ in }
  system.barrier(at: .softNet)
  system.submit(on: 0, as: .bigLock) { here in here.checkpoint() }
  system.offline(0)
  system.online(0)
  sum += system.violations.count
  _ = cell.reduce(0) { $0 + $1 }
  system.shutdown()
  return sum
}

enum DriverLock: JustAboveSoftNet { static let number = 0 }

/// The typed order, once each.
func checkTyped(_ system: InterruptSystem<CheckMachine>) -> Int {
  let count = Guarded<Int, SoftNet>(0)
  let driver = Guarded<Int, DriverLock>(0)
  let cells = system.perCPU(at: SoftNet.self) { _ in 0 }
  let lock = system.levelLock(at: SoftNet.self, 0)
  do throws(UserLevelError) { try system.insert(DriverLock.self) } catch { return 1 }
  do throws(EstablishError) {
    let ordered = try system.establish("ordered", at: SoftNet.self, as: .ordered) { net in net[count] += 1 }
    _ = try system.establish("disjoint", at: SoftNet.self, as: .disjoint) { net in net[count] += 1 }
    _ = try system.establish("bigLock", at: SoftNet.self, as: .bigLock) { net, _ in net[count] += 1 }
    _ = try system.establish("mpSafe", at: SoftNet.self, as: .mpSafe) { here in
      here.raise(to: SoftNet.self) { net in net[count] += 1 }
    }
    ordered.schedule()
    system.base { base in
      _ = base.barrier(at: VM.self)
      _ = ordered.suspend(from: &base)
      ordered.resume()
      _ = ordered.disestablish(from: &base)
    }
  } catch { return 1 }
  do throws(CalloutError) {
    let callout = try system.callout("typed", at: SoftClock.self, guard: SoftNet.self) { net in
      net[count] += 1
    }
    callout.schedule(after: .milliseconds(1))
    system.base { base in _ = callout.halt(from: &base) }
  } catch { return 1 }
  return system.base { base in
    base.bigLock { big in big.raise(through: SoftNet.self) { net, _ in net[count] += 1 } }
    base.mask(to: SoftNet.self) { masked in
      masked[cells] += 1
      masked.lock(lock) { value, _ in value += 1 }
    }
    base.raise(to: DriverLock.self) { held in held[driver] += 1 }
    return base.raise(to: SoftNet.self) { net in
      net.raise(to: SoftSerial.self) { _, net in net.open(count) { $0 } }
    }
  }
}
