// Other programs: run to their end, or run until they are told to end; with what they printed.
//
// Law: every process that is started here is waited for here.

import Glibc

enum Child {
  /// Runs a program of the PATH; nil if it cannot be run or fails.
  static func output(_ arguments: [String]) -> String? {
    guard let server = Server(arguments) else { return nil }
    let (text, end) = server.finish()
    return end.status == 0 ? text : nil
  }

  static func isInstalled(_ program: String) -> Bool { output(["which", program]) != nil }
}

/// How a process ended.
struct ProcessEnd {
  var status: Int32
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

  /// Waits for a first line; nil if it ends before.
  func firstLine() -> String? {
    while true {
      if let end = text.firstIndex(of: 10) { return String(decoding: text[..<end], as: UTF8.self) }
      if !readMore() { return nil }
    }
  }

  private func readMore() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 4_096)
    var count = 0
    repeat { count = read(descriptor, &buffer, buffer.count) } while count < 0 && errno == EINTR
    if count > 0 { text += buffer[..<count] }
    return count > 0
  }

  /// Tells it to end, or lets it come to its end; all that it printed, and how it ended.
  func finish(_ signal: Int32? = nil) -> (String, ProcessEnd) {
    if let signal { kill(process, signal) }
    while readMore() {}
    close(descriptor)
    var status: Int32 = 0
    var usage = rusage()
    while wait4(process, &status, 0, &usage) < 0 && errno == EINTR {}
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return (
      String(decoding: text, as: UTF8.self),
      ProcessEnd(status: status, cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime))
    )
  }
}

/// Another client beside the one that is measured, in a thread of its own.
final class Companion {
  private var thread = pthread_t()
  private final class Work: Sendable {
    let arguments: [String]
    init(_ arguments: [String]) { self.arguments = arguments }
  }
  init(_ arguments: [String]) {
    let work = Unmanaged.passRetained(Work(arguments))
    let error = pthread_create(
      &thread, nil,
      { argument in
        _ = Child.output(Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue().arguments)
        return nil
      }, work.toOpaque())
    precondition(error == 0, "no thread could be made")
  }
  func join() { pthread_join(thread, nil) }
}
