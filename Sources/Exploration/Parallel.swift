// One search on several threads.
//
// Law: each thread walks all prefixes of the split in the same order, with a machine of its own, and takes the next one that nobody
// has taken; they share nothing but numbers. So the sums are those of one thread at the same depth.

import Glibc
import Synchronization

extension Explorer {
  /// As ``explore(_:)``, by several threads.
  ///
  /// The search is split at the depth of ``partition``, or where ``splitDepth(prefixes:_:)`` says. The first violation that any thread
  /// finds ends all of them: which one that is may differ from time to time, and so may how much was run before it; whether there
  /// is one does not. There is no checkpoint.
  ///
  /// - Parameters:
  ///   - jobs: threads, at least 1.
  ///   - program: is called on each of them, in no order: what it captures is shared by all.
  public func exploreInParallel(
    jobs: Int, _ program: @escaping @Sendable (World) throws -> Void
  ) throws -> Exploration {
    precondition(jobs >= 1, "at least one job")
    var explorer = self
    let part = try partition ?? Partition(depth: isSample ? 0 : splitDepth(program))
    if !part.isValid { throw SearchError.noPart(part) }
    explorer.partition = part
    let team = Team(explorer, jobs)
    var threads: [pthread_t] = []
    for job in 0..<jobs {
      var thread = pthread_t()
      let start = Unmanaged.passRetained(Start(team, job, program))
      let failed = pthread_create(
        &thread, nil,
        { argument in
          let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
          start.team.work(start.job, start.program)
          return nil
        }, start.toOpaque())
      if failed != 0 {
        start.release()
        // Fewer threads do the same work, this one what is left.
        for rest in job..<jobs { team.work(rest, program) }
        break
      }
      threads.append(thread)
    }
    for thread in threads { pthread_join(thread, nil) }
    return try team.joined(part)
  }

  /// The least depth (of 0, 4, 8, …, 60) at which a search has at least so many prefixes, or the last if none has.
  ///
  /// A prefix walked costs as much as one schedule, so 64 for each part or job is cheap for a tree of 100,000 schedules. The number
  /// depends on the program alone, so every part of one search may find it out for itself.
  public func splitDepth(prefixes: Int = 256, _ program: (World) throws -> Void) throws -> Int {
    var explorer = self
    explorer.progress = nil
    explorer.limits.schedules = .max
    let runner = runner()
    var depth = 0
    while depth < 60 {
      // A part that nothing belongs to: only the prefixes are walked.
      explorer.partition = Partition(depth: depth, index: Int.max - 1, count: Int.max)
      var search = try Search(explorer, runner)
      while try search.run(program) { if search.result.passed >= prefixes { return depth } }
      if search.result.finding != nil || search.result.passed >= prefixes { break }
      depth += 4
    }
    return depth
  }

  var isSample: Bool {
    switch strategy {
    case .random, .priorities: true
    case .exhaustive, .everyChoice: false
    }
  }
}

private final class Start: Sendable {
  let team: Team
  let job: Int
  let program: @Sendable (World) throws -> Void
  init(_ team: Team, _ job: Int, _ program: @escaping @Sendable (World) throws -> Void) {
    (self.team, self.job, self.program) = (team, job, program)
  }
}

/// What the threads of one search share.
private final class Team: Sendable {
  private struct State {
    /// What each has come to, and how far it is.
    var results: [Exploration?]
    var shares: [Double]
    var error: (any Error)?
  }
  private let explorer: Explorer
  private let jobs: Int
  private let counter = PrefixCounter()
  private let state: Mutex<State>
  /// A thread has found something, or the limit or the progress said that it is enough.
  private let isOver = Atomic<Bool>(false)
  private let runs = Atomic<Int>(0)

  init(_ explorer: Explorer, _ jobs: Int) {
    self.explorer = explorer
    self.jobs = jobs
    state = Mutex(
      State(results: Array(repeating: nil, count: jobs), shares: Array(repeating: 0, count: jobs)))
  }

  func work(_ job: Int, _ program: @Sendable (World) throws -> Void) {
    do {
      var mine = explorer
      mine.progress = nil
      mine.limits.schedules = .max
      if explorer.isSample, let part = explorer.partition {
        mine.partition = Partition(
          depth: part.depth, index: part.index + part.count * job, count: part.count * jobs)
      }
      var search = try Search(mine, mine.runner(), mine.isSample ? nil : counter)
      // Relaxed: a hint to stop; the results travel with the lock.
      while !isOver.load(ordering: .relaxed) {
        let before = search.result.schedules + search.result.redundant
        guard try search.run(program) else {
          if search.result.finding != nil { isOver.store(true, ordering: .relaxed) }
          state.withLock { $0.results[job] = search.result }
          return
        }
        // A run of another's prefix is none.
        if search.result.schedules + search.result.redundant > before { tell(job, search) }
      }
      search.stop()
      state.withLock { $0.results[job] = search.result }
    } catch {
      isOver.store(true, ordering: .relaxed)
      state.withLock { if $0.error == nil { $0.error = error } }
    }
  }

  /// After each run: the limit, and now and then the progress.
  private func tell(_ job: Int, _ search: Search) {
    let runs = runs.wrappingAdd(1, ordering: .relaxed).newValue
    if runs >= explorer.limits.schedules { isOver.store(true, ordering: .relaxed) }
    let interval = max(1, explorer.progressInterval)
    guard let progress = explorer.progress else { return }
    if runs % interval != 0 && search.result.schedules % interval != 0 { return }
    let goesOn = state.withLock { state in
      state.results[job] = search.result
      state.shares[job] = search.share
      if runs % interval != 0 { return true }
      let results = state.results.compactMap { $0 }
      return progress(
        Progress(
          schedules: results.map(\.schedules).reduce(0, +), redundant: results.map(\.redundant).reduce(0, +),
          steps: results.map(\.steps).reduce(0, +),
          share: state.shares.reduce(0, +) / Double(state.shares.count), checkpoint: { nil }))
    }
    if !goesOn { isOver.store(true, ordering: .relaxed) }
  }

  /// What all have come to together.
  func joined(_ part: Partition) throws -> Exploration {
    let (results, error) = state.withLock { ($0.results.compactMap { $0 }, $0.error) }
    if let error { throw error }
    var sum = Exploration.sum(results)
    sum.partition = part
    // Those that were handed out are explored by somebody: nobody's are passed, unless they are another part's.
    sum.passed =
      sum.prefixes == 0 ? 0 : sum.prefixes - (sum.prefixes - part.index + part.count - 1) / part.count
    sum.checkpoint = nil
    return sum
  }
}
