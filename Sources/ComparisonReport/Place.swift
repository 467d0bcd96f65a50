// Reading a file of figures: each node with its place, so that what is wrong is said in one line, and the machine that every such file names.
//
// Law: nothing is taken that is not what its reader asked for.

/// What is wrong with a file of benchmarks, in one line.
public struct BenchmarkFileError: Error, Sendable, CustomStringConvertible {
  public var description: String
}

/// A node with its place, for what is said of it.
struct Place {
  let node: JSONNode
  let path: String
  init(_ node: JSONNode, _ path: String) {
    self.node = node
    self.path = path
  }

  /// The root of a file.
  ///
  /// - Throws: one line if it is no JSON, or of another schema; `command` makes such files.
  init(json bytes: [UInt8], schema: String, by command: String) throws(BenchmarkFileError) {
    do throws(JSONDefect) { node = try JSONText.read(bytes) } catch {
      throw BenchmarkFileError(
        description: "no JSON: line \(error.line), column \(error.column): \(error.problem)")
    }
    path = ""
    guard node["schema"]?.string == schema else {
      throw BenchmarkFileError(
        description: "/schema is not \"\(schema)\"; make the file with \(command) --json")
    }
  }

  private func wrong(_ name: String, _ what: String) -> BenchmarkFileError {
    BenchmarkFileError(description: "\(path)/\(name) is not \(what)")
  }
  /// A member; null if it is not there, so that what is missing in it is said with its place.
  func member(_ name: String) -> Place {
    Place(node[name] ?? JSONNode(value: .null, line: node.line), "\(path)/\(name)")
  }
  func text(_ name: String) throws(BenchmarkFileError) -> String {
    guard let text = node[name]?.string else { throw wrong(name, "a string") }
    return text
  }
  func number(_ name: String) throws(BenchmarkFileError) -> Double {
    guard let number = node[name]?.double else { throw wrong(name, "a number") }
    return number
  }
  func flag(_ name: String) throws(BenchmarkFileError) -> Bool {
    guard case .bool(let flag)? = node[name]?.value else { throw wrong(name, "true or false") }
    return flag
  }
  func list(_ name: String) throws(BenchmarkFileError) -> [Place] {
    guard case .array(let nodes)? = node[name]?.value else { throw wrong(name, "an array") }
    return nodes.enumerated().map { Place($1, "\(path)/\(name)/\($0)") }
  }
}

extension BenchmarkReport.Machine {
  var jsonValue: JSONValue {
    .object([
      ("cpu", .string(cpu)), ("os", .string(os)), ("processors", .integer(processors)),
      ("load", .number(load)),
    ])
  }

  init(_ node: Place) throws(BenchmarkFileError) {
    self.init(
      cpu: try node.text("cpu"), os: try node.text("os"), processors: Int(try node.number("processors")),
      load: try node.number("load"))
  }
}
