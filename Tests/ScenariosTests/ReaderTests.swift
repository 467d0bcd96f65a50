// What the reader refuses: each with the place in the document and a word on what to do. And what no text may do: trap or hang.

import Exploration
import Foundation
import Scenarios
import Testing

/// A scenario with something wrong, and where.
struct WrongForm: Sendable, CustomStringConvertible {
  var text: String
  var path: String
  var says: String
  var description: String { "\(path): \(says)" }

  /// A small scenario with some more members.
  init(_ members: String, at path: String, _ says: String) {
    text = "{\"scenario\": \"softint.scenario/1\", \"name\": \"n\", \"cpus\": 2, \(members)}"
    (self.path, self.says) = (path, says)
  }

  /// One with a handler "net", data "d", a callout "t", and these steps of base code.
  init(steps: String, at path: String, _ says: String) {
    self.init(
      """
      "data": [{"name": "d"}, {"name": "c", "perCPU": "softNet"}],
      "handlers": [{"name": "net", "level": "softNet", "steps": []}],
      "callouts": [{"name": "t", "level": "softClock", "steps": []}],
      "base": [{"cpu": 0, "steps": [\(steps)]}]
      """, at: "$.base[0].steps" + path, says)
  }
}

enum Wrong {
  /// Wrong in form: a schema sees it too.
  static let forms: [WrongForm] = [
    WrongForm("\"cups\": 2", at: "$.cups", "there is no such key"),
    WrongForm("\"recognition\": \"nowhere\"", at: "$.recognition", "one of points, anywhere"),
    WrongForm("\"data\": {}", at: "$.data", "an array is wanted"),
    WrongForm("\"data\": [{}]", at: "$.data[0]", "the key \"name\" is missing"),
    WrongForm("\"data\": [{\"name\": \"a/b\"}]", at: "$.data[0].name", "letters, digits"),
    WrongForm(
      "\"data\": [{\"name\": \"d\", \"guard\": \"softnet\"}]", at: "$.data[0].guard", "one of none, softClock"
    ),
    WrongForm("\"data\": [{\"name\": \"d\", \"value\": 1.5}]", at: "$.data[0].value", "a whole number"),
    WrongForm(
      "\"handlers\": [{\"name\": \"h\", \"level\": \"none\", \"steps\": []}]", at: "$.handlers[0].level",
      "one of softClock"),
    WrongForm("\"configuration\": {\"patience\": 0}", at: "$.configuration.patience", "from 1 to"),
    WrongForm("\"strategy\": {\"kind\": \"all\"}", at: "$.strategy.kind", "one of exhaustive"),
    WrongForm("\"expect\": {\"verdict\": \"maybe\"}", at: "$.expect.verdict", "one of holds, violation"),
    WrongForm("\"expect\": {\"verdict\": \"violation\", \"rule\": \"race\"}", at: "$.expect.rule", "no rule"),
    WrongForm(
      "\"expect\": {\"verdict\": \"holds\", \"rule\": \"deadlock\"}", at: "$.expect.rule",
      "by a violation only"),
    WrongForm(
      "\"expectUnder\": {\"threads\": {\"verdict\": \"holds\"}}", at: "$.expectUnder.threads", "no such key"),
    WrongForm(steps: "{}", at: "[0]", "a step has one of the keys read, write"),
    WrongForm(steps: "{\"read\": \"d\", \"write\": \"d\"}", at: "[0].write", "there is no such key here"),
    WrongForm(steps: "{\"raise\": \"softNet\"}", at: "[0]", "the key \"steps\" is missing"),
    WrongForm(steps: "{\"raise\": 3, \"steps\": []}", at: "[0].raise", "one of none"),
    WrongForm(
      steps: "{\"raise\": \"softNet\", \"steps\": [{\"point\": false}]}", at: "[0].steps[0].point",
      "true is wanted"),
    WrongForm(steps: "{\"point\": true}, 7", at: "[1]", "an object is wanted"),
    WrongForm(steps: "{\"arm\": \"t\", \"after\": -1}", at: "[0].after", "from 0"),
    WrongForm(steps: "{\"call\": 1, \"at\": \"none\", \"steps\": []}", at: "[0].at", "one of softClock"),
    WrongForm(steps: "{\"repeat\": 0, \"steps\": []}", at: "[0].repeat", "from 1"),
  ]

  /// Wrong in what it means.
  static let meanings: [WrongForm] = [
    WrongForm("\"base\": [{\"cpu\": 2, \"steps\": []}]", at: "$.base[0].cpu", "from 0 to 1"),
    WrongForm(
      "\"data\": [{\"name\": \"d\"}], \"locks\": [{\"name\": \"d\"}]", at: "$.locks[0].name",
      "is data already"),
    WrongForm(
      "\"callouts\": [{\"name\": \"t\", \"level\": \"softNet\", \"guard\": \"softClock\", \"steps\": []}]",
      at: "$.callouts[0].guard", "one of softNet"),
    WrongForm(
      "\"memory\": \"rc11\", \"strategy\": {\"kind\": \"exhaustive\", \"preemptions\": 2}",
      at: "$.strategy.preemptions",
      "takes no bound"),
    WrongForm(steps: "{\"read\": \"x\"}", at: "[0].read", "no data of this name"),
    WrongForm(steps: "{\"read\": \"c\"}", at: "[0].read", "inside of its \"open\""),
    WrongForm(steps: "{\"write\": \"d\", \"value\": \"v\"}", at: "[0].value", "no name that an earlier step"),
    WrongForm(steps: "{\"expect\": \"d\"}", at: "[0].expect", "compared by one of the keys is"),
    WrongForm(steps: "{\"schedule\": \"t\"}", at: "[0].schedule", "no handler of this name"),
    WrongForm(steps: "{\"schedule\": \"net\", \"into\": \"net\"}", at: "[0].into", "is a handler already"),
    WrongForm(steps: "{\"cancel\": \"t\", \"into\": \"cancelled\"}", at: "[0].into", "is an answer"),
    WrongForm(steps: "{\"offline\": 1}", at: "[0].offline", "not in the steps of a base"),
    WrongForm(steps: "{\"retire\": \"self\"}", at: "[0].retire", "by its last step"),
    WrongForm(
      steps: "{\"mask\": \"softNet\", \"steps\": [{\"leaveCPU\": true, \"steps\": []}]}",
      at: "[0].steps[0].leaveCPU",
      "outside of all other steps"),
    WrongForm(
      steps: "{\"repeat\": 2000, \"steps\": [{\"repeat\": 2000, \"steps\": []}]}", at: "[0].steps[0]",
      "more than 2000"),
    WrongForm(
      steps: "{\"repeat\": 1000, \"steps\": [{\"point\": true}, {\"point\": true}, {\"point\": true}]}",
      at: "[0].steps[1]", "more than 2000"),
    WrongForm(
      steps: String(repeating: "{\"mask\": \"softNet\", \"steps\": [", count: 13)
        + String(repeating: "]}", count: 13),
      at: "[0]" + String(repeating: ".steps[0]", count: 11) + ".steps",
      "nested deeper than 12"),
    WrongForm(
      "\"visitors\": [{\"name\": \"v\", \"steps\": [{\"bigLock\": true, \"steps\": [{\"offline\": 1}]}]}]",
      at: "$.visitors[0].steps[0].steps[0].offline", "that holds nothing"),
    WrongForm(
      "\"handlers\": [{\"name\": \"h\", \"level\": \"softNet\", \"steps\": []}], \"devices\": [{\"name\": \"v\", \"steps\": [{\"disestablish\": \"h\"}]}]",
      at: "$.devices[0].steps[0].disestablish", "not in the steps of a device"),
    WrongForm("\"finally\": [{\"point\": true}]", at: "$.finally[0].point", "not in the steps of a finally"),
  ]
}

@Suite("Reading scenarios")
struct ReaderTests {
  @Test("What is wrong is told with its place", arguments: Wrong.forms + Wrong.meanings)
  func errors(form: WrongForm) throws {
    let error = try #require(throws: ScenarioError.self) {
      try Scenario(Array(form.text.utf8), file: "f.json")
    }
    #expect(error.path == form.path)
    #expect(error.problem.contains(form.says), "\(error)")
    #expect(error.file == "f.json")
    #expect(error.line >= 1)
    #expect(error.description.hasPrefix("f.json:\(error.line): \(form.path): "))
  }

  @Test(
    "What is no JSON is told with line and column",
    arguments: [
      ("", 1, 1, "empty"), ("\n\n", 3, 1, "empty"), ("{", 1, 2, "a name in double quotes"),
      ("{\"a\": 1,}", 1, 9, "a name in double quotes"), ("{\"a\" 1}", 1, 6, "a colon"),
      ("{\"a\": 1 \"b\": 2}", 1, 9, "a comma or }"), ("{\n \"a\": 1,\n \"a\": 2}", 3, 2, "\"a\" twice"),
      ("[1, 2", 1, 6, "a comma or ]"), ("nul", 1, 1, "null is wanted"), ("01", 1, 2, "does not begin with 0"),
      ("-", 1, 2, "a digit"), ("1.", 1, 3, "a digit"), ("1e", 1, 3, "a digit"),
      ("{} {}", 1, 4, "something follows"),
      ("\"a", 1, 3, "ends in a string"), ("\"\u{1}\"", 1, 2, "control character"),
      ("\"\\x\"", 1, 3, "no such escape"),
      ("\"\\ud800\"", 1, 8, "surrogate"), ("\"\\udc00\"", 1, 8, "surrogate"),
      ("\"\\u12g4\"", 1, 6, "hexadecimal"),
      ("9007199254740993", 1, 17, "beyond 2^53"), ("// {}", 1, 1, "a value is wanted"),
      ("\u{FEFF}{}", 1, 1, "a value is wanted"),
    ])
  func noJSON(text: String, line: Int, column: Int, says: String) throws {
    let error = try #require(throws: ScenarioError.self) { try Scenario(Array(text.utf8), file: "f") }
    #expect(error.path.isEmpty)
    #expect(error.problem.hasPrefix("column \(column): "), "\(error)")
    #expect(error.problem.contains(says), "\(error)")
    #expect(error.line == line, "\(error)")
  }

  @Test("Bytes that are no UTF-8 are refused")
  func notUTF8() {
    #expect(throws: ScenarioError.self) { try Scenario([0x22, 0xff, 0x22], file: "f") }
    #expect(throws: ScenarioError.self) { try Scenario([0xff, 0xfe, 0x7b, 0x00], file: "f") }
  }

  @Test("Neither depth nor length nor numbers bring it down")
  func extremes() {
    let texts = [
      String(repeating: "[", count: 1_000_000), String(repeating: "{\"a\":", count: 500_000),
      String(repeating: "9", count: 100_000), "1e" + String(repeating: "9", count: 100_000),
      "-" + String(repeating: "0", count: 100_000), "\"" + String(repeating: "x", count: 5 << 20) + "\"",
    ]
    for text in texts { #expect(throws: ScenarioError.self) { try Scenario(Array(text.utf8), file: "f") } }
  }

  @Test("Every beginning of an example is refused, and every byte left out is survived")
  func mutilated() throws {
    let text = try Examples.text("timer-and-work")
    for length in stride(from: 0, to: text.count - 2, by: 7) {
      #expect(throws: ScenarioError.self) { try Scenario(Array(text[..<length]), file: "f") }
    }
    for index in stride(from: 0, to: text.count, by: 3) {
      var changed = text
      changed.remove(at: index)
      _ = try? Scenario(changed, file: "f")
    }
  }

  @Test("A scenario of nothing but CPUs holds")
  func empty() throws {
    let text = "{\"scenario\": \"softint.scenario/1\", \"name\": \"n\", \"cpus\": 1}"
    let result = try Scenario(Array(text.utf8), file: "f").explore()
    #expect(result.judgement == .holds)
  }
}
