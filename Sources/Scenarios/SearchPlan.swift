// How the search of a scenario is done: on how many threads, which part of it, and from where on.
//
// Law: none of it changes what is true of the scenario. The sums over the parts of one split depth are the same however many parts
// there are, and a search that goes on from a checkpoint comes to what an uninterrupted one does.

import Exploration

/// How a search is done.
public struct SearchPlan: Sendable {
  /// Threads; each takes what is next of the tree.
  public var jobs = 1
  /// Which of how many parts is searched here; nil for all of them.
  public var shard: Shard?
  /// Above this depth the tree is split; nil for the depth that gives each part some sixty prefixes.
  public var splitDepth: Int?
  /// Where an earlier search ended: its checkpoint.
  public var checkpoint: String?

  /// One part of several that know nothing of each other.
  public struct Shard: Sendable, Equatable {
    /// From 0.
    public var index: Int
    public var count: Int
    public init(index: Int, count: Int) { (self.index, self.count) = (index, count) }
  }

  public init() {}

  /// Searches so.
  func explore(
    _ explorer: Explorer, _ program: @escaping @Sendable (World) throws -> Void
  ) throws -> Exploration {
    var explorer = explorer
    if let shard {
      let depth = try splitDepth ?? explorer.splitDepth(prefixes: 64 * shard.count, program)
      explorer.partition = Partition(depth: depth, index: shard.index, count: shard.count)
    } else if let splitDepth {
      explorer.partition = Partition(depth: splitDepth)
    }
    if let checkpoint { return try explorer.explore(resuming: checkpoint, program) }
    return jobs > 1 ? try explorer.exploreInParallel(jobs: jobs, program) : try explorer.explore(program)
  }
}
