// A validator for the part of JSON Schema 2020-12 that the published schemas use, so that they are checked where
// nothing but Swift is installed.
//
// Invariant: a keyword that it does not know is an error of the schema, never ignored; so a schema cannot be made
// stricter without the tests noticing that nobody checks it.

import Foundation

/// Checks JSON documents against a schema.
package struct SchemaValidator {
  /// One way in which a document is not what the schema says.
  package struct Finding: CustomStringConvertible, Equatable {
    /// Where, as a JSON pointer.
    package let place: String
    package let problem: String
    package var description: String { "\(place.isEmpty ? "/" : place): \(problem)" }
  }

  private let root: [String: Any]

  /// A validator for the text of a schema.
  package init(schema: Data) throws {
    root = try JSONSerialization.jsonObject(with: schema) as? [String: Any] ?? ["type": "nothing"]
  }

  /// A validator for a schema that this repository publishes.
  package init(published name: String) throws {
    try self.init(schema: Data(contentsOf: repositoryFile("Documentation/Schemas/\(name)")))
  }

  /// Everything that is wrong with a document; empty if it is valid.
  package func findings(in document: Data) throws -> [Finding] {
    let value = try JSONSerialization.jsonObject(with: document, options: .fragmentsAllowed)
    return check(value, root, at: "")
  }

  private static let annotations: Set<String> = ["$schema", "$id", "$defs", "title", "description"]

  private func check(_ value: Any, _ schema: [String: Any], at place: String) -> [Finding] {
    var findings: [Finding] = []
    for (keyword, argument) in schema where !SchemaValidator.annotations.contains(keyword) {
      findings += check(value, keyword, argument, of: schema, at: place)
    }
    return findings
  }

  private func check(
    _ value: Any, _ keyword: String, _ argument: Any, of schema: [String: Any], at place: String
  ) -> [Finding] {
    func finding(_ problem: String) -> [Finding] { [Finding(place: place, problem: problem)] }
    let object = value as? [String: Any]
    let array = value as? [Any]
    // A keyword for one type says nothing about values of the others.
    switch (keyword, argument) {
    case ("type", let name as String):
      return has(value, type: name) ? [] : finding("is not of type \(name)")
    case ("const", _):
      return equal(value, argument) ? [] : finding("is not \(argument)")
    case ("enum", let values as [Any]):
      return values.contains { equal(value, $0) } ? [] : finding("is none of \(values)")
    case ("minimum", let least as NSNumber):
      guard has(value, type: "number"), let number = value as? NSNumber else { return [] }
      return number.doubleValue >= least.doubleValue ? [] : finding("is below \(least)")
    case ("maximum", let most as NSNumber):
      guard has(value, type: "number"), let number = value as? NSNumber else { return [] }
      return number.doubleValue <= most.doubleValue ? [] : finding("is above \(most)")
    case ("minLength", let least as Int):
      guard let string = value as? String else { return [] }
      return string.unicodeScalars.count >= least ? [] : finding("is shorter than \(least)")
    case ("pattern", let pattern as String):
      guard let string = value as? String else { return [] }
      return string.range(of: pattern, options: .regularExpression) != nil
        ? [] : finding("does not match \(pattern)")
    case ("minItems", let least as Int):
      return array.map { $0.count >= least } ?? true ? [] : finding("has fewer than \(least) items")
    case ("maxItems", let most as Int):
      return array.map { $0.count <= most } ?? true ? [] : finding("has more than \(most) items")
    case ("items", let items as [String: Any]):
      return (array ?? []).enumerated().flatMap { check($1, items, at: "\(place)/\($0)") }
    case ("required", let names as [String]):
      guard let object else { return [] }
      return names.filter { object[$0] == nil }.flatMap { finding("lacks \($0)") }
    case ("properties", let properties as [String: [String: Any]]):
      return (object ?? [:]).flatMap { name, member in
        properties[name].map { check(member, $0, at: "\(place)/\(name)") } ?? []
      }
    case ("propertyNames", let names as [String: Any]):
      return (object ?? [:]).keys.flatMap { check($0, names, at: "\(place)/\($0)") }
    case ("additionalProperties", let rest):
      let named = schema["properties"] as? [String: Any] ?? [:]
      return (object ?? [:]).filter { named[$0.key] == nil }.flatMap { name, member -> [Finding] in
        // JSONSerialization gives booleans and dictionaries alike as Any; the order of these casts tells them apart.
        if let schema = rest as? [String: Any] { return check(member, schema, at: "\(place)/\(name)") }
        return (rest as? Bool) == true ? [] : finding("has the unknown member \(name)")
      }
    case ("anyOf", let choices as [[String: Any]]):
      let outcomes = choices.map { check(value, $0, at: place) }
      if outcomes.contains(where: \.isEmpty) { return [] }
      return finding("fits no choice") + (outcomes.min { $0.count < $1.count } ?? [])
    case ("$ref", let reference as String):
      guard let target = resolve(reference) else { return finding("schema refers to nothing: \(reference)") }
      return check(value, target, at: place)
    default:
      return finding("schema uses \(keyword) in a way that is not checked")
    }
  }

  private func resolve(_ reference: String) -> [String: Any]? {
    guard reference.hasPrefix("#/$defs/") else { return nil }
    return (root["$defs"] as? [String: Any])?[String(reference.dropFirst("#/$defs/".count))] as? [String: Any]
  }

  private func has(_ value: Any, type: String) -> Bool {
    switch type {
    case "null": return value is NSNull
    case "string": return value is String
    case "array": return value is [Any]
    case "object": return value is [String: Any]
    case "boolean": return isBoolean(value)
    case "number": return value is NSNumber && !isBoolean(value)
    case "integer":
      guard let number = value as? NSNumber, !isBoolean(value) else { return false }
      return number.doubleValue.rounded() == number.doubleValue
    default: return false
    }
  }

  /// Foundation's numbers answer to Bool as well; their storage type tells.
  private func isBoolean(_ value: Any) -> Bool {
    guard let number = value as? NSNumber else { return false }
    return String(cString: number.objCType) == "c" || String(cString: number.objCType) == "B"
  }

  private func equal(_ left: Any, _ right: Any) -> Bool {
    guard isBoolean(left) == isBoolean(right) else { return false }
    switch (left, right) {
    case (let left as String, let right as String): return left == right
    case (is NSNull, is NSNull): return true
    case (let left as NSNumber, let right as NSNumber): return left == right
    default: return false
    }
  }
}
