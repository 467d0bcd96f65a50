// What programs do besides serving: how they end, and what they say.
//
// Law: standard output says what was done; whatever goes wrong is one line on standard error and an exit status in the manner of
// `sysexits(3)`.

import Glibc

/// A command that cannot go on: one line, without the program's name, and the exit status.
package struct CommandFailure: Error {
  package var message: String
  package var status: Int32
  package init(message: String, status: Int32) { (self.message, self.status) = (message, status) }
  package static func usage(_ message: String) -> CommandFailure {
    CommandFailure(message: message, status: 64)
  }
  package static func system(_ message: String) -> CommandFailure {
    CommandFailure(message: message, status: 71)
  }
}

/// Waits for SIGINT or SIGTERM. They are blocked in every thread that is made after `block()`.
package enum EndSignal {
  package static func block() {
    var set = set
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }
  package static func wait() {
    var set = set
    var number: Int32 = 0
    // Blocked, so it stays pending until somebody waits for it.
    while sigwait(&set, &number) != 0 {}
  }
  private static var set: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    sigaddset(&set, SIGTERM)
    return set
  }
}

/// Says a line on standard output at once, also to a pipe.
package func announce(_ line: String) {
  print(line)
  // All streams: the name of the one is no constant to Swift.
  fflush(nil)
}

/// Says on standard error what went wrong.
package func complain(_ program: String, _ message: String) {
  let line = "\(program): \(message)\n"
  _ = line.utf8.withContiguousStorageIfAvailable { write(2, $0.baseAddress, $0.count) }
}
