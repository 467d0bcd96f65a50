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
