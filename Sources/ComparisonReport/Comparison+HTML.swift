// The page: one self-contained document that needs no network, in the reader's light or dark.
//
// Invariant: its content policy forbids every fetch; the order is verdict, capacity, latency, timeline, figures, so
// that who stops reading early has read what matters. All text from outside is escaped.

extension Comparison {
  /// The comparison as one HTML document without references to anything outside of it.
  public var html: String {
    let title = HTMLText.prose(headline)
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(title) · softint compare</title>
      <style>\(HTMLStyle.css)</style></head>
      <body><main>
      \(pageHead(title))
      <h2>Capacity</h2>
      \(capacityChart)\(infeasibleText)
      <h2>Latency</h2>
      <p class="hint">\(HTMLText.escape(latencyHint))</p>
      \(latencyCharts)
      <h2>Timeline</h2>
      <p class="hint">A few milliseconds of each discipline, all to the same scale. Where handlers take the gate of
      their level, the level runs on one CPU at a time.</p>
      \(timelineCharts)
      <h2>All figures</h2>
      \(figureTable)\(latencyTables)\(stageTable)\(statisticsTables)
      \(violationSection)\(settingsSection)\(readingSection)
      </main><div id="tip" role="status" hidden></div>
      <script>\(HTMLStyle.script)</script></body></html>

      """
  }

  private func pageHead(_ title: String) -> String {
    let cpus = machine.cpus == 1 ? "1 CPU" : "\(machine.cpus) CPUs"
    var html =
      "<p class=\"kicker\">softint compare · \(HTMLText.escape(capture.file)) · \(cpus)</p>\n<h1>\(title)</h1>\n"
    for alarm in alarms { html += "<p class=\"alarm\" role=\"note\">\(HTMLText.escape(alarm))</p>\n" }
    html +=
      "<div class=\"lead\">" + sentences.map { "<p>\(HTMLText.prose($0))</p>" }.joined(separator: "\n")
      + "</div>"
    return html
  }

  /// What a reader must know before any figure.
  private var alarms: [String] {
    var alarms: [String] = []
    if !digestsAgree {
      alarms.append("Not every discipline computed the same flow table. See the digests below.")
    }
    if interrupted {
      alarms.append("The run was interrupted after \(roundsDone) of \(settings.rounds) rounds.")
    }
    if machine.tooNoisy {
      alarms.append("This machine was too noisy to compare: take no ranking from this page.")
    }
    return alarms
  }

  private var latencyHint: String {
    let rate = offeredFramesPerSecond.map { ", \(NumberText.compact($0)) frames/s" } ?? ""
    return
      "Open loop at \(NumberText.plain(settings.loadPercent)) % of the capacity of one CPU\(rate). A curve shows "
      + "which share is done within which time: further left is faster, and the top is the tail. All rounds in one; "
      + "dropped frames have no latency."
  }

  private var infeasibleText: String {
    results.compactMap { result in
      result.reason.map {
        "<p class=\"hint\"><b>\(result.discipline)</b> is infeasible: \(HTMLText.escape($0))</p>\n"
      }
    }.joined()
  }

  private var violationSection: String {
    let items = results.flatMap { result in
      result.violations.map { violation in
        [
          result.discipline.rawValue, NumberText.grouped(violation.count), HTMLText.escape(violation.rule),
          "<div class=\"wide t\">\(HTMLText.escape(violation.text))</div>",
        ]
      }
    }
    guard !items.isEmpty else {
      return settings.witness
        ? "<p>The witness saw no violation of the order.</p>\n"
        : "<p>The witness was off: violations of the order were not looked for.</p>\n"
    }
    return HTMLText.table(
      caption: "Violations of the order", head: ["discipline", "times", "rule", "what the witness saw"],
      rows: items)
  }

  private var settingsSection: String {
    let yes = { (on: Bool) in on ? "on" : "off" }
    let limit =
      machine.parallelLimit.map {
        "\(NumberText.ratio($0.median)) (\(NumberText.range($0, NumberText.ratio)))"
      }
      ?? (machine.cpus == 1 ? "none on one CPU" : "not measured")
    var items = [
      ("Machine", "\(HTMLText.escape(machine.cpu)), \(machine.cpus) used"),
      ("System", HTMLText.escape(machine.os)),
      ("Parallel limit S", limit),
      (
        "Capture",
        "\(HTMLText.escape(capture.file)): \(NumberText.grouped(capture.frames)) frames, \(NumberText.bytes(capture.bytes))"
      ),
      (
        "Rounds", "\(roundsDone) of \(settings.rounds), \(NumberText.plain(settings.seconds)) s a measurement"
      ),
      ("Load", "\(NumberText.plain(settings.loadPercent)) % of one CPU"), ("Seed", "\(settings.seed)"),
      ("Idle", settings.idle.map(\.rawValue).joined(separator: ", ")), ("Witness", yes(settings.witness)),
      ("Statistics", yes(settings.statistics)), ("Version", HTMLText.escape(version)),
      ("Command", "<code>\(HTMLText.escape(commandLine.joined(separator: " ")))</code>"),
      ("Digest, plain pass", "<code>\(HTMLText.escape(referenceDigest ?? NumberText.missing))</code>"),
    ]
    for result in results where digestAgrees(result.discipline) == false {
      let digest = HTMLText.escape(result.measurements?.digest ?? "")
      items.append(("Digest, \(result.discipline)", "<code class=\"bad\">\(digest)</code>"))
    }
    for note in notes { items.append(("Note", HTMLText.escape(note))) }
    return "<h2>Machine and settings</h2>\n" + HTMLText.definitions(items)
  }

  private var readingSection: String {
    """
    <h2>How to read it</h2>
    <p><b>Capacity</b> is the closed loop: each CPU takes frames as fast as it can. The rounds of all disciplines
    alternate, and a ratio is taken within a round, so that what disturbs the machine for a while disturbs both sides.</p>
    <p><b>Intervals</b> are order statistics that hold the median with at least 95 %; below six rounds they are the
    smallest and the largest value. Where two intervals overlap, no difference is claimed.</p>
    <p><b>S</b>, the parallel limit, is what as many independent one-CPU runs as there are CPUs achieve together,
    relative to one. No discipline can be expected to do more; below 0.8 for each CPU nothing is compared.</p>
    <p><b>Latency</b> runs from the time at which a frame is due by arithmetic to its completion, so a late device
    counts. Percentiles in the tables are medians over the rounds; they are never too low, and at most 1.6 % too high.</p>
    <p><b>Base</b> is the work that base code gets done beside the frames. <b>Digest</b> is that of the flow table after
    one lossless pass: equal digests mean equal tables.</p>
    """
  }
}
