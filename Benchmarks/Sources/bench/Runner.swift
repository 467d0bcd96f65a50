// Runs the experiments: in each round every side once, in an order that turns from round to round.
//
// Law: the first round warms up and is thrown away; a ratio is only ever taken within a round. A side that fails ends the run with its
// name; a peer that is missing makes a row that says so.

import ComparisonReport
import Glibc

struct SideFailure: Error, CustomStringConvertible {
  var description: String
}

struct Runner {
  var rounds: Int
  var progress: (String) -> Void

  /// The rows of one experiment that `wanted` names.
  func rows(of experiment: Experiment, wanted: (String) -> Bool) throws -> [BenchmarkReport.Row] {
    let session = try experiment.open()
    defer { session.close() }
    let sides =
      [Contender(name: "ours", note: "", round: session.ours, forget: session.forget)] + session.peers
    let present = sides.indices.filter { sides[$0].missing == nil }
    var values = sides.map { _ in [[Double]]() }
    let rounds = min(rounds, experiment.roundLimit)
    for round in 0...rounds {
      if round == 1 { for side in present { sides[side].forget() } }
      for turn in present.indices {
        let side = present[session.isOursFirst ? turn : (turn + round) % present.count]
        progress("\(experiment.figures[0].name): round \(round) of \(rounds), \(sides[side].name)")
        let figures: [Double]
        do { figures = try sides[side].round() } catch {
          throw SideFailure(description: "\(experiment.figures[0].name), \(sides[side].name): \(error)")
        }
        precondition(
          figures.count == experiment.figures.count, "a side gives other figures than its experiment")
        if round > 0 { values[side].append(figures) }
      }
    }
    let recorded = session.recorded()
    var rows: [BenchmarkReport.Row] = []
    for (index, figure) in experiment.figures.enumerated() where wanted(figure.name) {
      let ours = values[0].map { $0[index] }
      for (side, contender) in zip(values, sides).dropFirst() {
        let peer = side.map { $0[index] }
        if contender.missing == nil, !peer.contains(where: \.isFinite) { continue }
        rows.append(
          BenchmarkReport.Row(
            name: figure.name, title: figure.title, unit: figure.unit, peerName: contender.name, ours: ours,
            peer: peer, goal: contender.goals[figure.name],
            note: contender.note + (contender.missing.map { " Missing: \($0)." } ?? ""),
            remark: contender.remark(), isMissing: contender.missing != nil,
            oursDistribution: .init(recorded[figure.name], unit: figure.unit),
            peerDistribution: .init(contender.recorded()[figure.name], unit: figure.unit)))
      }
    }
    return rows
  }
}
