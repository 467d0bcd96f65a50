// Near misses: each differs little from a program that is refused, and must compile.

// case: raise upward
private func f(_ net: inout Net) {
  net.raise(to: SoftSerial.self) { _ in }
}

// case: two raises, one after the other, downward
private func f(_ base: inout Base) {
  base.raise(to: SoftSerial.self) { serial in serial[serialCount] += 1 }
  base.raise(to: SoftNet.self) { net in net[netCount] += 1 }
}

// case: a raise inside a raise
private func f(_ base: inout Base) {
  base.raise(to: SoftNet.self) { net in
    net.raise(to: SoftSerial.self) { serial in serial[serialCount] += 1 }
    net[netCount] += 1
  }
}

// case: both tokens
private func f(_ net: inout Net) {
  net.raise(to: SoftSerial.self) { serial, net in serial[serialCount] += net[netCount] }
}

// case: all tokens of three levels
private func f(_ base: inout Base) {
  base.raise(to: SoftClock.self) { clock in
    clock.raise(to: SoftNet.self) { net, clock in
      net[netCount] += clock[clockCount]
      net.raise(to: SoftSerial.self) { serial, net in
        serial[serialCount] += net[netCount] + clock[clockCount]
      }
    }
  }
}

// case: raise through a higher level
private func f(_ clock: inout Clock) {
  clock.raise(through: SoftNet.self) { net, clock in net[netCount] += clock[clockCount] }
}

// case: raise above a mask
private func f(_ masked: inout NetMask) {
  masked.raise(to: SoftSerial.self) { serial in serial[serialCount] += 1 }
}

// case: an MP-safe handler enters its own gate
private func f(_ here: inout NetEntry) {
  here.raise(to: SoftNet.self) { net in net[netCount] += 1 }
}

// case: the big lock in base code
private func f(_ base: inout Base) {
  base.bigLock { big in
    big[bigLockCount] += 1
    big.raise(to: SoftNet.self) { net, big in net[netCount] += big[bigLockCount] }
  }
}

// case: a disjoint handler opens
private func f(_ system: System) throws {
  _ = try system.establish("f", at: SoftClock.self, as: .disjoint) { clock in clock[clockCount] += 1 }
}

// case: each way in
private func f(_ system: System) throws {
  _ = try system.establish("f", at: SoftNet.self, as: .ordered) { net in net[netCount] += 1 }
  _ = try system.establish("f", at: SoftNet.self, as: .bigLock) { net, big in
    net[netCount] += big[bigLockCount]
  }
  _ = try system.establish("f", at: SoftNet.self, as: .mpSafe, .anywhere) { here in
    here.raise(to: SoftNet.self) { net in net[netCount] += 1 }
  }
}

// case: mask at one's own level
private func f(_ net: inout Net, _ cells: PerCPUAt<Int, SoftNet, M>) {
  net.mask(to: SoftNet.self) { masked in masked[cells] += 1 }
}

// case: a cell of the mask's level by open
private func f(_ base: inout Base, _ cells: PerCPUAt<[Int], SoftNet, M>) {
  base.mask(to: SoftNet.self) { masked in masked.open(cells) { $0.append(1) } }
}

// case: a lock of the mask's level
private func f(_ here: inout NetEntry, _ lock: LevelLockAt<Int, SoftNet, M>) {
  here.mask(to: SoftNet.self) { masked in
    masked.lock(lock) { value, masked in
      value += 1
      masked.raise(to: SoftSerial.self) { serial in serial[serialCount] += 1 }
    }
  }
}

// case: a guarded value in a mask within its gate
private func f(_ net: inout Net) {
  let count = net[netCount]
  net.mask(to: SoftSerial.self) { _ in _ = count }
}

// case: two guards at once
private func f(_ net: inout Net) {
  net.open(netNames) { names in net.open(netCount) { $0 += names.count } }
  net[netCount] += net[netNames].count
}

// case: the same guard twice, one after the other
private func f(_ net: inout Net) {
  net[netCount] += 1
  net[netCount] = net[netCount] * 2
}

// case: what is Sendable comes out
private func f(_ net: inout Net) -> Int {
  net.open(sessions) { $0[1]?.count ?? 0 }
}

// case: what is made inside goes in
private func f(_ net: inout Net) {
  net.open(sessions) { $0[1] = Session() }
}

// case: a fresh object is guarded
private func f() -> Guarded<Session, SoftNet> {
  let session = Session()
  session.count = 1
  return Guarded(session)
}

// case: a noncopyable value
private func f(_ net: inout Net) {
  net.open(buffer) { $0.fill() }
}

// case: a pointer of C
private struct Handle { var pointer: UnsafeMutablePointer<Int> }
private let handle = Guarded<Handle, SoftNet>(Handle(pointer: .allocate(capacity: 1)))
private func f(_ net: inout Net) -> Int {
  net.open(handle) { handle in
    handle.pointer.initialize(to: 3)
    return handle.pointer.pointee
  }
}

// case: a token is lent to a function
private func f(_ net: inout Net) {
  use(net)
  net.raise(to: SoftSerial.self) { _, net in use(net) }
}

// case: a function for any token below
private func f<T: OrderToken & ~Copyable & ~Escapable>(_ here: inout T) where T.L: BelowSoftNet, T.M == M {
  here.raise(to: SoftNet.self) { net in net[netCount] += 1 }
}

// case: a level of one's own, from below and upward
private func f(_ net: inout Net) {
  net.raise(to: DriverLock.self) { driver, net in
    driver[driverCount] += net[netCount]
    driver.raise(to: SoftSerial.self) { serial, driver in serial[serialCount] += driver[driverCount] }
  }
}

// case: a level of one's own declared in a line
private enum Registers: JustAboveVM { static let number = 7 }
private func f(_ system: System, _ base: inout Base) throws {
  try system.insert(Registers.self)
  base.raise(to: Registers.self) { registers in registers.raise(to: Sched.self) { _ in } }
}

// case: waits from below
private func f(_ clock: inout Clock, _ handler: HandlerAt<SoftNet, M>, _ callout: CalloutAt<SoftNet, M>) {
  handler.suspend(from: &clock)
  handler.resume()
  handler.disestablish(from: &clock)
  callout.halt(from: &clock)
  callout.retire(from: &clock)
  clock.barrier(at: SoftNet.self)
  clock.crossCallAndWait(on: 0, at: VM.self) { here in here.raise(to: VM.self) { _ in } }
}

// case: waits after the raise
private func f(_ base: inout Base, _ handler: HandlerAt<SoftNet, M>) {
  base.raise(to: SoftNet.self) { net in net[netCount] += 1 }
  handler.disestablish(from: &base)
}

// case: cancel while the guard is held
private func f(_ net: inout Net, _ callout: CalloutAt<SoftNet, M>) {
  callout.cancel()
}

// case: a callout whose guard is above it
private func f(_ system: System) throws {
  _ = try system.callout("f", at: SoftClock.self, guard: SoftNet.self) { net in net[netCount] += 1 }
  _ = try system.callout("f", at: SoftNet.self, guard: SoftNet.self) { net in net[netCount] += 1 }
  _ = try system.callout("f", at: SoftClock.self) { clock in clock[clockCount] += 1 }
  _ = try system.callout("f", at: SoftClock.self, as: .mpSafe) { here in
    here.raise(to: SoftSerial.self) { _ in }
  }
}

// case: await before and after a raise
private func f(_ system: System) async {
  await Task.yield()
  system.raise(to: SoftNet.self) { net in net[netCount] += 1 }
  await Task.yield()
}

// case: untyped code assumes
private func f(_ system: System, _ here: borrowing Here<M>) {
  here.assume(SoftNet.self) { net in net[netCount] += 1 }
  system.assume(SoftNet.self) { net in net[netCount] += 1 }
  here.raise(to: SoftSerial.self) { serial in serial[serialCount] += 1 }
}

// case: an error goes through
private struct Full: Error {}
private func f(_ net: inout Net) throws(Full) -> Int {
  try net.raise(to: SoftSerial.self) { serial throws(Full) in
    if serial[serialCount] > 3 { throw Full() }
    return serial[serialCount]
  }
}

// case: what is noncopyable comes out of a raise
private func f(_ net: inout Net) -> Buffer {
  net.raise(to: SoftSerial.self) { _ in Buffer() }
}

// case: the level is a global actor
@SoftNet private func f(_ system: System) -> Int {
  system.assume(SoftNet.self) { net in net[netCount] }
}

// case: a callout under the big lock
private func f(_ system: System) throws {
  _ = try system.callout("f", at: SoftClock.self, as: .bigLock) { clock, big in
    clock[clockCount] += big[bigLockCount]
  }
  _ = try system.callout("f", at: SoftClock.self, guard: SoftNet.self, as: .bigLock) { net, big in
    net.raise(to: SoftSerial.self) { serial, net in serial[serialCount] += net[netCount] + big[bigLockCount] }
  }
}

// case: a disjoint callout opens
private func f(_ system: System) throws {
  _ = try system.callout("f", at: SoftClock.self, as: .disjoint) { clock in clock[clockCount] += 1 }
}

// case: wait for a condition in base code, after a raise
private func f(_ base: inout Base, _ changed: ConditionAt<SoftNet, M>) -> Int {
  base.raise(to: SoftNet.self) { net in
    net[netCount] += 1
    changed.broadcast(under: net)
  }
  return base.raise(to: SoftNet.self, when: changed) { net in
    net[netCount] > 0
  } then: { net in
    net.raise(to: SoftSerial.self) { serial, net in serial[serialCount] + net[netCount] }
  }
}

// case: broadcast with a lent token
private func f(_ net: inout Net, _ changed: ConditionAt<SoftNet, M>) {
  net.raise(to: SoftSerial.self) { _, net in changed.broadcast(under: net) }
}

// case: retire a callout under its guard, and below it
private func f(_ net: inout Net, _ clock: inout Clock, _ callout: CalloutAt<SoftNet, M>) {
  callout.retire(under: net)
  callout.retire(from: &clock)
}

// case: a level of one's own above another
private func f(_ net: inout Net) {
  net.raise(to: DriverLock.self) { driver in
    driver.raise(to: CacheLock.self) { cache, driver in
      cache.raise(to: SoftSerial.self) { serial, _ in serial[serialCount] += driver[driverCount] }
    }
  }
  net.raise(to: CacheLock.self) { _ in }
}

// case: two levels of one's own, one after the other
private func f(_ net: inout Net) {
  net.raise(to: TraceLock.self) { _ in }
  net.raise(to: DriverLock.self) { driver in driver[driverCount] += 1 }
}

// case: a lock and a cell in masks of their level
private func f(_ net: inout Net, _ cells: PerCPUAt<[Int], SoftNet, M>, _ lock: LevelLockAt<Int, SoftNet, M>) {
  net.mask(to: SoftNet.self) { masked in
    masked.open(cells) { $0.append(1) }
    masked.lock(lock) { value, _ in value += 1 }
  }
}
