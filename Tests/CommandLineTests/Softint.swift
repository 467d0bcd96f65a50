// Runs the built program as a user does: arguments, standard input, what it printed, how it ended.

import Foundation
import TestSupport
import Testing

/// One run of the program that has ended.
struct Run {
  var status: Int32
  var output: String
  var errors: String
}

enum Softint {
  /// The program, which lies beside the bundle of the tests.
  static let program: URL = {
    var place = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    for bundle in Bundle.allBundles where bundle.bundlePath.hasSuffix(".xctest") { place = bundle.bundleURL }
    return place.deletingLastPathComponent().appending(path: "softint")
  }()

  /// Starts the program.
  ///
  /// - Parameters:
  ///   - input: the file that is its standard input; an empty one by default.
  ///   - environment: variables to set; without NO_COLOR and TERM otherwise.
  static func start(
    _ arguments: [String], input: String = "/dev/null", environment: [String: String] = [:]
  ) throws -> RunningProgram {
    try RunningProgram(program, arguments, input: input, environment: environment)
  }

  /// Runs the program to its end.
  static func run(
    _ arguments: String..., input: String = "/dev/null", environment: [String: String] = [:]
  ) throws -> Run {
    try start(arguments, input: input, environment: environment).end()
  }

  /// Runs a line of shell, in which `softint` is the program, to its end.
  static func shell(_ line: String) throws -> Run {
    let script = "softint() { \"$SOFTINT\" \"$@\"; }\n" + line
    return try RunningProgram(
      URL(filePath: "/bin/bash"), ["-c", script], input: "/dev/null",
      environment: ["SOFTINT": program.path]
    ).end()
  }
}

/// A program at work. What it prints goes to files, so that no pipe can fill up and stop it.
final class RunningProgram {
  private let process = Process()
  private let directory: TemporaryDirectory

  init(_ program: URL, _ arguments: [String], input: String, environment: [String: String]) throws {
    directory = try TemporaryDirectory()
    process.executableURL = program
    process.arguments = arguments
    var variables = ProcessInfo.processInfo.environment
    variables["NO_COLOR"] = nil
    variables["TERM"] = nil
    process.environment = variables.merging(environment) { $1 }
    process.currentDirectoryURL = repositoryFile("Tests/Captures")
    process.standardInput = try FileHandle(forReadingFrom: URL(filePath: input))
    process.standardOutput = try Self.create(directory.file("output"))
    process.standardError = try Self.create(directory.file("errors"))
    try process.run()
  }

  /// What it has said on standard error so far.
  var errorsSoFar: String { (try? contents("errors")) ?? "" }

  var isRunning: Bool { process.isRunning }

  /// Sends a signal.
  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Waits until it ends. A program that a signal killed has the status of a shell, 128 and the signal.
  func end() throws -> Run {
    process.waitUntilExit()
    let killed = process.terminationReason == .uncaughtSignal
    return Run(
      status: process.terminationStatus + (killed ? 128 : 0), output: try contents("output"),
      errors: try contents("errors"))
  }

  private func contents(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(filePath: directory.file(name))), as: UTF8.self)
  }

  private static func create(_ path: String) throws -> FileHandle {
    try Data().write(to: URL(filePath: path))
    return try FileHandle(forWritingTo: URL(filePath: path))
  }
}
