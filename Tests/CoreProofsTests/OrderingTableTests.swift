// Each order that the core states stands in the documentation's table: found weaker by a program, or excused with a reason.
//
// Law: the sources are read as text, so this needs no build with the trait Mutants and sees what no program executes. (That the
// programs find what the table says is what `prove orderings --check` runs.)

import CoreProofs
import Foundation
import Testing

@Suite("The table of orderings")
struct OrderingTableTests {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func stated() throws -> [StatedOrder] {
    let core = root.appendingPathComponent("Sources/SoftInterrupts")
    let files = FileManager.default.enumerator(at: core, includingPropertiesForKeys: nil)!
      .compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
    #expect(files.count > 40)
    // `Machine` says what an order is; it states none of the core's.
    return try files.filter { $0.deletingLastPathComponent().lastPathComponent != "Machine" }.flatMap {
      file in
      OrderingSource(file: file.lastPathComponent, text: try String(contentsOf: file, encoding: .utf8))
        .orders.map(\.order)
    }
  }

  static func entries() throws -> [OrderingEntry] {
    OrderingEntry.entries(
      of: try String(
        contentsOf: root.appendingPathComponent("Documentation/Proofs-orderings.md"), encoding: .utf8))
  }

  @Test("has every order that the core states, and no other")
  func complete() throws {
    let stated = try Set(Self.stated().map(\.description))
    let listed = try Self.entries().map(\.order)
    #expect(stated.count > 60)
    for order in stated.subtracting(listed).sorted() {
      Issue.record("\(order) is stated, and not in Documentation/Proofs-orderings.md: weaken it, or relax it")
    }
    for order in Set(listed).subtracting(stated).sorted() {
      Issue.record("\(order) is in Documentation/Proofs-orderings.md, and not stated any more")
    }
    #expect(listed.count == Set(listed).count, "an order stands in it twice")
  }

  @Test("excuses at most one in ten")
  func few() throws {
    let entries = try Self.entries()
    #expect(entries.count { $0.program == nil } * 10 <= entries.count)
  }

  @Test("names programs that there are")
  func programs() throws {
    let names = Set(OrderingPrograms.all.map(\.description))
    for entry in try Self.entries() where entry.program != nil {
      #expect(names.contains(entry.program!), "\(entry.order): no program \(entry.program!)")
    }
  }

  @Test("a line of source says which order it states")
  func parsed() {
    let source = OrderingSource(
      file: "A.swift",
      text: """
        extension A {
          /// word.load(.acquire) in a comment is none.
          func take(_ bits: UInt) -> Bool {
            let seen = word.load(.relaxed)
            while word.load(.acquire) != word.exchange(f(seen), .acquireRelease) {
              M.light()
            }
            other.load(.acquire)
            lock { word.store(g(1, 2), .release) }
          }
          var isSet: Bool { word.load(.acquire) != 0 }
        }
        """)
    #expect(
      source.orders.map { "\($0.line) \($0.order)" } == [
        "5 A.swift `take` load, acquire", "5 A.swift `take` exchange, acquire",
        "5 A.swift `take` exchange, release",
        "6 A.swift `take` light, fence", "8 A.swift `take` load 2, acquire",
        "9 A.swift `take` store, release",
        "11 A.swift `isSet` load, acquire",
      ])
  }
}
