// Refused by the types alone: the compiler's words, which the page "What this error means" explains.

// case: a class leaks by the result
private func f(_ net: inout Net) {
  _ = net.open(sessions) { $0[1] }  // error: does not conform to the 'Sendable' protocol
}

// case: a value that is not Sendable by subscript
private func f(_ net: inout Net) {
  _ = net[sessions]  // error: to the 'Sendable' protocol
}

// case: a token in a class
private final class Keeper {
  var net: Net?  // error: cannot return a ~Escapable result
}

// case: a token is returned
private func f() -> Net { fatalError() }  // error: a function cannot return a ~Escapable result
