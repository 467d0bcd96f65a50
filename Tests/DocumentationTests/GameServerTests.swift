// The game server's demonstration prints what its page says, and its errors are one line with the right status.
//
// Invariant: the demonstration follows counts, so one run on one CPU and one on several are held against the same lines.

import Foundation
import Testing

@Suite("The game server")
struct GameServerTests {
  static func shown() throws -> String {
    try ReadmeTests.block(
      after: "<!-- game-output -->", in: ReadmeTests.text("Examples/GameServer/README.md"))
  }

  @Test("the demonstration prints what the page says", arguments: ["1", "2", "3"])
  func demonstration(_ cpus: String) throws {
    try ReadmeTests.compare("game-server", "--demo", "--cpus", cpus, with: Self.shown())
  }

  @Test("a log that cannot be made or written ends it with one line and the status that the help says")
  func errors() throws {
    try ReadmeTests.compare(
      "game-server", "--demo", "--log", "/nowhere/game.log", with: "",
      complaint: "game-server: /nowhere/game.log cannot be written: No such file or directory\n", status: 73)
    try ReadmeTests.compare(
      "game-server", "--demo", "--log", "/dev/full", with: Self.shown(),
      complaint: "game-server: /dev/full: No space left on device\n", status: 74)
    try ReadmeTests.compare(
      "game-server", "--port", "x", with: "",
      complaint: "game-server: --port takes a number from 0 to 65535; see --help\n", status: 64)
  }

  /// A server that listens: the process, what it prints from then on, and its port.
  private static func started(_ arguments: String...) throws -> (Process, FileHandle, port: String) {
    let server = Process()
    server.executableURL = ReadmeTests.program("game-server")
    server.arguments = ["--port", "0"] + arguments
    let output = Pipe()
    server.standardOutput = output
    try server.run()
    // The line is one write, so it is there whole.
    let first = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    let port = try #require(first.wholeMatch(of: /listening on 127.0.0.1:(\d+)\n/)).1
    return (server, output.fileHandleForReading, String(port))
  }

  /// Three bots of five moves each, to their end.
  private static func play(_ port: String) throws {
    let bots = try ReadmeTests.output(
      of: "game-server", ["--connect", "127.0.0.1", "--port", port, "--bots", "3", "--moves", "5"])
    #expect(bots.status == 0 && bots.text.hasPrefix("bots: "))
  }

  /// Ends a server by Ctrl-C; what it prints last.
  private static func interrupt(_ server: Process, _ output: FileHandle) throws -> String {
    kill(server.processIdentifier, SIGINT)
    let rest = String(decoding: try output.readToEnd() ?? Data(), as: UTF8.self)
    server.waitUntilExit()
    #expect(server.terminationStatus == 0 && server.terminationReason == .exit)
    #expect(rest.hasSuffix("everything ran: true\n"), "\(rest)")
    return rest
  }

  @Test("who is refused goes, and nobody waits for him")
  func refused() throws {
    let (server, output, port) = try Self.started("--max-clients", "1")
    defer { if server.isRunning { server.terminate() } }
    try Self.play(port)
    let rest = try Self.interrupt(server, output)
    // Who is answered late asks again, and is refused again.
    let counts = try #require(
      rest.prefixMatch(of: /1 joined, 1 left, 0 timed out, (\d+) refused; 5 moves\n/), "\(rest)")
    #expect(Int(counts.1)! >= 2)
  }

  @Test("Ctrl-C ends it in order, with players on it; a second server on its port is told so")
  func interrupted() throws {
    let (server, output, port) = try Self.started()
    defer { if server.isRunning { server.terminate() } }
    try Self.play(port)
    try ReadmeTests.compare(
      "game-server", "--port", port, with: "",
      complaint: "game-server: 127.0.0.1:\(port) cannot be bound: Address already in use\n", status: 69)

    let rest = try Self.interrupt(server, output)
    #expect(rest.hasPrefix("3 joined, 3 left, 0 timed out, 0 refused; 15 moves\n"), "\(rest)")
  }
}
