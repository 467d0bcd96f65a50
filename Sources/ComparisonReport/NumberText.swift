// Numbers as people read them: a fixed number of decimals, three significant digits with a unit letter.
//
// Invariant: no locale, no Foundation; every text is bounded in width whatever the number is.

extension Double {
  /// The nearest number with at most `decimals` decimals; itself where that is beyond a Double's precision.
  func rounded(decimals: Int) -> Double {
    var factor = 1.0
    for _ in 0..<decimals { factor *= 10 }
    let scaled = (self * factor).rounded()
    return scaled.isFinite && scaled.magnitude < 0x1p53 ? scaled / factor : self
  }
}
