// `softint explore`: runs scenarios under every interleaving up to a bound, and tells what breaks a rule.
//
// Invariant: every scenario is read before the first is run; what was found is shown, also when the run was interrupted. The exit
// status is that of the worst of them.

import ArgumentParser
import Exploration
import FlowMeter
import Scenarios

struct ExploreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explore",
    abstract: "Explore the interleavings of scenarios on the simulated machine.",
    discussion: """
      A scenario says CPUs, handlers, base code, devices and data, and what is expected. It runs on the core \
      itself, under all schedules up to a bound, or a sample. A schedule that breaks a rule is shrunk, told as a \
      story with one column a CPU, and can be replayed. Ctrl-C ends with what there is.

      The disciplines: \(ScenarioDiscipline.allCases.map(\.rawValue).joined(separator: ", ")).

      Example: softint explore --list
      Example: softint explore timeout-raises --discipline disjoint
      Example: softint explore mine.json --preemptions 3 --html story.html

      \(ExitStatus.exploreHelp)
      """)

  @Argument(help: "Scenarios: JSON files, - for standard input, or names of bundled ones.")
  var scenarios: [String] = []

  @Flag(help: "List the scenarios that are part of the program.")
  var list = false

  @Option(help: ArgumentHelp("Explain a rule, or all of them with \"all\".", valueName: "rule"))
  var explain: String?

  @Option(help: ArgumentHelp("Run one schedule, by the string of a story.", valueName: "string"))
  var replay: String?

  @Option(
    help: ArgumentHelp("Let every handler in as this discipline does.", valueName: "name"),
    transform: ExploreValue.discipline)
  var discipline: ScenarioDiscipline?

  @OptionGroup(title: "Which schedules") var search: SearchOptions

  @OptionGroup(title: "Sharing the search out") var parts: PartsOptions

  @Flag(help: "Put the parts of a search together: the arguments are files of what --shard --json printed.")
  var merge = false

  @Flag(help: "Print JSON of the schema softint.explore/1.")
  var json = false

  @Option(
    help: ArgumentHelp("Also write a page that draws the story, which needs no network.", valueName: "file"))
  var html: String?

  @Flag(help: "Show no progress.")
  var quiet = false

  func validate() throws {
    let tasks = [list, explain != nil, !scenarios.isEmpty].filter { $0 }
    guard !tasks.isEmpty else {
      throw ValidationError("give a scenario; --list names those that are bundled")
    }
    guard tasks.count == 1 else { throw ValidationError("give scenarios, --list or --explain, one of them") }
    let forOne = [
      ("--replay", replay != nil), ("--html", html != nil), ("--shard", parts.shard != nil),
      ("--checkpoint", parts.checkpoint != nil),
    ]
    if scenarios.count != 1, let (option, _) = forOne.first(where: \.1) {
      throw ValidationError("\(option) is for one scenario")
    }
    if merge, replay != nil || html != nil || parts.isForOne || discipline != nil || search.isGiven {
      throw ValidationError(
        "--merge takes results as they are: of the other options only --json goes with it")
    }
    if replay != nil, json || html != nil { throw ValidationError("--replay tells a story as text only") }
    if let explain, explain != "all", ExploreValue.rule(explain) == nil {
      throw ValidationError("there is no rule \(explain); --explain all lists them")
    }
  }

  func run() throws {
    if list { return try StandardStreams.print(ScenarioList.text) }
    if let explain { return try StandardStreams.print(RuleList.text(explain)) }
    if merge { return try merged() }
    // All are read before the first is run; who cannot be read does not keep the others from running.
    var worst = ExitStatus.success
    var runs: [ScenarioRun] = []
    for word in scenarios {
      do throws(CommandFailure) {
        let file = try ScenarioFile(word)
        let scenario = try prepared(try file.scenario())
        let page = try html.map { path throws(CommandFailure) in
          try OutputFile(path, option: "--html", input: word)
        }
        runs.append(ScenarioRun(name: file.name, scenario: scenario, page: page))
      } catch {
        if scenarios.count == 1 { throw error }
        if let message = error.message { StandardStreams.complain(message) }
        worst = ExitStatus.worse(worst, error.status)
      }
    }
    Interruption.watch()
    for (index, run) in runs.enumerated() {
      if index > 0 && !json { try StandardStreams.print("\n") }
      worst = ExitStatus.worse(worst, try self.run(run))
      if Interruption.exitStatus != nil { break }
    }
    if let status = Interruption.exitStatus { worst = status }
    if worst != ExitStatus.success { throw CommandFailure(message: nil, status: worst) }
  }

  /// The results of the parts, as one.
  private func merged() throws(CommandFailure) {
    var texts: [(file: String, text: [UInt8])] = []
    for file in scenarios { texts.append((file, try ScenarioFile.contents(file))) }
    let result: ScenarioResult
    do {
      result = try ScenarioResult.merged(texts)
    } catch { throw CommandFailure(message: "\(error)", status: ExitStatus.data) }
    try StandardStreams.print(json ? result.json : result.text())
    let status = ExitStatus.status(of: result.judgement)
    if status != ExitStatus.success { throw CommandFailure(message: nil, status: status) }
  }

  private func prepared(_ scenario: Scenario) throws(CommandFailure) -> Scenario {
    let scenario = discipline.map(scenario.under) ?? scenario
    return try search.applied(to: scenario)
  }

  private func run(_ run: ScenarioRun) throws(CommandFailure) -> Int32 {
    if let replay { return try again(replay, run) }
    let plan = try parts.plan()
    let kept = try parts.checkpoint.map { path throws(CommandFailure) in try CheckpointFile(path) }
    let display = quiet ? nil : ProgressDisplay(after: .seconds(1))
    let clock = ContinuousClock()
    let start = clock.now
    let result: ScenarioResult
    do {
      // One thread at a time calls it, although the explorer may have several.
      nonisolated(unsafe) let shown = display
      result = try run.scenario.explore(
        file: run.name, plan,
        progress: { progress in
          shown?.show("\(progress.schedules) schedules of \(run.scenario.name)", fraction: progress.share)
          kept?.refresh(progress.checkpoint)
          return Interruption.exitStatus == nil
        })
    } catch {
      display?.finish()
      let place =
        error is CheckpointError || error is SearchError || error is StrategyError
        ? "\(parts.checkpoint ?? run.name): " : ""
      throw CommandFailure(message: "\(place)\(error)", status: ExitStatus.data)
    }
    display?.finish()
    try kept?.finish(result.exploration.checkpoint)
    let (seconds, attoseconds) = (clock.now - start).components
    try show(result, on: run.page, seconds: Double(seconds) + Double(attoseconds) / 1e18)
    return ExitStatus.status(of: result.judgement)
  }

  /// Writes the page and standard output; a failure of the one does not keep the other from its reader.
  private func show(
    _ result: ScenarioResult, on page: OutputFile?, seconds: Double
  ) throws(CommandFailure) {
    var failure: CommandFailure?
    do throws(CommandFailure) {
      try page?.write { (sink) throws(OutputError) in
        let output = TextOutput(sink)
        try output.write(result.html)
        try output.flush()
      }
    } catch { failure = error }
    try StandardStreams.print(json ? result.json : result.text(seconds: seconds))
    if let failure { throw failure }
  }

  private func again(_ string: String, _ run: ScenarioRun) throws(CommandFailure) -> Int32 {
    let finding: Finding?
    do {
      finding = try run.scenario.replay(string, file: run.name)
    } catch let error as ReplayError {
      throw CommandFailure(message: "\(run.name): \(error)", status: ExitStatus.usage)
    } catch { throw CommandFailure(message: "\(error)", status: ExitStatus.data) }
    guard let finding else {
      try StandardStreams.print("This schedule breaks no rule.\n")
      return ExitStatus.success
    }
    try StandardStreams.print(
      ScenarioResult.text(of: finding, file: run.name, under: run.scenario.discipline))
    return ExitStatus.violation
  }
}

/// One scenario as it is to be run, and where its page goes.
private struct ScenarioRun {
  var name: String
  var scenario: Scenario
  var page: OutputFile?
}

extension ExitStatus {
  static func status(of judgement: ScenarioResult.Judgement) -> Int32 {
    switch judgement {
    case .asExpected, .holds: success
    case .violation: violation
    case .notAsExpected: notAsExpected
    case .bounded: bounded
    }
  }

  /// The worse of two: a scenario that is wrong, one that is not as expected, one that is broken, one without a verdict.
  static func worse(_ a: Int32, _ b: Int32) -> Int32 {
    let order = [success, bounded, violation, notAsExpected]
    func rank(_ status: Int32) -> Int { order.firstIndex(of: status) ?? order.count + Int(status) }
    return rank(a) >= rank(b) ? a : b
  }
}
