// Refused by the analysis of flow: the compiler's words, which the page "What this error means" explains.

// case: the outer token inside the inner body
private func f(_ base: inout Base) {
  base.raise(to: SoftNet.self) { net in  // error: overlapping accesses to 'base'
    base.raise(to: SoftSerial.self) { _ in }
  }
}

// case: the outer token opens inside the inner body
private func f(_ net: inout Net) {
  net.raise(to: SoftSerial.self) { serial in  // error: overlapping accesses to 'net'
    serial[serialCount] += net[netCount]
  }
}

// case: a token is consumed
private func f(_ net: inout Net) {  // error: missing reinitialization of inout parameter 'net' after consume
  consume(net)
}

// case: a token is copied
private func f(_ net: borrowing Net) {  // error: 'net' is borrowed and cannot be consumed
  let copy = net
  _ = copy
}

// case: a token escapes in a closure
private func f(_ net: inout Net) -> () -> Void {
  { use(net) }  // error: escaping closure captures 'inout' parameter 'net'
}

// case: a token goes to a task
private func f(_ net: inout Net) {
  Task { use(net) }  // error: escaping closure captures 'inout' parameter 'net'
}

// case: a class leaks by a variable
private func f(_ net: inout Net) -> Session? {
  var leaked: Session?
  net.open(sessions) { leaked = $0[1] }  // error: 'inout sending' parameter '$0' cannot be task-isolated
  return leaked
}

// case: an object that others know goes in
private func f(_ net: inout Net, _ session: Session) {
  net.open(sessions) { $0[1] = session }  // error: 'inout sending' parameter '$0' cannot be task-isolated
}

// case: an object that others know is guarded
private func f(_ session: Session) -> Guarded<Session, SoftNet> {
  Guarded(session)  // error: sending 'session' risks causing data races
}

// case: wait for a condition in a big-lock section
private func f(_ base: inout Base, _ changed: ConditionAt<SoftNet, M>) {
  base.bigLock { _ in  // error: overlapping accesses
    base.raise(to: SoftNet.self, when: changed) { _ in
      true
    } then: { _ in
    }
  }
}
