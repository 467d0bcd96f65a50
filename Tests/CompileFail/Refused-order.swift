// Against the order: our words, which say the rule and what to write instead.

// case: raise downward
private func f(_ net: inout Net) {
  net.raise(to: SoftClock.self) { _ in }  // error: raise to the lower level first, and to this one inside
}

// case: raise sideways
private func f(_ net: inout Net) {
  net.raise(to: SoftNet.self) { _ in }  // error: gates are taken upward only
}

// case: raise downward inside a raise
private func f(_ base: inout Base) {
  base.raise(to: SoftSerial.self) { serial in
    serial.raise(to: SoftNet.self) { net in net[netCount] += 1 }  // error: gates are taken upward only
  }
}

// case: raise downward with both tokens
private func f(_ serial: inout Serial) {
  serial.raise(to: SoftNet.self) { _, _ in }  // error: gates are taken upward only
}

// case: raise through a lower level
private func f(_ net: inout Net) {
  net.raise(through: SoftClock.self) { _ in }  // error: the cumulative raise goes upward too
}

// case: raise to the level of a mask
private func f(_ masked: inout NetMask) {
  masked.raise(to: SoftNet.self) { _ in }  // error: gates are taken upward only
}

// case: raise below the level of an MP-safe handler
private func f(_ here: inout NetEntry) {
  here.raise(to: SoftClock.self) { _ in }  // error: gates are taken upward only
}

// case: raise to level none instead of the big lock
private func f(_ base: inout Base) {
  base.raise(to: None.self) { _ in }  // error: gates are taken upward only
}

// case: the big lock in a raise
private func f(_ net: inout Net) {
  net.bigLock { _ in }  // error: the big lock is the lowest gate: base code takes it, before any other gate
}

// case: raise in a disjoint handler
private func f(_ system: System) throws {
  _ = try system.establish("f", at: SoftClock.self, as: .disjoint) { clock in
    clock.raise(to: SoftNet.self) { _ in }  // error: cannot use mutating member on immutable value
  }
}

// case: mask downward
private func f(_ net: inout Net) {
  net.mask(to: SoftClock.self) { _ in }  // error: a mask goes upward only
}

// case: raise from a level of one's own downward
private func f(_ driver: inout Driver) {
  driver.raise(to: SoftNet.self) { _ in }  // error: gates are taken upward only
}

// case: raise to a level of one's own from above it
private func f(_ serial: inout Serial) {
  serial.raise(to: DriverLock.self) { _ in }  // error: gates are taken upward only
}

// case: raise between two levels of one's own above the same
private func f(_ driver: inout Driver) {
  driver.raise(to: TraceLock.self) { _ in }  // error: not ordered between each other
}

// case: raise between two levels of one's own with both tokens
private func f(_ driver: inout Driver) {
  driver.raise(to: TraceLock.self) { _, _ in }  // error: not ordered between each other
}

// case: raise from the upper of two levels of one's own to the lower
private func f(_ cache: inout Cache) {
  cache.raise(to: DriverLock.self) { _ in }  // error: not ordered between each other
}

// case: raise to a level of one's own that is held
private func f(_ driver: inout Driver) {
  driver.raise(to: DriverLock.self) { _ in }  // error: not ordered between each other
}

// case: raise through a lower level with both tokens
private func f(_ net: inout Net) {
  net.raise(through: SoftClock.self) { _, _ in }  // error: the cumulative raise goes upward too
}

// case: a level of one's own above one above another level
private enum Astray: JustAboveSoftBio, AboveOwnLevel {  // error: requires the types
  static let number = 3
  typealias Own = DriverLock
}

// case: a cycle of levels
private enum Twisted: JustAboveSoftNet, JustAboveSoftBio { static let number = 2 }  // error: does not conform
