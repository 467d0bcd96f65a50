// Near misses: each differs little from a program that is refused, and must compile.

// case: raise upward
private func f(_ net: inout Net) {
  net.raise(to: SoftSerial.self) { _ in }
}

// case: both tokens
private func f(_ net: inout Net) {
  net.raise(to: SoftSerial.self) { serial, net in serial[serialCount] += net[netCount] }
}

// case: noncopyable member
private func f(_ net: inout Net) {
  net.open(buffer) { $0.fill() }
}
