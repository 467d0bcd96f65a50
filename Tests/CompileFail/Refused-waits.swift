// Waits out of order, and what awaits: the classic deadlocks of draining, in our words.

// case: disestablish from the handler's own level
private func f(_ net: inout Net, _ handler: HandlerAt<SoftNet, M>) {
  handler.disestablish(from: &net)  // error: disestablish from below the level
}

// case: disestablish from above
private func f(_ serial: inout Serial, _ handler: HandlerAt<SoftNet, M>) {
  handler.disestablish(from: &serial)  // error: disestablish from below the level
}

// case: disestablish in a mask
private func f(_ masked: inout NetMask, _ handler: HandlerAt<SoftNet, M>) {
  handler.disestablish(from: &masked)  // error: disestablish from below the level
}

// case: suspend from above
private func f(_ serial: inout Serial, _ handler: HandlerAt<SoftNet, M>) {
  handler.suspend(from: &serial)  // error: suspend from below the level
}

// case: halt a callout while its guard is held
private func f(_ net: inout Net, _ callout: CalloutAt<SoftNet, M>) {
  callout.halt(from: &net)  // error: who holds the guard uses cancel(), which is exact
}

// case: halt a callout from above its guard
private func f(_ serial: inout Serial, _ callout: CalloutAt<SoftNet, M>) {
  callout.halt(from: &serial)  // error: halt from below it
}

// case: retire a callout from above its guard
private func f(_ serial: inout Serial, _ callout: CalloutAt<SoftClock, M>) {
  callout.retire(from: &serial)  // error: retire from below it
}

// case: a barrier at one's own level
private func f(_ net: inout Net) {
  net.barrier(at: SoftNet.self)  // error: a wait for a level stands just below its gate
}

// case: a barrier below
private func f(_ serial: inout Serial) {
  serial.barrier(at: SoftClock.self)  // error: wait before the raise, or from base code
}

// case: a cross-call that waits at one's own level
private func f(_ here: inout NetEntry) {
  here.crossCallAndWait(on: 1, at: SoftNet.self) { _ in }  // error: use crossCall, which does not wait
}

// case: a cross-call that waits below
private func f(_ serial: inout Serial) {
  serial.crossCallAndWait(on: 1, at: SoftNet.self) { _ in }  // error: use crossCall, which does not wait
}

// case: await in a raise
private func f(_ base: inout Base) async {
  await base.raise(to: SoftNet.self) { net in await Task.yield() }  // error: no gate is held across an await
}

// case: await in a mask
private func f(_ base: inout Base) async {
  await base.mask(to: SoftNet.self) { net in await Task.yield() }  // error: no mask lasts across an await
}

// case: await in an untyped raise to a type
private func f(_ system: System) async {
  await system.raise(to: SoftNet.self) { _ in await Task.yield() }  // error: no gate is held across an await
}

// case: await where a gate is assumed
private func f(_ system: System) async {
  await system.assume(SoftNet.self) { _ in await Task.yield() }  // error: no gate is held across an await
}

// case: await in base code with a token
private func f(_ system: System) async {
  await system.base { _ in await Task.yield() }  // error: await first, enter after
}

// case: an async handler
private func f(_ system: System) throws {
  _ = try system.establish("f", at: SoftNet.self, as: .ordered) { net in  // error: awaits nothing
    await Task.yield()
  }
}

// case: a handler at a level of one's own
private func f(_ system: System) throws {
  _ = try system.establish("f", at: DriverLock.self, as: .ordered) { _ in }  // error: at the level beneath
}

// case: a callout whose guard is below it
private func f(_ system: System) throws {
  _ = try system.callout("f", at: SoftNet.self, guard: SoftBio.self) { _ in }  // error: at or above
}

// case: a callout whose guard is below it under the big lock
private func f(_ system: System) throws {
  _ = try system.callout(  // error: at or above
    "f", at: SoftNet.self, guard: SoftBio.self, as: .bigLock
  ) { _, _ in }
}

// case: a disjoint callout with another level's guard
private func f(_ system: System) throws {
  _ = try system.callout(  // error: disjoint levels never touch each other's data
    "f", at: SoftClock.self, guard: SoftNet.self, as: .disjoint
  ) { _ in }
}

// case: raise in a disjoint callout
private func f(_ system: System) throws {
  _ = try system.callout("f", at: SoftClock.self, as: .disjoint) { clock in
    clock.raise(to: SoftNet.self) { _ in }  // error: cannot use mutating member on immutable value
  }
}

// case: raise with the lent token of a big-lock callout
private func f(_ system: System) throws {
  _ = try system.callout("f", at: SoftClock.self, as: .bigLock) { clock, big in
    big.raise(to: SoftNet.self) { _ in }  // error: cannot use mutating member on immutable value
  }
}

// case: wait for a condition in a raise
private func f(_ net: inout Net, _ changed: ConditionAt<SoftSerial, M>) {
  net.raise(to: SoftSerial.self, when: changed) { _ in  // error: so it begins with none
    true
  } then: { _ in
  }
}

// case: wait for a condition in an MP-safe handler
private func f(_ here: inout NetEntry, _ changed: ConditionAt<SoftNet, M>) {
  here.raise(to: SoftNet.self, when: changed) { _ in  // error: schedules another handler
    true
  } then: { _ in
  }
}

// case: wait for a condition in a mask
private func f(_ masked: inout NetMask, _ changed: ConditionAt<SoftSerial, M>) {
  masked.raise(to: SoftSerial.self, when: changed) { _ in  // error: so it begins with none
    true
  } then: { _ in
  }
}

// case: wait for another level's condition
private func f(_ base: inout Base, _ changed: ConditionAt<SoftSerial, M>) {
  base.raise(to: SoftNet.self, when: changed) { _ in  // error: another level's condition
    true
  } then: { _ in
  }
}

// case: broadcast with another level's token
private func f(_ serial: inout Serial, _ changed: ConditionAt<SoftNet, M>) {
  changed.broadcast(under: serial)  // error: who broadcasts holds the condition's own level
}

// case: broadcast in a mask
private func f(_ masked: inout NetMask, _ changed: ConditionAt<SoftNet, M>) {
  changed.broadcast(under: masked)  // error: who broadcasts holds the condition's own level
}

// case: retire a callout under another gate than its guard
private func f(_ serial: inout Serial, _ callout: CalloutAt<SoftNet, M>) {
  callout.retire(under: serial)  // error: only who holds the callout's guard
}

// case: await in a cumulative raise
private func f(_ base: inout Base) async {
  await base.raise(through: SoftNet.self) { net in  // error: no gate is held across an await
    await Task.yield()
  }
}

// case: await in a raise with both tokens
private func f(_ base: inout Base) async {
  await base.raise(to: SoftNet.self) { net, base in  // error: no gate is held across an await
    await Task.yield()
  }
}
