// As much of JSON Schema 2020-12 as the published schemas use, and not a word more: a keyword that is not
// known here is an error, so no part of a schema is passed over in silence.

import Foundation

struct JSONSchema {
  enum Defect: Error {
    case notAnObject
    case unknownKeyword(String)
    case badKeyword(String)
    case badReference(String)
  }

  private let root: [String: Any]

  init(_ data: Data) throws {
    guard let root = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw Defect.notAnObject
    }
    self.root = root
  }

  /// What is wrong with a value, each with its place; empty if nothing is.
  func violations(in value: Any) throws -> [String] { try check(value, root, at: "$") }

  private func check(_ value: Any, _ schema: [String: Any], at place: String) throws -> [String] {
    var found: [String] = []
    for (keyword, rule) in schema {
      switch keyword {
      case "$schema", "$id", "$defs", "title", "description": break
      case "$ref": found += try check(value, definition(rule), at: place)
      case "type":
        guard let name = rule as? String else { throw Defect.badKeyword(keyword) }
        if !Self.isOf(type: name, value) { found.append("\(place) is no \(name)") }
      case "const": if !Self.equal(value, rule) { found.append("\(place) is not \(rule)") }
      case "enum":
        guard let values = rule as? [Any] else { throw Defect.badKeyword(keyword) }
        if !values.contains(where: { Self.equal(value, $0) }) {
          found.append("\(place) is none of \(values)")
        }
      case "pattern":
        guard let pattern = rule as? String else { throw Defect.badKeyword(keyword) }
        if let text = value as? String, text.range(of: pattern, options: .regularExpression) == nil {
          found.append("\(place) does not match \(pattern)")
        }
      case "minimum", "maximum":
        guard let bound = rule as? NSNumber else { throw Defect.badKeyword(keyword) }
        guard let number = Self.number(value) else { continue }
        let wrong: ComparisonResult = keyword == "minimum" ? .orderedAscending : .orderedDescending
        if number.compare(bound) == wrong { found.append("\(place) is beyond the \(keyword) \(bound)") }
      case "items":
        for (index, item) in ((value as? [Any]) ?? []).enumerated() {
          found += try check(item, object(rule), at: "\(place)[\(index)]")
        }
      case "properties", "required", "additionalProperties", "propertyNames":
        guard let members = value as? [String: Any] else { continue }
        found += try checkMembers(members, keyword, rule, schema, at: place)
      default: throw Defect.unknownKeyword(keyword)
      }
    }
    return found
  }

  private func checkMembers(
    _ members: [String: Any], _ keyword: String, _ rule: Any, _ schema: [String: Any], at place: String
  ) throws -> [String] {
    switch keyword {
    case "properties":
      return try object(rule).flatMap { name, schema in
        try members[name].map { try check($0, object(schema), at: "\(place).\(name)") } ?? []
      }
    case "required":
      guard let names = rule as? [String] else { throw Defect.badKeyword(keyword) }
      return names.filter { members[$0] == nil }.map { "\(place) has no \($0)" }
    case "propertyNames":
      return try members.keys.flatMap { try check($0, object(rule), at: "\(place), name \($0)") }
    default:
      let known = try schema["properties"].map { try object($0) } ?? [:]
      let others = members.filter { known[$0.key] == nil }
      if let allowed = rule as? Bool {
        return allowed ? [] : others.keys.map { "\(place) has a strange \($0)" }
      }
      return try others.flatMap { try check($0.value, object(rule), at: "\(place).\($0.key)") }
    }
  }

  private func object(_ value: Any) throws -> [String: Any] {
    guard let object = value as? [String: Any] else { throw Defect.notAnObject }
    return object
  }

  private func definition(_ reference: Any) throws -> [String: Any] {
    let prefix = "#/$defs/"
    guard let text = reference as? String, text.hasPrefix(prefix),
      let definitions = root["$defs"] as? [String: Any],
      let found = definitions[String(text.dropFirst(prefix.count))] as? [String: Any]
    else { throw Defect.badReference("\(reference)") }
    return found
  }

  /// The number that a value is, which `true` is not.
  private static func number(_ value: Any) -> NSNumber? {
    guard let number = value as? NSNumber, !(value is Bool) || String(cString: number.objCType) != "c" else {
      return nil
    }
    return number
  }

  private static func isOf(type: String, _ value: Any) -> Bool {
    switch type {
    case "object": value is [String: Any]
    case "array": value is [Any]
    case "string": value is String
    case "integer": number(value).map { $0.doubleValue == $0.doubleValue.rounded() } ?? false
    case "number": number(value) != nil
    case "boolean": value is Bool && number(value) == nil
    default: false
    }
  }

  private static func equal(_ left: Any, _ right: Any) -> Bool { (left as? NSObject) == (right as? NSObject) }
}
