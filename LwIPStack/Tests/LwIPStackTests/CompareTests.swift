// What a comparison says, and that it waits for nobody without end.

import Testing

@testable import softint_net

extension StackTests {
  @Suite("What a comparison says")
  struct CompareTests {
    private func row(_ name: String, _ rates: [Double?], p99: Double = 100) -> CompareRow {
      CompareRow(
        name: name, rounds: rates.map { rate in rate.map { Sample(rate: $0, p50: 1, p99: p99, errors: 0) } })
    }

    @Test("goals are measured against the better baseline, round by round")
    func goals() throws {
      let table = CompareTable(
        load: .wrk,
        rows: [
          row("oneCPU", [100, 100, 100]), row("bigLock", [94, 96, 90]),
          row("ordered", [120, 60, 110], p99: 60),
          row("coreLock.mailbox", [50, 50, 50]), row("coreLock.lock", [100, 50, 100]),
        ])
      let goals = table.goals
      #expect(goals.map(\.isMet) == [false, true, true])
      #expect(goals[0].found == 0.94 && goals[1].found == 1.2 && goals[2].found == 0.6)
      #expect(goals[1].text.contains("coreLock.lock"))
    }

    @Test("a goal whose rows are not there is not claimed")
    func missing() {
      #expect(CompareTable(load: .stacks, rows: [row("ordered.stacks1", [1])]).goals.isEmpty)
    }

    @Test("a round that did not end counts for nothing, and is told of")
    func unended() {
      let table = CompareTable(
        load: .iperf,
        rows: [
          row("ordered", [nil, 3, 4]), row("coreLock.lock", [1, 2, nil]), row("bigLock", [nil, nil, nil]),
        ])
      #expect(table.rows.map(\.name) == ["ordered", "coreLock.lock"])
      // Only the second round has both.
      #expect(table.goals.map(\.found) == [1.5])
      #expect(table.unended.count == 3 && table.unended[2].contains("bigLock: 3 of 3"))
    }

    @Test("a program that does not end is killed, and what it printed is kept")
    func limit() throws {
      let server = try #require(Server(["sh", "-c", "echo here; exec sleep 1000"]))
      #expect(server.firstLine() == "here")
      let (text, end) = server.finish(within: 1)
      #expect(text == "here\n" && end.wasKilled && end.status != 0)
      let other = try #require(Server(["echo", "done"]))
      #expect(!other.finish(within: 20).1.wasKilled)
    }

    @Test("a page's table of one load is replaced, and those of the others stay")
    func page() throws {
      func report(_ load: CompareLoad, _ rate: Double) -> CompareReport {
        CompareReport(
          command: "compare --load \(load.rawValue)", cpus: 2, rounds: 1, seconds: 1, connections: 32,
          slowConnections: 8, tables: [CompareTable(load: load, rows: [row("ordered", [rate])])],
          place: "that day, that machine")
      }
      let empty = "before\n<!-- compare:begin -->\nold words\n<!-- compare:end -->\nafter\n"
      let one = try #require(ComparePage.merge(report(.slow, 1_111), into: empty))
      let two = try #require(ComparePage.merge(report(.wrk, 2_222), into: one))
      let three = try #require(ComparePage.merge(report(.wrk, 3_333), into: two))
      #expect(
        !one.contains("old words") && one.contains("compare --load slow") && one.contains("that machine"))
      #expect(three.contains("1111") && !three.contains("2222") && three.contains("3333"))
      let (wrk, slow) = (three.firstRange(of: "3333")!, three.firstRange(of: "1111")!)
      #expect(wrk.lowerBound < slow.lowerBound, "in the loads' order, whatever was measured first")
      #expect(three.hasPrefix("before\n") && three.hasSuffix("\nafter\n"))
      #expect(ComparePage.merge(report(.wrk, 3_333), into: three) == three, "nothing grows")
      #expect(ComparePage.merge(report(.wrk, 1), into: "no marks") == nil)
    }
  }
}
