// An interface of a pcapng section: its link type, and how its 64-bit times become nanoseconds.

/// What an interface description block said.
struct PcapNGInterface {
  var link: LinkType
  /// The greatest captured length; 0 for no limit. Simple packet blocks state no length of their own.
  var snapLength: UInt32
  var resolution = TimeResolution.microseconds
  /// Seconds to add to every time (option `if_tsoffset`).
  var offset: Int64 = 0

  /// Nanoseconds since the epoch, held within ±2⁶².
  @inline(__always)
  func timestamp(_ time: UInt64) -> Int64 {
    let nanoseconds = resolution.nanoseconds(time)
    let (shift, overflow) = offset.multipliedReportingOverflow(by: 1_000_000_000)
    let shifted = nanoseconds.addingReportingOverflow(overflow ? (offset < 0 ? .min : .max) : shift)
    // Times are not negative, so a sum can only overflow upwards.
    let sum = shifted.overflow ? Int64.max : shifted.partialValue
    return min(max(sum, -TimeResolution.bound), TimeResolution.bound)
  }
}

/// The unit of an interface's times (option `if_tsresol`).
enum TimeResolution: Equatable {
  /// A unit is this many nanoseconds.
  case multiple(UInt64)
  /// This many units are a nanosecond.
  case part(UInt64)
  /// 2 to the power of this many units are a second.
  case binary(UInt8)

  static let microseconds = multiple(1_000)
  /// The greatest time, 2⁶² ns after the epoch, so that differences never overflow.
  static let bound: Int64 = 1 << 62

  /// The unit that an option's byte names: a power of 2 if its upper bit is set, else of 10.
  init(option: UInt8) {
    let exponent = Int(option & 0x7f)
    if option & 0x80 != 0 {
      self = .binary(UInt8(exponent))
    } else if exponent <= 9 {
      self = .multiple(Self.powerOfTen(9 - exponent))
    } else if exponent <= 28 {
      self = .part(Self.powerOfTen(exponent - 9))
    } else {
      self = .multiple(0)  // every 64-bit time is less than a nanosecond
    }
  }

  /// The time in nanoseconds, held within 0...2⁶².
  @inline(__always)
  func nanoseconds(_ time: UInt64) -> Int64 {
    let bound = UInt64(Self.bound)
    switch self {
    case .multiple(let unit):
      let (product, overflow) = time.multipliedReportingOverflow(by: unit)
      return Int64(overflow ? bound : min(product, bound))
    case .part(let unit):
      return Int64(min(time / unit, bound))
    case .binary(let exponent):
      // (time × 10⁹) ≫ exponent, the product being 128 bits wide.
      let product = time.multipliedFullWidth(by: 1_000_000_000)
      let shift = UInt64(exponent)
      if shift >= 64 { return Int64(min(product.high >> (shift - 64), bound)) }
      guard product.high >> shift == 0 else { return Self.bound }
      return Int64(min(product.high << (64 - shift) | product.low >> shift, bound))
    }
  }

  private static func powerOfTen(_ exponent: Int) -> UInt64 {
    (0..<exponent).reduce(1) { power, _ in power * 10 }
  }
}
