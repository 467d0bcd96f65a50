// Other programs: run to their end, or run until they are told to end; with what they printed.
//
// Law: every process that is started here is waited for here, and none without end where a limit is given: then it is killed.

import Glibc

enum Child {
  /// Runs a program of the PATH; nil if it cannot be run or fails, which being killed after `limit` seconds is as well.
  static func output(_ arguments: [String], within limit: Int? = nil) -> String? {
    guard let server = Server(arguments) else { return nil }
    let (text, end) = server.finish(within: limit)
    return end.status == 0 ? text : nil
  }

  static func isInstalled(_ program: String) -> Bool { output(["which", program]) != nil }
}

/// How a process ended.
struct ProcessEnd {
  var status: Int32
  /// Whether it did not end in time, and was killed.
  var wasKilled: Bool
  /// What it used, in seconds.
  var cpuSeconds: Double
}

/// A process whose standard output is read.
final class Server {
  private let process: pid_t
  private let descriptor: Int32
  private var text: [UInt8] = []

  init?(_ arguments: [String]) {
    var ends: [Int32] = [0, 0]
    // Not for other children, or a reader would wait for them as well.
    guard pipe(&ends) == 0 else { return nil }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    var pointers = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var process = pid_t()
    let error = posix_spawnp(&process, arguments[0], &actions, nil, &pointers, environ)
    close(ends[1])
    guard error == 0 else {
      close(ends[0])
      return nil
    }
    self.process = process
    descriptor = ends[0]
  }

  /// Waits for a first line; nil if it ends before, or none has come within 20 s.
  func firstLine() -> String? {
    let deadline = Self.now() + 20
    while true {
      if let end = text.firstIndex(of: 10) { return String(decoding: text[..<end], as: UTF8.self) }
      if !waitsForMore(until: deadline) || !readMore() { return nil }
    }
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Whether there is something to read, or its end, before `deadline`.
  private func waitsForMore(until deadline: Double) -> Bool {
    while true {
      let left = deadline - Self.now()
      if left <= 0 { return false }
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let count = poll(&entry, 1, Int32(min(left * 1_000 + 1, 1e6)))
      if count > 0 { return true }
    }
  }

  private func readMore() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 4_096)
    var count = 0
    repeat { count = read(descriptor, &buffer, buffer.count) } while count < 0 && errno == EINTR
    if count > 0 { text += buffer[..<count] }
    return count > 0
  }

  /// Tells it to end, or lets it come to its end; all that it printed, and how it ended. Kills it after `limit` seconds.
  func finish(_ signal: Int32? = nil, within limit: Int? = nil) -> (String, ProcessEnd) {
    if let signal { kill(process, signal) }
    var deadline = limit.map { Self.now() + Double($0) }
    var wasKilled = false
    while true {
      if let end = deadline, !waitsForMore(until: end) {
        // It is not waited for yet, so the number is still its own.
        kill(process, SIGKILL)
        (wasKilled, deadline) = (true, nil)
      }
      if !readMore() { break }
    }
    close(descriptor)
    var status: Int32 = 0
    var usage = rusage()
    while wait4(process, &status, 0, &usage) < 0 && errno == EINTR {}
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return (
      String(decoding: text, as: UTF8.self),
      ProcessEnd(
        status: status, wasKilled: wasKilled, cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime))
    )
  }
}

/// Another client beside the one that is measured, in a thread of its own.
final class Companion {
  private var thread = pthread_t()
  private final class Work: Sendable {
    let arguments: [String]
    let limit: Int
    init(_ arguments: [String], _ limit: Int) { (self.arguments, self.limit) = (arguments, limit) }
  }
  init(_ arguments: [String], within limit: Int) {
    let work = Unmanaged.passRetained(Work(arguments, limit))
    let error = pthread_create(
      &thread, nil,
      { argument in
        let work = Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue()
        _ = Child.output(work.arguments, within: work.limit)
        return nil
      }, work.toOpaque())
    precondition(error == 0, "no thread could be made")
  }
  func join() { pthread_join(thread, nil) }
}
