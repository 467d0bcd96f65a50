// A file of measured costs, schema softint.costs/1: what `micro costs --json` writes and `softint simulate` predicts by.
//
// Invariant: names and figures only; who uses them says which it needs. Every figure is a duration of at most a second.

/// The figures of a cost file.
public struct CostFile: Sendable, Equatable {
  /// The schema that is read.
  public static let schema = "softint.costs/1"

  /// The processor and the system that were measured, when, and by which command.
  public var cpu = ""
  /// The operating system that it was measured under.
  public var os = ""
  /// When it was measured.
  public var date = ""
  /// With which command it was measured.
  public var command = ""
  /// Of the machine's operations and of the stages, in nanoseconds, by name.
  public var costs: [String: Double] = [:]
  /// What each stage of the flow meter costs, by name, in nanoseconds.
  public var stages: [String: Double] = [:]

  /// A file that says nothing.
  public init() {}

  /// Reads a file's bytes.
  ///
  /// - Throws: ``CostFileError`` with one line that says where the file is wrong.
  public init(json bytes: [UInt8]) throws(CostFileError) {
    let document: JSONNode
    do throws(JSONDefect) { document = try JSONText.read(bytes) } catch {
      throw CostFileError(
        description: "no JSON: line \(error.line), column \(error.column): \(error.problem)")
    }
    guard document["schema"]?.string == Self.schema else {
      throw CostFileError(
        description: "/schema is not \"\(Self.schema)\"; make the file with micro costs --json")
    }
    func text(_ value: JSONNode?, _ place: String) throws(CostFileError) -> String {
      guard let text = value?.string else { throw CostFileError(description: "\(place) is not a string") }
      return text
    }
    cpu = try text(document["machine"]?["cpu"], "/machine/cpu")
    os = try text(document["machine"]?["os"], "/machine/os")
    date = try text(document["date"], "/date")
    command = try text(document["command"], "/command")
    costs = try Self.figures(document["costs"], "/costs")
    stages = try Self.figures(document["stages"], "/stages")
  }

  private static func figures(_ value: JSONNode?, _ place: String) throws(CostFileError) -> [String: Double] {
    guard case .object(let members)? = value?.value else {
      throw CostFileError(description: "\(place) is not an object")
    }
    var figures: [String: Double] = [:]
    for (name, figure) in members {
      guard let nanoseconds = figure["nanoseconds"]?.double, nanoseconds >= 0, nanoseconds <= 1e9 else {
        throw CostFileError(description: "\(place)/\(name)/nanoseconds is not a number from 0 to 1000000000")
      }
      figures[name] = nanoseconds
    }
    return figures
  }

  /// A figure by its name.
  ///
  /// - Throws: ``CostFileError`` if the file has none of that name.
  public func cost(_ name: String) throws(CostFileError) -> Double {
    guard let value = costs[name] else { throw CostFileError(description: "/costs/\(name) is missing") }
    return value
  }
  /// The same of a stage.
  public func stage(_ name: String) throws(CostFileError) -> Double {
    guard let value = stages[name] else { throw CostFileError(description: "/stages/\(name) is missing") }
    return value
  }
}

/// What is wrong with a cost file, in one line.
public struct CostFileError: Error, Sendable, CustomStringConvertible {
  public var description: String
}
