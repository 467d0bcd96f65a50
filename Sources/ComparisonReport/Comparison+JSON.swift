// The JSON rendering, in the shape that Documentation/Schemas/softint.compare-1.schema.json publishes.
//
// Invariant: every member is always there; what was not measured is null. Latencies are whole nanoseconds, ratios
// have four decimals, rates are in whole units per second.

extension Comparison {
  /// The comparison as JSON, ended by a line feed. Equal comparisons give equal text.
  public var json: String { jsonValue.text }

  private var jsonValue: JSONValue {
    .object([
      ("schema", .string(Comparison.schema)),
      ("version", .string(version)),
      ("commandLine", .array(commandLine.map(JSONValue.string))),
      ("interrupted", .bool(interrupted)),
      ("machine", machine.jsonValue),
      (
        "capture",
        .object([
          ("file", .string(capture.file)), ("frames", .unsigned(capture.frames)),
          ("bytes", .unsigned(capture.bytes)),
        ])
      ),
      ("settings", settings.jsonValue),
      ("roundsDone", .integer(roundsDone)),
      ("offeredFramesPerSecond", .optional(offeredFramesPerSecond.map { $0.nearestWhole })),
      ("referenceDigest", .optional(referenceDigest)),
      ("digestsAgree", .bool(digestsAgree)),
      ("notes", .array(notes.map(JSONValue.string))),
      ("sentences", .array(sentences.map(JSONValue.string))),
      (
        "stages",
        .array(
          stages.map {
            .object([
              ("name", .string($0.name)), ("level", .string($0.level.rawValue)),
              ("gate", .string($0.gate.rawValue)), ("share", .number($0.share.rounded(decimals: 4))),
            ])
          })
      ),
      ("results", .array(results.map(jsonValue(of:)))),
    ])
  }

  private func jsonValue(of result: DisciplineResult) -> JSONValue {
    let figures = result.measurements
    let discipline = result.discipline
    let capacity = Interval(samples: figures?.framesPerSecond ?? [])
    let base = Interval(samples: figures?.baseOperationsPerSecond ?? [])
    let ratio = capacityRatio(discipline, to: .bigLock)
    let ratioToOneCPU = capacityRatio(discipline, to: .oneCPU)
    let baseRatio = baseRatio(discipline)
    return .object([
      ("discipline", .string(discipline.rawValue)),
      ("execution", .string(result.execution.rawValue)),
      ("feasible", .bool(result.reason == nil)),
      ("reason", .optional(result.reason)),
      ("framesPerSecond", .optional(capacity?.median.nearestWhole)),
      ("framesPerSecondInterval", .interval(capacity, decimals: 0)),
      ("ratio", .optional(ratio?.median.rounded(decimals: 4))),
      ("ratioInterval", .interval(ratio, decimals: 4)),
      ("ratioToOneCPU", .optional(ratioToOneCPU?.median.rounded(decimals: 4))),
      ("ratioToOneCPUInterval", .interval(ratioToOneCPU, decimals: 4)),
      ("baseOperationsPerSecond", .optional(base?.median.nearestWhole)),
      ("baseRatio", .optional(baseRatio?.median.rounded(decimals: 4))),
      ("baseRatioInterval", .interval(baseRatio, decimals: 4)),
      ("latency", figures?.polling?.jsonValue ?? .null),
      ("latencyParked", figures?.parked?.jsonValue ?? .null),
      ("topTalkersHold", figures?.topTalkersHold.jsonValue ?? .null),
      ("drops", .optional(figures?.drops)),
      ("gates", .array((figures?.gates ?? []).map(\.jsonValue))),
      ("handlers", .array((figures?.handlers ?? []).map(\.jsonValue))),
      (
        "violations",
        .array(
          result.violations.map {
            .object([
              ("rule", .string($0.rule)), ("text", .string($0.text)), ("count", .unsigned($0.count)),
            ])
          })
      ),
      ("digest", .optional(figures?.digest)),
    ])
  }
}

extension MachineFigures {
  fileprivate var jsonValue: JSONValue {
    .object([
      ("cpus", .integer(cpus)),
      ("os", .string(os)),
      ("cpu", .string(cpu)),
      ("parallelLimit", .optional(parallelLimit?.median.rounded(decimals: 4))),
      ("parallelLimitInterval", .interval(parallelLimit, decimals: 4)),
      ("tooNoisy", .bool(tooNoisy)),
    ])
  }
}

extension Settings {
  fileprivate var jsonValue: JSONValue {
    .object([
      ("rounds", .integer(rounds)), ("seconds", .number(seconds)), ("loadPercent", .number(loadPercent)),
      ("seed", .unsigned(seed)), ("idle", .array(idle.map { .string($0.rawValue) })),
      ("witness", .bool(witness)), ("statistics", .bool(statistics)),
    ])
  }
}

extension OpenLoop {
  fileprivate var jsonValue: JSONValue {
    .object([
      ("softNet", softNet.jsonValue), ("softSerial", softSerial.jsonValue),
      ("framesDue", .unsigned(framesDue)), ("drops", .unsigned(drops)),
    ])
  }
}

extension LatencySeries {
  /// Null if nothing was recorded.
  fileprivate var jsonValue: JSONValue {
    guard let p50 = percentile(0.5), let p99 = percentile(0.99), let p999 = percentile(0.999), let max else {
      return .null
    }
    return .object([
      ("p50", .number(p50.median.nearestWhole)), ("p99", .number(p99.median.nearestWhole)),
      ("p99Interval", .interval(p99, decimals: 0)), ("p999", .number(p999.median.nearestWhole)),
      ("max", .unsigned(max)), ("samples", .unsigned(samples)),
    ])
  }
}

extension GateFigures {
  fileprivate var jsonValue: JSONValue {
    .object([
      ("level", .string(level.rawValue)), ("taken", .unsigned(taken)), ("contended", .unsigned(contended)),
      ("handoffs", .unsigned(handoffs)), ("passedOver", .unsigned(passedOver)),
      ("waitNs", .unsigned(waitNanoseconds)),
    ])
  }
}

extension HandlerFigures {
  fileprivate var jsonValue: JSONValue {
    .object([
      ("name", .string(name)), ("level", .string(level.rawValue)), ("wayIn", .string(wayIn.rawValue)),
      ("scheduled", .unsigned(scheduled)), ("coalesced", .unsigned(coalesced)), ("run", .unsigned(run)),
      ("delegated", .unsigned(delegated)), ("handedOff", .unsigned(handedOff)),
      ("passedOver", .unsigned(passedOver)), ("queueingNs", .unsigned(queueingNanoseconds)),
      ("gateWaitNs", .unsigned(gateWaitNanoseconds)), ("runNs", .unsigned(runNanoseconds)),
    ])
  }
}

extension JSONValue {
  fileprivate static func interval(_ interval: Interval?, decimals: Int) -> JSONValue {
    guard let interval else { return .null }
    return .object([
      ("low", .number(interval.low.rounded(decimals: decimals))),
      ("high", .number(interval.high.rounded(decimals: decimals))),
    ])
  }
}
