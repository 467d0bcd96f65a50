// How the core spells its operations: on the address of a word, and its fences.
//
// Law: this is the only place where the core reaches `MachineWord` and the fences that order its CPUs. In builds with the
// `Mutants` trait each of them goes through `Weakening`, which knows the line that stated the order; without it nothing of that
// is compiled, and each is the machine's own operation.

#if !Mutants
  /// The operations, spelled on the address.
  extension UnsafeMutablePointer where Pointee: MachineWord {
    @inlinable @inline(__always) func load(_ order: MemoryOrder) -> UInt { Pointee.load(self, order) }
    @inlinable @inline(__always) func store(_ value: UInt, _ order: MemoryOrder) {
      Pointee.store(self, value, order)
    }
    @inlinable @inline(__always) func exchange(_ value: UInt, _ order: MemoryOrder) -> UInt {
      Pointee.exchange(self, value, order)
    }
    @inlinable @inline(__always) @discardableResult
    func fetchAdd(_ value: UInt, _ order: MemoryOrder) -> UInt { Pointee.fetchAdd(self, value, order) }
    @inlinable @inline(__always) @discardableResult
    func fetchOr(_ bits: UInt, _ order: MemoryOrder) -> UInt { Pointee.fetchOr(self, bits, order) }
    @inlinable @inline(__always) @discardableResult
    func fetchAnd(_ bits: UInt, _ order: MemoryOrder) -> UInt { Pointee.fetchAnd(self, bits, order) }
    @inlinable @inline(__always) @discardableResult
    func rewrite(_ order: MemoryOrder) -> UInt { Pointee.rewrite(self, order) }
    @inlinable @inline(__always)
    func compareExchange(_ expected: UInt, _ desired: UInt, _ order: MemoryOrder) -> Bool {
      Pointee.compareExchange(self, expected, desired, order)
    }
  }

  extension Machine {
    /// ``lightFence()``, as the core states it.
    @inlinable @inline(__always) static func light() { lightFence() }
    /// ``heavyFence()``, as the core states it.
    @inlinable @inline(__always) static func heavy() { heavyFence() }
    /// Says that plain memory of the core's is accessed here: what the word or lock before it orders. Nothing, in ordinary builds.
    @inlinable @inline(__always)
    static func touches<T>(
      _ at: UnsafeMutablePointer<T>, part: Int = 0, _ access: @autoclosure () -> PlainAccess
    ) {}
    @inlinable @inline(__always)
    static func touches(_ address: UInt, _ access: @autoclosure () -> PlainAccess) {}
    /// Says that the next operation sets bits by which the caller announces what it has published (``PlainAccess/publishes``).
    @inlinable @inline(__always)
    static func announces(_ word: UnsafeMutablePointer<Word>, _ bits: @autoclosure () -> UInt) {}
    /// Says that the caller has cleared bits of which these were set, and looks now for what was announced by them.
    @inlinable @inline(__always)
    static func looks(_ word: UnsafeMutablePointer<Word>, _ bits: @autoclosure () -> UInt) {}
  }
#endif

/// What the core does to plain memory, for machines that watch it.
public enum PlainAccess: Sendable {
  /// What was done to the memory.
  case read, write
  /// Its first use since it was allocated: what was at this address before was something else.
  case fresh
  /// What the thread did before is published by its next operation, which sets a bit ("publish, then announce").
  case publishes
  /// The thread has cleared that bit and looks now ("clear, then look"): all that was published by the bit must be before. It is
  /// asked for apart, because where both sides are read-modify-writes of one word, a machine without load buffering does them
  /// in an order that no weaker order changes: it would not show that the look may come too early.
  case looks
}
