// What the program shows on a terminal and nowhere else: colour, and progress on one line.

import Foundation
import Testing

/// A pseudo-terminal whose far end is read to the end, as a person would.
private final class Terminal {
  private let near: Int32
  private let far: Int32

  init() throws {
    near = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    // As unlockpt and ptsname do, which are not imported (pts(4), ioctl_tty(2)): TIOCSPTLCK, TIOCGPTN.
    var isLocked: Int32 = 0
    var number: UInt32 = 0
    try #require(ioctl(near, 0x4004_5431, &isLocked) == 0 && ioctl(near, 0x8004_5430, &number) == 0)
    far = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
    try #require(far >= 0)
    var size = winsize(ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(far, UInt(TIOCSWINSZ), &size)
  }

  /// Runs the program with its output and errors on the terminal; what it has shown.
  func run(_ arguments: [String], environment: [String: String]) throws -> (status: Int32, text: String) {
    let process = Process()
    process.executableURL = Softint.program
    process.arguments = arguments
    var variables = ProcessInfo.processInfo.environment
    for name in ["NO_COLOR", "TERM"] { variables[name] = nil }
    process.environment = variables.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(fileDescriptor: far, closeOnDealloc: false)
    process.standardError = FileHandle(fileDescriptor: far, closeOnDealloc: false)
    try process.run()
    // Once the program's copies are closed too, reading ends with an error (Linux) instead of an end of file.
    close(far)
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4_096)
    while case let count = read(near, &chunk, chunk.count), count > 0 { bytes += chunk[0..<count] }
    close(near)
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
  }
}

@Suite("On a terminal", .serialized)
struct TerminalTests {
  private static let short = [
    "compare", "--disciplines", "oneCPU,ordered", "--idle", "poll", "--seconds", "1",
  ]

  @Test("The table has colour, and progress stays on one line that is taken away")
  func colour() throws {
    let (status, text) = try Terminal().run(Self.short, environment: ["TERM": "xterm"])
    #expect(status == 0)
    #expect(text.contains("\u{1B}[") && text.contains("ordered"))
    let progress = try #require(text.firstMatch(of: /\r[0-9]+ % [^\r\n]+/))
    // Nothing of it is left before the table: the line was written over with blanks.
    let table = try #require(text.range(of: "bundled capture"))
    #expect(progress.range.upperBound < table.lowerBound)
    #expect(text[..<table.lowerBound].firstMatch(of: /\r +\r/) != nil)
    #expect(!text[..<table.lowerBound].contains("\n"))
  }

  @Test(
    "NO_COLOR, or a terminal that can nothing: the same table without escape codes",
    arguments: [["TERM": "xterm", "NO_COLOR": "1"], ["TERM": "dumb"]])
  func plain(_ environment: [String: String]) throws {
    let (status, text) = try Terminal().run(Self.short, environment: environment)
    #expect(status == 0)
    #expect(!text.contains("\u{1B}") && text.contains("bundled capture"))
  }
}
