// Against the order: our words.

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

// case: wrong guard by subscript
private func f(_ net: inout Net) {
  net[serialCount] += 1  // error: guarded by another level: open it with that level's token
}

// case: wrong guard by open
private func f(_ net: inout Net) {
  net.open(clockCount) { $0 += 1 }  // error: guarded by another level: open it with that level's token
}

// case: await in a raise
private func f(_ base: inout Base) async {
  await base.raise(to: SoftNet.self) { net in await Task.yield() }  // error: no gate is held across an await
}

// case: a misspelt member in the body is told as such
private func f(_ base: inout Base) {
  base.raise(to: SoftNet.self) { net in net[netNames].apend("x") }  // error: has no member 'apend'
}
