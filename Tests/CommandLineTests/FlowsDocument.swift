// The report of `softint flows --json`, checked against its published schema before anything is read from it.

import Foundation
import TestSupport
import Testing

struct FlowsDocument: Decodable, Equatable {
  struct Endpoint: Decodable, Equatable {
    var address: String
    var port: Int
  }

  struct Conversation: Decodable, Equatable {
    var `protocol`: String
    var a: Endpoint
    var b: Endpoint
    var packetsAToB: UInt64
    var packetsBToA: UInt64
    var bytesAToB: UInt64
    var bytesBToA: UInt64
    var first: String
    var last: String
  }

  var conversations: [Conversation]
  var skipped: [String: UInt64]

  init(_ text: String) throws {
    let validator = try SchemaValidator(published: "softint.flows-1.schema.json")
    #expect(try validator.findings(in: Data(text.utf8)) == [])
    self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
  }

  /// The frames in conversations and those that were skipped.
  var frames: UInt64 {
    conversations.reduce(0) { $0 + $1.packetsAToB + $1.packetsBToA } + skipped.values.reduce(0, +)
  }

  /// The frames of a capture of the tests.
  static func frames(of capture: String) throws -> UInt64 {
    try FlowsDocument(Softint.run("flows", capture, "--json").output).frames
  }
}
