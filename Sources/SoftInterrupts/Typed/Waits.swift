// What the typed waits come down to; the overloads have seen that the caller is below.

extension HandlerAt {
  @inlinable func disestablish(_ file: StaticString, _ line: UInt) -> ChangeResult {
    untyped.slot.pointee.system.object.disestablish(untyped, file: file, line: line)
  }
  @inlinable func suspend(_ file: StaticString, _ line: UInt) -> ChangeResult {
    untyped.slot.pointee.system.object.suspend(untyped, file: file, line: line)
  }
  /// See ``InterruptSystem/resume(_:)``. Any level.
  @inlinable @discardableResult public func resume() -> ChangeResult {
    untyped.slot.pointee.system.object.resume(untyped)
  }
}

extension CalloutAt {
  @inlinable func halt(_ file: StaticString, _ line: UInt) -> Bool { untyped.halt(file: file, line: line) }
  @inlinable func retire(_ file: StaticString, _ line: UInt) -> Bool {
    untyped.retire(file: file, line: line)
  }
}

extension OrderToken where Self: ~Copyable, Self: ~Escapable {
  @inlinable func call<T: HandlerLevel>(
    _ cpu: Int, _ level: T.Type, _ file: StaticString, _ line: UInt,
    _ body: @escaping @Sendable (inout At<T, M>) -> Void
  ) -> Bool {
    agent.system.object.crossCallAndWait(on: cpu, at: T.level, file: file, line: line) { here in
      var at = At<T, M>(here.agent)
      body(&at)
    }
  }
}
