// Per-CPU data with a level.
//
// Law: a cell is opened at home only, by a context that started at or below the cell's level, at an IPL at or above it; so
// nothing that touches it can interrupt. One byte, "open", is always checked: two openings nested in each other are caught.

/// A value for each CPU, guarded by a level: it is opened where nothing on its CPU can interrupt that would open it too.
///
/// Other CPUs never read a cell: they ask by cross-call (``reduce(_:_:)``).
public final class PerCPU<Value, M: Machine>: @unchecked Sendable {
  // Sendable: a cell is touched by its own CPU only, at the level (checked); Value is sent to it once, at the start.

  @usableFromInline struct Cell {
    @usableFromInline var value: Value
    @usableFromInline var isOpen = false
    @inlinable init(_ value: Value) { self.value = value }
  }

  @usableFromInline let level: Level
  @usableFromInline let cells: UnsafeMutablePointer<UnsafeMutablePointer<Cell>>
  @usableFromInline let system: SystemRef<M>
  /// Kept, so that the system is there as long as its values are.
  @usableFromInline let owner: InterruptSystem<M>
  @usableFromInline let count: Int

  @inlinable init(_ owner: InterruptSystem<M>, at level: Level, _ make: (Int) -> Value) {
    self.owner = owner
    system = owner.core
    self.level = level
    count = system.cpuCount
    cells = .allocate(capacity: count)
    for cpu in 0..<count {
      // One allocation each, so that two CPUs' cells share no cache line by design.
      let raw = UnsafeMutableRawPointer.allocate(
        byteCount: (MemoryLayout<Cell>.size + 63) / 64 * 64, alignment: 64)
      let cell = raw.bindMemory(to: Cell.self, capacity: 1)
      cell.initialize(to: Cell(make(cpu)))
      (cells + cpu).initialize(to: cell)
    }
  }

  deinit {
    for cpu in 0..<count {
      cells[cpu].deinitialize(count: 1)
      cells[cpu].deallocate()
    }
    cells.deallocate()
  }

  /// Opens this CPU's value. At an IPL at or above the level (a raise, a mask, a handler), from a context that started at or
  /// below it. Nil, after the witness has said so, if that is not so; with ``Execution/threads`` always.
  @inlinable @discardableResult
  public func open<R, E: Error>(
    file: StaticString = #fileID, line: UInt = #line, _ body: (inout Value) throws(E) -> R
  ) throws(E) -> R? {
    guard let agent = system.existingAgent(), agent.isCPU else {
      let visitor = system.currentAgent()
      system.report(.cellByVisitor, visitor, level, "a PerCPU value", .init(file, line))
      return nil
    }
    if system.configuration.execution == .threads {
      system.report(.cellUnderThreads, agent, level, "a PerCPU value", .init(file, line))
      return nil
    }
    let cell = cells[agent.cpu]
    let context = agent.context
    if (context.pointee.entry > level && !Mutant.isOn(.cellAnyEntry)) || agent.ipl < level {
      system.report(.cellLevel, agent, level, "a PerCPU value", .init(file, line))
      return nil
    }
    if cell.pointee.isOpen {
      system.report(.cellOpenTwice, agent, level, "a PerCPU value", .init(file, line))
      return nil
    }
    cell.pointee.isOpen = true
    context.pointee.pins &+= 1
    defer {
      cell.pointee.isOpen = false
      context.pointee.pins &-= 1
    }
    return try body(&cell.pointee.value)
  }

  /// Combines the values of all CPUs, each read on its own CPU at the level. A wait for CPUs: nil if it is refused.
  @inlinable public func reduce<R: Sendable>(_ initial: R, _ combine: @escaping @Sendable (R, Value) -> R)
    -> R?
  {
    nonisolated(unsafe) var result = initial
    // Calls one after the other, and each is waited for, so `result` has one user at a time.
    for cpu in 0..<count {
      let done = system.object.crossCallAndWait(on: cpu, at: level) { [self] _ in
        open { result = combine(result, $0) }
      }
      if !done { return nil }
    }
    return result
  }
}

extension InterruptSystem {
  /// Makes a value for each CPU, guarded by `level`. `make` is called once for each CPU, here and now.
  @inlinable
  public func perCPU<Value>(at level: Level, _ make: (_ cpu: Int) -> Value) -> PerCPU<Value, M> {
    PerCPU(self, at: level, make)
  }
}
