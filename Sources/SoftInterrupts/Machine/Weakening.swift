// Weakening the orders that the core states, one at a time, so that an exploration can show that it would notice.
//
// Law: in builds with the `Mutants` trait only. An order is weakened by its site: the file, line and column that state it, for
// whatever word the code there is given. Selecting and recording is for simulated runs, which have one thread; while nothing is
// selected each operation costs one relaxed load more.

#if Mutants
  import Synchronization

  /// What an operation of the core's is.
  public enum OrderedOperation: String, Sendable, Comparable {
    case load, store, exchange, fetchAdd, fetchOr, fetchAnd, rewrite, compareExchange
    case light, heavy
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  }

  /// A place in the core that states an order stronger than `relaxed`, or a fence.
  public struct OrderingSite: Hashable, Sendable, CustomStringConvertible {
    public var file: String
    public var function: String
    public var line: UInt
    public var column: UInt
    public var operation: OrderedOperation
    /// What it states; nil for a fence.
    public var order: MemoryOrder?

    public var description: String { "\(file):\(line):\(column)" }
  }

  /// One way in which a site can be weaker.
  public enum WeakenedPart: String, Sendable, CaseIterable {
    /// The acquire half is gone.
    case acquire
    /// The release half is gone.
    case release
    /// Sequential consistency is gone: acquire and release are left.
    case consistency
    /// The fence is gone.
    case fence
  }

  /// 0: orders are as stated; 1: sites are noted; 2: one site is weaker.
  @usableFromInline let weakeningMode = Atomic<UInt8>(0)

  public enum Weakening {
    private struct Key: Hashable {
      var file: UInt
      var line: UInt
      var column: UInt
    }
    // One thread: see the law.
    nonisolated(unsafe) private static var noted: [Key: OrderingSite] = [:]
    nonisolated(unsafe) private static var selected: [UInt: [(site: OrderingSite, part: WeakenedPart)]] = [:]
    nonisolated(unsafe) private static var isRecording = false

    /// Notes the sites that the simulated runs of `body` execute.
    public static func recording(_ body: () throws -> Void) rethrows -> Set<OrderingSite> {
      noted = [:]
      isRecording = true
      defer { isRecording = false }
      try body()
      return Set(noted.values)
    }

    /// Makes sites weaker in the simulated runs of `body`.
    public static func with<R>(
      _ sites: [(site: OrderingSite, part: WeakenedPart)], _ body: () throws -> R
    ) rethrows -> R {
      for weaker in sites {
        selected[place(weaker.site.line, weaker.site.column), default: []].append(weaker)
      }
      defer { selected = [:] }
      return try body()
    }

    private static func place(_ line: UInt, _ column: UInt) -> UInt { line << 8 | column & 0xff }

    /// For explorers: a run begins or ends; what builds and takes down a system is as stated.
    package static func run(isUnderWay: Bool) {
      let mode: UInt8 = !isUnderWay ? 0 : !selected.isEmpty ? 2 : isRecording ? 1 : 0
      weakeningMode.store(mode, ordering: .relaxed)
    }

    @inlinable @inline(__always)
    static func order(
      _ order: MemoryOrder, _ operation: OrderedOperation, _ file: StaticString, _ function: StaticString,
      _ line: UInt, _ column: UInt
    ) -> MemoryOrder {
      if weakeningMode.load(ordering: .relaxed) == 0 || order == .relaxed { return order }
      return changed(order, operation, file, function, line, column) ?? .relaxed
    }

    @inlinable @inline(__always)
    static func isKept(
      _ fence: OrderedOperation, _ file: StaticString, _ function: StaticString, _ line: UInt, _ column: UInt
    ) -> Bool {
      if weakeningMode.load(ordering: .relaxed) == 0 { return true }
      return changed(nil, fence, file, function, line, column) != .relaxed
    }

    @usableFromInline @inline(never)
    static func changed(
      _ order: MemoryOrder?, _ operation: OrderedOperation, _ file: StaticString, _ function: StaticString,
      _ line: UInt, _ column: UInt
    ) -> MemoryOrder? {
      if !selected.isEmpty {
        guard let weaker = selected[place(line, column)] else { return order }
        var result = order
        var isHere = false
        for (site, part) in weaker
        where site.operation == operation && file.withUTF8Buffer({ $0.elementsEqual(site.file.utf8) }) {
          isHere = true
          result = result.map { self.weaker($0, part) }
        }
        return isHere ? result ?? .relaxed : order
      }
      let key = Key(file: UInt(bitPattern: file.utf8Start), line: line, column: column)
      if noted[key] == nil {
        noted[key] = OrderingSite(
          file: "\(file)", function: "\(function)", line: line, column: column, operation: operation,
          order: order)
      }
      return order
    }

    static func weaker(_ order: MemoryOrder, _ part: WeakenedPart) -> MemoryOrder {
      switch (order, part) {
      case (.sequentiallyConsistent, .consistency): .acquireRelease
      case (.sequentiallyConsistent, .acquire), (.acquireRelease, .acquire): .release
      case (.sequentiallyConsistent, .release), (.acquireRelease, .release): .acquire
      default: .relaxed
      }
    }
  }

  extension OrderingSite {
    /// The ways in which it can be weaker, the least first.
    public var parts: [WeakenedPart] {
      switch (operation, order) {
      case (_, nil): [.fence]
      case (_, .relaxed): []
      case (.load, .sequentiallyConsistent): [.consistency, .acquire]
      case (.store, .sequentiallyConsistent): [.consistency, .release]
      case (_, .sequentiallyConsistent): [.consistency, .acquire, .release]
      case (.load, _): [.acquire]
      case (.store, _): [.release]
      case (_, .acquireRelease): [.acquire, .release]
      case (_, .acquire): [.acquire]
      case (_, .release): [.release]
      }
    }
  }

  /// The operations, spelled on the address, with the place that spells them.
  extension UnsafeMutablePointer where Pointee: MachineWord {
    @inlinable func load(
      _ order: MemoryOrder, _ file: StaticString = #fileID, _ function: StaticString = #function,
      _ line: UInt = #line, _ column: UInt = #column
    ) -> UInt {
      Pointee.load(self, Weakening.order(order, .load, file, function, line, column))
    }

    @inlinable func store(
      _ value: UInt, _ order: MemoryOrder, _ file: StaticString = #fileID,
      _ function: StaticString = #function,
      _ line: UInt = #line, _ column: UInt = #column
    ) {
      Pointee.store(self, value, Weakening.order(order, .store, file, function, line, column))
    }

    @inlinable func exchange(
      _ value: UInt, _ order: MemoryOrder, _ file: StaticString = #fileID,
      _ function: StaticString = #function,
      _ line: UInt = #line, _ column: UInt = #column
    ) -> UInt {
      Pointee.exchange(self, value, Weakening.order(order, .exchange, file, function, line, column))
    }

    @inlinable @discardableResult func fetchAdd(
      _ value: UInt, _ order: MemoryOrder, _ file: StaticString = #fileID,
      _ function: StaticString = #function,
      _ line: UInt = #line, _ column: UInt = #column
    ) -> UInt {
      Pointee.fetchAdd(self, value, Weakening.order(order, .fetchAdd, file, function, line, column))
    }

    @inlinable @discardableResult func fetchOr(
      _ bits: UInt, _ order: MemoryOrder, _ file: StaticString = #fileID,
      _ function: StaticString = #function,
      _ line: UInt = #line, _ column: UInt = #column
    ) -> UInt {
      Pointee.fetchOr(self, bits, Weakening.order(order, .fetchOr, file, function, line, column))
    }

    @inlinable @discardableResult func fetchAnd(
      _ bits: UInt, _ order: MemoryOrder, _ file: StaticString = #fileID,
      _ function: StaticString = #function,
      _ line: UInt = #line, _ column: UInt = #column
    ) -> UInt {
      Pointee.fetchAnd(self, bits, Weakening.order(order, .fetchAnd, file, function, line, column))
    }

    @inlinable @discardableResult func rewrite(
      _ order: MemoryOrder, _ file: StaticString = #fileID, _ function: StaticString = #function,
      _ line: UInt = #line, _ column: UInt = #column
    ) -> UInt {
      Pointee.rewrite(self, Weakening.order(order, .rewrite, file, function, line, column))
    }

    @inlinable func compareExchange(
      _ expected: UInt, _ desired: UInt, _ order: MemoryOrder, _ file: StaticString = #fileID,
      _ function: StaticString = #function,
      _ line: UInt = #line, _ column: UInt = #column
    ) -> Bool {
      Pointee.compareExchange(
        self, expected, desired, Weakening.order(order, .compareExchange, file, function, line, column))
    }
  }

  extension Machine {
    @inlinable static func light(
      _ file: StaticString = #fileID, _ function: StaticString = #function, _ line: UInt = #line,
      _ column: UInt = #column
    ) {
      if Weakening.isKept(.light, file, function, line, column) { lightFence() }
    }
    @inlinable static func heavy(
      _ file: StaticString = #fileID, _ function: StaticString = #function, _ line: UInt = #line,
      _ column: UInt = #column
    ) {
      if Weakening.isKept(.heavy, file, function, line, column) { heavyFence() }
    }
    @inlinable static func touches<T>(
      _ at: UnsafeMutablePointer<T>, part: Int = 0, _ access: @autoclosure () -> PlainAccess
    ) {
      accessed(UnsafeRawPointer(at) + part, access())
    }
    @inlinable static func touches(_ address: UInt, _ access: @autoclosure () -> PlainAccess) {
      accessed(UnsafeRawPointer(bitPattern: address)!, access())
    }
    @inlinable static func announces(_ word: UnsafeMutablePointer<Word>, _ bits: @autoclosure () -> UInt) {
      each(word, bits(), .publishes)
    }
    @inlinable static func looks(_ word: UnsafeMutablePointer<Word>, _ bits: @autoclosure () -> UInt) {
      each(word, bits(), .looks)
    }
    /// Each bit by an address within the word: only machines whose words are wide enough watch them.
    @inlinable static func each(_ word: UnsafeMutablePointer<Word>, _ bits: UInt, _ access: PlainAccess) {
      var left = bits
      while left != 0 {
        accessed(UnsafeRawPointer(word) + left.trailingZeroBitCount, access)
        left &= left &- 1
      }
    }
    /// Machines that watch the core's plain memory say so.
    @inlinable public static func accessed(_ at: UnsafeRawPointer, _ access: PlainAccess) {}
  }
#endif
