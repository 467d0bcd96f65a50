// A set of up to 256 processes, for simulations of many CPUs (the trait ManyCPUs).
//
// Law: the numbers 0 to 255, as bits; what `UInt128` is to `ProcessSet` without the trait, as far as timed runs ask for it. The explorer, which
// keeps sets by the million, asks for more and is not built with the trait.

#if ManyCPUs
  /// A set of numbers from 0 to 255.
  public struct WideProcessSet: Equatable, Sendable, ExpressibleByIntegerLiteral {
    @usableFromInline var low: UInt128
    @usableFromInline var high: UInt128

    @inlinable @inline(__always) init(low: UInt128, high: UInt128) {
      self.low = low
      self.high = high
    }
    /// The set whose bits are those of a number.
    @inlinable @inline(__always) public init(integerLiteral value: UInt64) {
      self.init(low: UInt128(value), high: 0)
    }
    /// The set whose bits are those of a number.
    @inlinable @inline(__always) public init(_ value: UInt64) { self.init(low: UInt128(value), high: 0) }

    /// The lowest number; 256 for none.
    @inlinable @inline(__always) public var trailingZeroBitCount: Int {
      low != 0 ? low.trailingZeroBitCount : 128 + high.trailingZeroBitCount
    }
    /// What is in both.
    @inlinable @inline(__always) public static func & (a: Self, b: Self) -> Self {
      Self(low: a.low & b.low, high: a.high & b.high)
    }
    /// What is in either.
    @inlinable @inline(__always) public static func | (a: Self, b: Self) -> Self {
      Self(low: a.low | b.low, high: a.high | b.high)
    }
    /// What is not in it.
    @inlinable @inline(__always) public static prefix func ~ (a: Self) -> Self {
      Self(low: ~a.low, high: ~a.high)
    }
    /// Puts in what is in the other.
    @inlinable @inline(__always) public static func |= (a: inout Self, b: Self) { a = a | b }
    /// Takes out what is not in the other.
    @inlinable @inline(__always) public static func &= (a: inout Self, b: Self) { a = a & b }
    /// Every number greater by so much; what would be 256 or more is lost.
    @inlinable @inline(__always) public static func << (a: Self, by: Int) -> Self {
      by >= 128
        ? Self(low: 0, high: a.low << UInt128(by - 128))
        : Self(low: a.low << UInt128(by), high: a.high << UInt128(by) | a.low >> UInt128(128 - by))
    }
  }
#endif
