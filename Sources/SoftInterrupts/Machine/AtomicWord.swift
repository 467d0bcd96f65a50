// The word of every machine that has real memory: `Synchronization.Atomic` behind an address.

import Synchronization

/// A word whose operations are the processor's atomic instructions.
@frozen public struct AtomicWord: MachineWord {
  @usableFromInline var bits: UInt
  @inlinable public init(_ value: UInt) { bits = value }

  // `Atomic<UInt>` is a struct whose only stored property is a UInt in raw storage, so an AtomicWord at this address has
  // its size, stride and alignment (a test pins them). The memory is only ever accessed through this view once it is
  // shared, so no access is made under two types at once.
  @inlinable @inline(__always)
  static func atomic(_ at: UnsafeMutablePointer<AtomicWord>) -> UnsafeMutablePointer<Atomic<UInt>> {
    UnsafeMutableRawPointer(at).assumingMemoryBound(to: Atomic<UInt>.self)
  }

  @inlinable @inline(__always)
  public static func load(_ at: UnsafeMutablePointer<Self>, _ order: MemoryOrder) -> UInt {
    switch order {
    case .relaxed: atomic(at).pointee.load(ordering: .relaxed)
    case .acquire, .acquireRelease, .release: atomic(at).pointee.load(ordering: .acquiring)
    case .sequentiallyConsistent: atomic(at).pointee.load(ordering: .sequentiallyConsistent)
    }
  }

  @inlinable @inline(__always)
  public static func store(_ at: UnsafeMutablePointer<Self>, _ value: UInt, _ order: MemoryOrder) {
    switch order {
    case .relaxed: atomic(at).pointee.store(value, ordering: .relaxed)
    case .release, .acquireRelease, .acquire: atomic(at).pointee.store(value, ordering: .releasing)
    case .sequentiallyConsistent: atomic(at).pointee.store(value, ordering: .sequentiallyConsistent)
    }
  }

  @inlinable @inline(__always)
  public static func exchange(
    _ at: UnsafeMutablePointer<Self>, _ value: UInt, _ order: MemoryOrder
  ) -> UInt {
    switch order {
    case .relaxed: atomic(at).pointee.exchange(value, ordering: .relaxed)
    case .acquire: atomic(at).pointee.exchange(value, ordering: .acquiring)
    case .release: atomic(at).pointee.exchange(value, ordering: .releasing)
    case .acquireRelease: atomic(at).pointee.exchange(value, ordering: .acquiringAndReleasing)
    case .sequentiallyConsistent: atomic(at).pointee.exchange(value, ordering: .sequentiallyConsistent)
    }
  }

  @inlinable @inline(__always)
  public static func fetchAdd(
    _ at: UnsafeMutablePointer<Self>, _ value: UInt, _ order: MemoryOrder
  ) -> UInt {
    switch order {
    case .relaxed: atomic(at).pointee.wrappingAdd(value, ordering: .relaxed).oldValue
    case .acquire: atomic(at).pointee.wrappingAdd(value, ordering: .acquiring).oldValue
    case .release: atomic(at).pointee.wrappingAdd(value, ordering: .releasing).oldValue
    case .acquireRelease: atomic(at).pointee.wrappingAdd(value, ordering: .acquiringAndReleasing).oldValue
    case .sequentiallyConsistent:
      atomic(at).pointee.wrappingAdd(value, ordering: .sequentiallyConsistent).oldValue
    }
  }

  @inlinable @inline(__always)
  public static func fetchOr(
    _ at: UnsafeMutablePointer<Self>, _ bits: UInt, _ order: MemoryOrder
  ) -> UInt {
    switch order {
    case .relaxed: atomic(at).pointee.bitwiseOr(bits, ordering: .relaxed).oldValue
    case .acquire: atomic(at).pointee.bitwiseOr(bits, ordering: .acquiring).oldValue
    case .release: atomic(at).pointee.bitwiseOr(bits, ordering: .releasing).oldValue
    case .acquireRelease: atomic(at).pointee.bitwiseOr(bits, ordering: .acquiringAndReleasing).oldValue
    case .sequentiallyConsistent:
      atomic(at).pointee.bitwiseOr(bits, ordering: .sequentiallyConsistent).oldValue
    }
  }

  @inlinable @inline(__always)
  public static func fetchAnd(
    _ at: UnsafeMutablePointer<Self>, _ bits: UInt, _ order: MemoryOrder
  ) -> UInt {
    switch order {
    case .relaxed: atomic(at).pointee.bitwiseAnd(bits, ordering: .relaxed).oldValue
    case .acquire: atomic(at).pointee.bitwiseAnd(bits, ordering: .acquiring).oldValue
    case .release: atomic(at).pointee.bitwiseAnd(bits, ordering: .releasing).oldValue
    case .acquireRelease: atomic(at).pointee.bitwiseAnd(bits, ordering: .acquiringAndReleasing).oldValue
    case .sequentiallyConsistent:
      atomic(at).pointee.bitwiseAnd(bits, ordering: .sequentiallyConsistent).oldValue
    }
  }

  @inlinable @inline(__always)
  public static func compareExchange(
    _ at: UnsafeMutablePointer<Self>, _ expected: UInt, _ desired: UInt, _ order: MemoryOrder
  ) -> Bool {
    let word = atomic(at)
    switch order {
    case .relaxed:
      return word.pointee.compareExchange(expected: expected, desired: desired, ordering: .relaxed).exchanged
    case .acquire:
      return word.pointee.compareExchange(expected: expected, desired: desired, ordering: .acquiring)
        .exchanged
    case .release:
      return word.pointee.compareExchange(expected: expected, desired: desired, ordering: .releasing)
        .exchanged
    case .acquireRelease:
      return word.pointee.compareExchange(
        expected: expected, desired: desired, ordering: .acquiringAndReleasing
      ).exchanged
    case .sequentiallyConsistent:
      return word.pointee.compareExchange(
        expected: expected, desired: desired, ordering: .sequentiallyConsistent
      ).exchanged
    }
  }
}
