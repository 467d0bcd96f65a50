// The JSON rendering of a simulation, in the shape that Documentation/Schemas/softint.simulate-1.schema.json publishes.
//
// Invariant: every member is always there; what was not simulated is null. Rates are in whole units per second, shares and ratios
// have four decimals, latencies are whole nanoseconds.

extension Simulation {
  /// The simulation as JSON, ended by a line feed.
  public var json: String { jsonValue.text }

  private var jsonValue: JSONValue {
    .object([
      ("schema", .string(Self.schema)),
      ("version", .string(version)),
      ("commandLine", .array(commandLine.map(JSONValue.string))),
      ("interrupted", .bool(interrupted)),
      (
        "model",
        .object([
          ("file", .string(modelName)), ("cpu", .string(model.cpu)), ("os", .string(model.os)),
          ("date", .string(model.date)), ("command", .string(model.command)),
        ])
      ),
      (
        "capture",
        .object([
          ("file", .string(capture.file)), ("frames", .unsigned(capture.frames)),
          ("bytes", .unsigned(capture.bytes)),
        ])
      ),
      (
        "settings",
        .object([
          ("simulatedSeconds", .number(simulatedSeconds)), ("loadPercent", .number(loadPercent)),
          ("seed", .unsigned(seed)),
        ])
      ),
      ("oneCPUFramesPerSecond", Self.whole(oneCPUFramesPerSecond)),
      ("sustainedFramesPerSecond", Self.whole(sustainedFramesPerSecond)),
      ("offeredFramesPerSecond", Self.whole(offeredFramesPerSecond)),
      ("operations", .unsigned(operations)),
      ("wallSeconds", .number(wallSeconds.rounded(decimals: 3))),
      (
        "leftOut",
        .array(
          leftOut.map {
            .object([("discipline", .string($0.discipline.rawValue)), ("reason", .string($0.reason))])
          })
      ),
      ("rows", .array(rows.map(value))),
      ("sentences", .array(sentences.map(JSONValue.string))),
    ])
  }

  private func value(of row: Row) -> JSONValue {
    .object([
      ("discipline", .string(row.discipline.rawValue)),
      ("cpus", .integer(row.cpus)),
      ("framesPerSecond", Self.whole(row.framesPerSecond)),
      ("timesOneCPU", .number(ratio(row).rounded(decimals: 4))),
      ("gateWaiting", .number(row.gateWaiting.rounded(decimals: 4))),
      ("gateLineBusy", .number(row.gateLine.rounded(decimals: 4))),
      (
        "busiestLine",
        .object([
          ("name", .string(row.busiestLine)), ("busy", .number(row.busiestLineShare.rounded(decimals: 4))),
        ])
      ),
      ("softNet", Self.latencies(row.softNet)),
      ("softSerial", Self.latencies(row.softSerial)),
      ("framesDue", .unsigned(row.framesDue)),
      ("drops", .unsigned(row.drops)),
      ("baseRoundsPerSecond", Self.whole(row.baseRoundsPerSecond)),
    ])
  }

  private static func whole(_ value: Double) -> JSONValue { .number(value.nearestWhole) }

  private static func latencies(_ histogram: LatencyHistogram) -> JSONValue {
    .object([
      ("count", .unsigned(histogram.count)), ("p50", .optional(histogram.percentile(0.5))),
      ("p99", .optional(histogram.percentile(0.99))), ("max", .optional(histogram.max)),
    ])
  }
}
