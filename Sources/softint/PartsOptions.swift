// How `softint explore` shares a search out: among threads, among machines, over time.

import ArgumentParser
import Glibc
import Scenarios

struct PartsOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Search on so many threads (default: 1).", valueName: "n"),
    transform: ArgumentValue.count(1...256))
  var jobs = 1

  @Option(
    help: ArgumentHelp(
      "Search part i of n, i from 0; the parts need not know of each other.", valueName: "i/n"),
    transform: PartsOptions.shard)
  var shard: SearchPlan.Shard?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Split the tree at this depth: the counts of one depth are the same for any number of parts.",
      valueName: "n"),
    transform: ArgumentValue.count(0...10_000))
  var splitDepth: Int?

  @Option(
    help: ArgumentHelp(
      "Keep the state of the search in a file, and go on from it if it is there.", valueName: "file"))
  var checkpoint: String?

  private static func shard(_ text: String) throws -> SearchPlan.Shard {
    let words = text.split(separator: "/", omittingEmptySubsequences: false)
    guard words.count == 2, let index = Int(words[0]), let count = Int(words[1]), count >= 1,
      count <= 1_000_000, index >= 0, index < count
    else { throw ValidationError("give i/n: part i of n parts, i from 0 to n - 1") }
    return SearchPlan.Shard(index: index, count: count)
  }

  /// Whether something is asked for that is for one scenario.
  var isForOne: Bool { shard != nil || checkpoint != nil }

  func validate() throws {
    if checkpoint != nil, jobs > 1 {
      throw ValidationError("--checkpoint is for one thread: leave out --jobs")
    }
  }

  /// The plan; reads the checkpoint.
  func plan() throws(CommandFailure) -> SearchPlan {
    var plan = SearchPlan()
    plan.jobs = jobs
    plan.shard = shard
    plan.splitDepth = splitDepth
    if let checkpoint, access(checkpoint, F_OK) == 0 {
      // What is no text is no checkpoint either, which its reader says.
      let text = String(decoding: try ScenarioFile.contents(checkpoint), as: UTF8.self)
      plan.checkpoint = text.split(separator: "\n").first.map(String.init) ?? ""
    }
    return plan
  }
}
