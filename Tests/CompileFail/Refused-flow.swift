// Refused by the analysis of flow: the compiler's words.

// case: outer token inside the inner body
private func f(_ base: inout Base) {
  base.raise(to: SoftNet.self) { net in  // error: overlapping accesses to 'base'
    base.raise(to: SoftSerial.self) { _ in }
  }
}
