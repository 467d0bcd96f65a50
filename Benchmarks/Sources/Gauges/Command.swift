// What the commands of the benchmarks have in common: errors of one line, files whole or not at all, the day and the load.

import Foundation

/// What a command ends with, in one line.
public struct Failure: Error, CustomStringConvertible {
  public var description: String
  public init(_ description: String) { self.description = description }
}

/// What is in a file.
public func bytes(of path: String) throws -> [UInt8] {
  guard let data = FileManager.default.contents(atPath: path) else {
    throw Failure("\(path): cannot be read")
  }
  return [UInt8](data)
}

/// Writes a file whole, or not at all.
public func write(_ text: String, _ path: String) throws {
  do { try Data(text.utf8).write(to: URL(filePath: path), options: .atomic) } catch {
    throw Failure("\(path): cannot be written")
  }
}

/// The day, as files and pages have it.
public func today() -> String {
  let formatter = ISO8601DateFormatter()
  formatter.formatOptions = .withFullDate
  return formatter.string(from: Date())
}

/// How busy the machine has been for a minute.
public func loadAverage() -> Double {
  var loads = [0.0]
  return getloadavg(&loads, 1) == 1 ? loads[0] : 0
}
