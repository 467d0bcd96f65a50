// What is wrong with a scenario: where, and what to do.

/// A scenario that cannot be read.
public struct ScenarioError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file, as its caller names it.
  public var file: String
  /// The line of the file; 0 if the error is of no line.
  public var line: Int
  /// Where in the document: `$.handlers[1].steps[0].raise`. Empty if the text is no JSON.
  public var path: String
  public var problem: String

  public var description: String {
    let place = line > 0 ? "\(file):\(line)" : file
    return path.isEmpty ? "\(place): \(problem)" : "\(place): \(path): \(problem)"
  }
}
