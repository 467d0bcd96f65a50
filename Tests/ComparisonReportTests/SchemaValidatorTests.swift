// The validator is the judge of the published schemas, so it is itself held to documents that it must refuse.

import Foundation
import TestSupport
import Testing

@Suite("The schema validator")
struct SchemaValidatorTests {
  private static let schema = """
    {"type":"object","additionalProperties":false,"required":["name"],
     "properties":{
       "name":{"type":"string","minLength":1,"pattern":"^[a-z]+$"},
       "kind":{"enum":["a","b",null]},"fixed":{"const":true},
       "whole":{"type":"integer","minimum":0,"maximum":10},"number":{"type":"number"},
       "list":{"type":"array","items":{"$ref":"#/$defs/pair"},"minItems":1,"maxItems":2},
       "either":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/pair"}]},
       "free":{"type":"object","additionalProperties":{"type":"integer"}},
       "names":{"propertyNames":{"enum":["p","q"]}}},
     "$defs":{"pair":{"type":"object","required":["x"],"properties":{"x":{"type":"number"}}}}}
    """

  private func findings(_ document: String, schema: String = schema) throws -> [SchemaValidator.Finding] {
    try SchemaValidator(schema: Data(schema.utf8)).findings(in: Data(document.utf8))
  }

  @Test(
    "accepts what the schema allows",
    arguments: [
      #"{"name":"x"}"#,
      #"{"name":"x","kind":"a","fixed":true,"whole":3,"number":1.5}"#,
      #"{"name":"x","kind":null,"list":[{"x":1},{"x":2.5,"y":0}],"either":null}"#,
      #"{"name":"x","either":{"x":0},"whole":10,"free":{"any":1,"thing":2},"names":{"q":0}}"#,
    ])
  func accepts(document: String) throws {
    #expect(try findings(document) == [])
  }

  @Test(
    "refuses what the schema forbids, and says where",
    arguments: [
      ("[]", ""), ("{}", ""), (#"{"name":""}"#, "/name"), (#"{"name":"X"}"#, "/name"),
      (#"{"name":1}"#, "/name"),
      (#"{"name":"x","more":1}"#, ""), (#"{"name":"x","kind":"c"}"#, "/kind"),
      (#"{"name":"x","fixed":false}"#, "/fixed"), (#"{"name":"x","fixed":1}"#, "/fixed"),
      (#"{"name":"x","whole":1.5}"#, "/whole"), (#"{"name":"x","whole":-1}"#, "/whole"),
      (#"{"name":"x","whole":11}"#, "/whole"), (#"{"name":"x","whole":true}"#, "/whole"),
      (#"{"name":"x","number":"1"}"#, "/number"), (#"{"name":"x","number":false}"#, "/number"),
      (#"{"name":"x","list":[]}"#, "/list"), (#"{"name":"x","list":[{"x":1},{"x":1},{"x":1}]}"#, "/list"),
      (#"{"name":"x","list":[{"x":1},{}]}"#, "/list/1"), (#"{"name":"x","either":{}}"#, "/either"),
      (#"{"name":"x","free":{"any":"1"}}"#, "/free/any"), (#"{"name":"x","names":{"r":0}}"#, "/names/r"),
    ])
  func refuses(document: String, place: String) throws {
    #expect(try findings(document).contains { $0.place == place })
  }

  @Test("refuses a schema with a keyword or reference that it cannot check")
  func refusesUnknownKeywords() throws {
    #expect(try !findings("1", schema: #"{"multipleOf":2}"#).isEmpty)
    #expect(try !findings("1", schema: ##"{"$ref":"#/$defs/none"}"##).isEmpty)
    #expect(try !findings("1", schema: #"{"type":"whatever"}"#).isEmpty)
    #expect(try !findings("1", schema: "[]").isEmpty)
  }
}
