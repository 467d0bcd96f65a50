// The tables of the page: every figure that the charts show, and those that they do not.
//
// Invariant: a figure that was not measured is a dash, never a zero. Cells are escaped where they are made.

extension Comparison {
  var figureTable: String {
    let rows = results.map { result -> [String] in
      let discipline = result.discipline
      let name = "\(discipline) <small>\(result.execution)</small>"
      if result.reason != nil {
        return [name, "infeasible"] + Array(repeating: NumberText.missing, count: 7)
      }
      let base = Interval(samples: result.measurements?.baseOperationsPerSecond ?? [])
      let agreement =
        switch digestAgrees(discipline) {
        case true?: "same"
        case false?: "<span class=\"bad\">differs</span>"
        case nil: NumberText.missing
        }
      return [
        name, cell(framesPerSecond(discipline), NumberText.compact),
        cell(capacityRatio(discipline, to: .bigLock), NumberText.ratio),
        cell(capacityRatio(discipline, to: .oneCPU), NumberText.ratio),
        cell(base, NumberText.compact), cell(baseRatio(discipline), NumberText.ratio),
        result.measurements?.drops.map(NumberText.grouped) ?? NumberText.missing,
        NumberText.grouped(result.violationCount), agreement,
      ]
    }
    return HTMLText.table(
      caption: "Capacity and base progress: median, and its interval below",
      head: [
        "discipline", "frames/s", "× bigLock", "× oneCPU", "base, operations/s", "base × bigLock", "drops",
        "violations", "digest",
      ], rows: rows)
  }

  private func cell(_ interval: Interval?, _ format: (Double) -> String) -> String {
    guard let interval else { return NumberText.missing }
    return "\(format(interval.median))<br><small>\(NumberText.range(interval, format))</small>"
  }

  var latencyTables: String {
    [(IdleMode.poll, "Latency, idle CPUs poll"), (.park, "Latency, idle CPUs park")].map { mode, caption in
      let rows = results.flatMap { result -> [[String]] in
        guard let loop = result.openLoop(mode) else { return [] }
        return [("softNet", loop.softNet), ("softSerial", loop.softSerial)].map { level, series in
          [result.discipline.rawValue, level] + percentileCells(series)
        }
      }
      return rows.isEmpty ? "" : latencyTable(caption, ["discipline", "level"], rows, textColumns: 2)
    }.joined() + holdTable
  }

  private var holdTable: String {
    let rows = results.compactMap { result -> [String]? in
      guard let hold = result.measurements?.topTalkersHold, hold.samples > 0 else { return nil }
      return [result.discipline.rawValue] + percentileCells(hold)
    }
    return rows.isEmpty
      ? "" : latencyTable("How long copying the top talkers held its gate", ["discipline"], rows)
  }

  private func latencyTable(
    _ caption: String, _ names: [String], _ rows: [[String]], textColumns: Int = 1
  ) -> String {
    HTMLText.table(
      caption: caption, head: names + ["50 %", "99 %", "99 %, interval", "99.9 %", "max", "samples"],
      rows: rows, textColumns: textColumns)
  }

  private func percentileCells(_ series: LatencySeries) -> [String] {
    func text(_ quantile: Double) -> String {
      series.percentile(quantile).map { NumberText.duration($0.median) } ?? NumberText.missing
    }
    return [
      text(0.5), text(0.99),
      series.percentile(0.99).map { NumberText.range($0, NumberText.duration) } ?? NumberText.missing,
      text(0.999), series.max.map { NumberText.duration(Double($0)) } ?? NumberText.missing,
      NumberText.grouped(series.samples),
    ]
  }

  var stageTable: String {
    guard !stages.isEmpty else { return "" }
    return HTMLText.table(
      caption: "Stages of the workload and their shares of its time, measured on one CPU",
      head: ["stage", "level", "share", ""],
      rows: stages.map {
        [
          HTMLText.escape($0.name), $0.level.rawValue, NumberText.percent($0.share),
          "<svg width=\"160\" height=\"10\" aria-hidden=\"true\"><rect class=\"run\" height=\"10\" "
            + "width=\"\(HTMLText.percent($0.share))\"/></svg>",
        ]
      }, textColumns: 2)
  }

  var statisticsTables: String {
    let gates = results.flatMap { result -> [[String]] in
      (result.measurements?.gates ?? []).map { gate in
        [
          result.discipline.rawValue, gate.level.rawValue, NumberText.grouped(gate.taken),
          NumberText.grouped(gate.contended),
          gate.taken > 0
            ? NumberText.percent(Double(gate.contended) / Double(gate.taken)) : NumberText.missing,
          NumberText.grouped(gate.handoffs), NumberText.grouped(gate.passedOver),
          NumberText.duration(Double(gate.waitNanoseconds)),
        ]
      }
    }
    let handlers = results.flatMap { result -> [[String]] in
      (result.measurements?.handlers ?? []).map { handler in
        [
          result.discipline.rawValue, HTMLText.escape(handler.name), handler.level.rawValue,
          handler.wayIn.rawValue,
        ]
          + [
            handler.scheduled, handler.coalesced, handler.run, handler.delegated, handler.handedOff,
            handler.passedOver,
          ].map(NumberText.grouped)
          + [handler.queueingNanoseconds, handler.gateWaitNanoseconds, handler.runNanoseconds].map {
            NumberText.duration(Double($0))
          }
      }
    }
    var html = ""
    if !gates.isEmpty {
      html += HTMLText.table(
        caption: "Gates, over all measured rounds",
        head: [
          "discipline", "gate", "taken", "contended", "share", "handed off", "passed over", "waited, in all",
        ],
        rows: gates, textColumns: 2)
    }
    if !handlers.isEmpty {
      html += HTMLText.table(
        caption: "Handlers, over all measured rounds; times in all",
        head: [
          "discipline", "handler", "level", "way in", "scheduled", "coalesced", "run", "delegated",
          "handed off",
          "passed over", "queued", "waited for gates", "ran",
        ], rows: handlers, textColumns: 4)
    }
    return html.isEmpty ? "<p>Statistics were not compiled in.</p>\n" : html
  }
}
