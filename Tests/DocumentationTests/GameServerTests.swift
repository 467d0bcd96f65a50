// The game server's demonstration prints what its page says, and its errors are one line with the right status.
//
// Invariant: the demonstration follows counts, so one run on one CPU and one on several are held against the same lines.

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
}
