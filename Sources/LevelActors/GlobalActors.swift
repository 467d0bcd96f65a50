// What `MainActor` has, for the global actors of the levels: `run`, and `assumeIsolated`.
//
// Law: a closure is called as isolated only where the gate that guards the actor is held. A function type cannot be generic over its
// global actor, so there is one of each for each level.

public import SoftInterrupts

extension SoftClock {
  /// Runs `body` at `softClock`, from any task.
  @inlinable public static func run<R: Sendable>(_ body: @SoftClock @Sendable () throws -> R) async rethrows
    -> R
  {
    try await onLevel(body)
  }
  @SoftClock @usableFromInline static func onLevel<R: Sendable>(_ body: @SoftClock @Sendable () throws -> R)
    rethrows -> R
  {
    try body()
  }

  /// Calls `body` as isolated here, where that holds: in a job of the actor, in an ordered handler of its level, inside a raise to
  /// it. Elsewhere it stops the program and says so.
  @inlinable public static func assumeIsolated<R: Sendable>(
    _ body: @SoftClock () throws -> R, file: StaticString = #fileID, line: UInt = #line
  ) rethrows -> R {
    shared.preconditionIsolated(file: file, line: line)
    return try withoutActuallyEscaping(body) { isolated in
      // The isolation is no part of what a function value is made of, and has been looked at.
      try unsafeBitCast(isolated, to: (() throws -> R).self)()
    }
  }
}

extension SoftBio {
  /// Runs `body` at `softBio`, from any task.
  @inlinable public static func run<R: Sendable>(_ body: @SoftBio @Sendable () throws -> R) async rethrows
    -> R
  {
    try await onLevel(body)
  }
  @SoftBio @usableFromInline static func onLevel<R: Sendable>(_ body: @SoftBio @Sendable () throws -> R)
    rethrows -> R
  {
    try body()
  }

  /// Calls `body` as isolated here, where that holds: in a job of the actor, in an ordered handler of its level, inside a raise to
  /// it. Elsewhere it stops the program and says so.
  @inlinable public static func assumeIsolated<R: Sendable>(
    _ body: @SoftBio () throws -> R, file: StaticString = #fileID, line: UInt = #line
  ) rethrows -> R {
    shared.preconditionIsolated(file: file, line: line)
    return try withoutActuallyEscaping(body) { isolated in
      // The isolation is no part of what a function value is made of, and has been looked at.
      try unsafeBitCast(isolated, to: (() throws -> R).self)()
    }
  }
}

extension SoftNet {
  /// Runs `body` at `softNet`, from any task.
  @inlinable public static func run<R: Sendable>(_ body: @SoftNet @Sendable () throws -> R) async rethrows
    -> R
  {
    try await onLevel(body)
  }
  @SoftNet @usableFromInline static func onLevel<R: Sendable>(_ body: @SoftNet @Sendable () throws -> R)
    rethrows -> R
  {
    try body()
  }

  /// Calls `body` as isolated here, where that holds: in a job of the actor, in an ordered handler of its level, inside a raise to
  /// it. Elsewhere it stops the program and says so.
  @inlinable public static func assumeIsolated<R: Sendable>(
    _ body: @SoftNet () throws -> R, file: StaticString = #fileID, line: UInt = #line
  ) rethrows -> R {
    shared.preconditionIsolated(file: file, line: line)
    return try withoutActuallyEscaping(body) { isolated in
      // The isolation is no part of what a function value is made of, and has been looked at.
      try unsafeBitCast(isolated, to: (() throws -> R).self)()
    }
  }
}

extension SoftSerial {
  /// Runs `body` at `softSerial`, from any task.
  @inlinable public static func run<R: Sendable>(_ body: @SoftSerial @Sendable () throws -> R) async rethrows
    -> R
  {
    try await onLevel(body)
  }
  @SoftSerial @usableFromInline static func onLevel<R: Sendable>(_ body: @SoftSerial @Sendable () throws -> R)
    rethrows -> R
  {
    try body()
  }

  /// Calls `body` as isolated here, where that holds: in a job of the actor, in an ordered handler of its level, inside a raise to
  /// it. Elsewhere it stops the program and says so.
  @inlinable public static func assumeIsolated<R: Sendable>(
    _ body: @SoftSerial () throws -> R, file: StaticString = #fileID, line: UInt = #line
  ) rethrows -> R {
    shared.preconditionIsolated(file: file, line: line)
    return try withoutActuallyEscaping(body) { isolated in
      // The isolation is no part of what a function value is made of, and has been looked at.
      try unsafeBitCast(isolated, to: (() throws -> R).self)()
    }
  }
}
