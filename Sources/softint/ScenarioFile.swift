// Scenarios to explore: files, standard input, or those that are part of the program.

import CBundledScenarios
import Glibc
import Scenarios

struct ScenarioFile {
  /// What errors and results call it.
  var name: String
  var text: [UInt8]

  /// A scenario by the word that names it: `-`, a file, or, where the word is no path, a bundled one.
  init(_ word: String) throws(CommandFailure) {
    let isPlain = !word.contains("/")
    if word == "-" {
      self.init(name: "standard input", text: try Self.read(descriptor: STDIN_FILENO, "standard input"))
    } else if isPlain, !word.hasSuffix(".json"), let bundled = Self.bundled(word) {
      self = bundled
    } else if isPlain, access(word, F_OK) != 0, let bundled = Self.bundled(word) {
      self = bundled
    } else {
      let hint = isPlain ? "; softint explore --list names the scenarios that are part of the program" : ""
      self.init(name: word, text: try Self.contents(word, hint: hint))
    }
  }

  private init(name: String, text: [UInt8]) { (self.name, self.text) = (name, text) }

  /// The scenario that it is.
  func scenario() throws(CommandFailure) -> Scenario {
    do throws(ScenarioError) {
      return try Scenario(text, file: name)
    } catch { throw CommandFailure(message: error.description, status: ExitStatus.data) }
  }

  /// The scenarios that are part of the program, by name.
  static var bundled: [ScenarioFile] {
    (0..<cbundledscenarios_count()).map { index in
      let entry = cbundledscenarios_at(index)
      // The bytes are constants of the program.
      let bytes = UnsafeBufferPointer(start: entry.text, count: entry.length)
      return ScenarioFile(name: String(cString: entry.name), text: Array(bytes))
    }
  }

  private static func bundled(_ word: String) -> ScenarioFile? {
    let name = word.hasSuffix(".json") ? String(word.dropLast(5)) : word
    return bundled.first { $0.name == name }
  }

  /// What a file holds.
  static func contents(_ path: String, hint: String = "") throws(CommandFailure) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw CommandFailure(
        message: "\(path): \(String(cString: strerror(errno)))\(hint)", status: ExitStatus.noInput)
    }
    defer { close(descriptor) }
    return try read(descriptor: descriptor, path)
  }

  private static func read(descriptor: Int32, _ name: String) throws(CommandFailure) -> [UInt8] {
    var text: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    // A little beyond what a scenario may be: its reader says that it is too long.
    while text.count <= Scenario.longest {
      let count = Glibc.read(descriptor, &piece, piece.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw CommandFailure(
          message: "\(name): \(String(cString: strerror(errno)))", status: ExitStatus.noInput)
      }
      if count == 0 { break }
      text += piece[..<count]
    }
    return text
  }
}
