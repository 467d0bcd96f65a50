// How far an exploration is.
//
// Law: what is said while it runs changes nothing in it.

/// What an exploration says now and then.
public struct Progress {
  /// Complete schedules so far, runs that repeated others, and the scheduling points of all.
  public var schedules: Int
  /// Schedules that were given up since they equal others.
  public var redundant: Int
  /// Operations in all.
  public var steps: Int
  /// An estimate of the share of the work that is done, from 0 to 1.
  ///
  /// Of a sample it is exact. Of a tree it takes the subtrees below one choice for equally large (Knuth, "Estimating the efficiency
  /// of backtrack programs", 1975; weighed along the present path as in Kilby, Slaney, Thiébaux and Walsh, AAAI 2006): the share of
  /// the alternatives that are done at the first choice, and of the part that the present one stands for, the share at the
  /// second, and so on. Where alternatives are found on the way (every reduction does that) it can go back; where subtrees differ,
  /// and they do by orders of magnitude, it can be wrong by as much. It orders runs of one program rather well, and says little
  /// about when one ends. Of several jobs it is the mean.
  public var share: Double
  /// Makes the text that ``Explorer/explore(resuming:_:)`` goes on from. To be called while the progress is being told. Nil where
  /// several jobs share the work.
  public var checkpoint: () -> String?
}

extension Tree {
  /// See ``Progress/share``.
  var share: Double {
    var (share, weight) = (0.0, 1.0)
    for node in UnsafeBufferPointer(start: nodes, count: count) {
      // Who slept when the search came here is not among who is to be explored, but for a few.
      let all = node.backtrack & node.enabled | .only(Int(node.chosen))
      if all.nonzeroBitCount == 1 { continue }
      let done = node.done & all & ~.only(Int(node.chosen))
      weight /= Double(all.nonzeroBitCount)
      share += weight * Double(done.nonzeroBitCount)
    }
    return min(share, 1)
  }
}
