// What a simulation of the meter's disciplines must come to, whatever the figures of its model are.

import ComparisonReport
import Foundation
import Testing

@testable import Workloads

@Suite("Simulated disciplines")
struct SimulationTests {
  /// The bundled capture, and the model that the repository publishes.
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  private static let capture = try! LoadedCapture(
    path: root.path + "/Sources/softint/Resources/bundled.pcapng")

  private static func run(
    _ disciplines: [Discipline], cpus: [Int], _ change: (inout CostFile) -> Void = { _ in }
  ) throws -> Simulation {
    var options = SimulationOptions()
    options.cpus = cpus
    options.disciplines = disciplines
    options.seconds = 0.001
    let file = try Data(contentsOf: root.appending(path: "Benchmarks/Models/epyc-two-processors.json"))
    options.model = try CostFile(json: Array(file))
    change(&options.model)
    return try simulate(capture, options, isInterrupted: { false }, progress: { _ in })
  }

  @Test(
    "ordered is bounded by the share of its busiest level, mpSafe by the number of CPUs, bigLock by one CPU")
  func bounds() throws {
    // No price for what is shared: what is left is exclusion.
    let result = try Self.run([.bigLock, .ordered, .mpSafe], cpus: [4]) { file in
      for name in ["lineTransfer", "sharedFetch", "streamedLine"] { file.costs[name] = 0 }
    }
    func times(_ discipline: Discipline) -> Double {
      result.ratio(result.rows.first { $0.discipline == discipline }!)
    }
    let stages = result.model.stages
    let net = stages["parseFrame"]! + stages["countFrame"]!
    let bound = (net + stages["deviceFrame"]!) / net
    #expect(times(.bigLock) < 1.25)
    #expect(times(.ordered) > 0.8 && times(.ordered) < bound * 1.15)
    #expect(times(.mpSafe) > 2.5 && times(.mpSafe) < 4.2)
  }

  @Test("dearer lines make more waiting of what is shared, and leave one CPU as it is")
  func dearLines() throws {
    let cheap = try Self.run([.oneCPU, .ordered], cpus: [4])
    let dear = try Self.run([.oneCPU, .ordered], cpus: [4]) { file in
      for name in ["lineTransfer", "sharedFetch", "streamedLine"] { file.costs[name]! *= 10 }
    }
    #expect(cheap.rows[0].framesPerSecond == dear.rows[0].framesPerSecond)
    #expect(dear.rows[1].framesPerSecond < cheap.rows[1].framesPerSecond * 0.8)
  }
}
