// Two ways to spread the bits of a word, for hashes that live in one process and for digests that do not.

enum Mixing {
  /// Both halves of the full product, combined: fast, and one way, but a zero operand swallows the other.
  @inline(__always)
  static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }

  /// A bijection in which every bit of the argument flips about half the bits of the result: the
  /// finalizer of SplitMix64 (Steele, Lea, Flood 2014).
  @inline(__always)
  static func avalanche(_ word: UInt64) -> UInt64 {
    var mixed = word
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}
