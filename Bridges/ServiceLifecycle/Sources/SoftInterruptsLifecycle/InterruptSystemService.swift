// A system of soft interrupts as a service of a `ServiceGroup`.
//
// Law: a graceful shutdown stops the sources, in the order in which they were given, and then the system, which runs what was accepted
// from its highest level down. The wait for that keeps a thread of its own, never one of the concurrency pool's.

import Glibc
public import ServiceLifecycle
public import SoftInterrupts

/// What a shutdown could not run, as an error: the group's `run()` throws it.
public struct IncompleteShutdown: Error, CustomStringConvertible {
  public let report: ShutdownReport
  public var description: String {
    let handlers = report.pending.map { "\"\($0.name)\" on \($0.cpus)" }.joined(separator: ", ")
    return
      "the system was shut down before all that it had accepted had run: handlers pending: \(handlers.isEmpty ? "none" : handlers); base code: \(report.jobs); cross-calls: \(report.crossCalls). Give it a longer grace"
  }
}

/// Ends a system with its group.
///
/// ```swift
/// let group = ServiceGroup(
///   services: [InterruptSystemService(system), server], gracefulShutdownSignals: [.sigterm], logger: logger)
/// try await group.run()
/// ```
///
/// A group shuts its services down from the last to the first: list the system before those that use it.
public struct InterruptSystemService<M: Machine>: Service {
  private let system: InterruptSystem<M>
  private let grace: Duration
  private let sources: [@Sendable () async throws -> Void]

  /// - Parameters:
  ///   - grace: how long the system may take for what it has accepted.
  ///   - sources: what is stopped before, one after the other: devices that are detached, timers that are halted.
  public init(
    _ system: InterruptSystem<M>, grace: Duration = .seconds(5),
    stopping sources: [@Sendable () async throws -> Void] = []
  ) {
    self.system = system
    self.grace = grace
    self.sources = sources
  }

  /// Waits for the graceful shutdown, or the task's cancellation, and ends the system.
  ///
  /// - Throws: ``IncompleteShutdown``; and, after the system has ended all the same, the first error of a source or the cancellation.
  public func run() async throws {
    var failure: (any Error)?
    do { try await gracefulShutdown() } catch { failure = error }
    for source in sources {
      do { try await source() } catch { failure = failure ?? error }
    }
    let report = await ended()
    if let failure { throw failure }
    if !report.isComplete { throw IncompleteShutdown(report: report) }
  }

  private func ended() async -> ShutdownReport {
    await withCheckedContinuation { continuation in
      let system = system
      let grace = grace
      let start = Unmanaged.passRetained(
        Start { continuation.resume(returning: system.shutdown(grace: grace)) })
      var thread = pthread_t()
      let error = pthread_create(
        &thread, nil,
        { argument in
          // The argument is that which was retained above, once.
          Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue().body()
          return nil
        }, start.toOpaque())
      // Without a thread: better to keep one of the pool's for this once than to leave the system running.
      if error != 0 { start.takeRetainedValue().body() } else { pthread_detach(thread) }
    }
  }
}

private final class Start: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
