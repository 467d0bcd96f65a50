// Weakening each order of the core in turn, and what finds it.
//
// Law: a weakening counts as found only if the program that finds it holds with every order as stated. Programs that do not
// execute a site are not run for it.

#if Mutants
  public import Exploration
  public import SoftInterrupts

  /// A site, weaker in one part, and what came of it.
  public struct WeakenedSite: Sendable {
    public var site: OrderingSite
    public var part: WeakenedPart
    /// Who found it: the program, after how many schedules, and the rule that was broken; nil if nobody did.
    public var found: (program: String, schedules: Int, rule: String)?
    /// How many programs execute the site.
    public var programs: Int
    /// Schedules that were run without finding it.
    public var schedules: Int
  }

  public struct OrderingSweep {
    public let programs: [OrderingProgram]
    /// What each program executes.
    public private(set) var sites: [Set<OrderingSite>] = []
    /// Each program with every order as stated.
    public private(set) var baselines: [Exploration] = []

    /// Runs every program as stated, noting what it executes.
    public init(_ programs: [OrderingProgram], progress: (OrderingProgram, Exploration) -> Void) throws {
      self.programs = programs
      for program in programs {
        var exploration: Exploration?
        sites.append(try Weakening.recording { exploration = try program.explore() })
        baselines.append(exploration!)
        progress(program, exploration!)
      }
    }

    /// The programs that do not hold as stated.
    public var broken: [(OrderingProgram, Finding)] {
      zip(programs, baselines).compactMap { program, result in result.finding.map { (program, $0) } }
    }

    /// All sites that are executed, in the order of the source.
    public var allSites: [OrderingSite] {
      sites.reduce(into: Set()) { $0.formUnion($1) }.sorted {
        ($0.file, $0.line, $0.column) < ($1.file, $1.line, $1.column)
      }
    }

    /// Runs the programs that execute a site with one part of it gone, the cheapest first, until one does not hold; of each at
    /// most `limit` schedules.
    public func weaken(
      _ site: OrderingSite, _ part: WeakenedPart, limit: Int = .max
    ) throws -> WeakenedSite {
      let indices = programs.indices.filter { sites[$0].contains(site) && baselines[$0].finding == nil }
        .sorted { baselines[$0].steps < baselines[$1].steps }
      var result = WeakenedSite(site: site, part: part, found: nil, programs: indices.count, schedules: 0)
      for index in indices {
        var program = programs[index]
        program.proof.limits.schedules = min(program.proof.limits.schedules, limit)
        let exploration = try Weakening.with([(site, part)]) { try program.explore() }
        if let finding = exploration.finding {
          result.found = (program.description, exploration.schedules, "\(finding.rule)")
          return result
        }
        result.schedules += exploration.schedules
      }
      return result
    }

    /// Of weakenings that nobody finds alone: as many as can be gone at once with all programs holding, and those that cannot be gone
    /// besides these, with what finds them then. Tries many at once, and halves what does not hold.
    public func weakenTogether(
      _ weakenings: [(site: OrderingSite, part: WeakenedPart)], limit: Int = .max,
      progress: (String) -> Void
    ) throws -> (gone: [(site: OrderingSite, part: WeakenedPart)], backed: [WeakenedSite]) {
      var gone: [(site: OrderingSite, part: WeakenedPart)] = []
      var backed: [WeakenedSite] = []
      var left = [weakenings]
      while let next = left.popLast() {
        guard let first = next.first else { continue }
        let found = try finds(gone + next, limit: limit)
        progress("\(gone.count) gone, \(next.count) more: \(found.map { "\($0)" } ?? "holds")")
        if found == nil {
          gone += next
        } else if next.count == 1 {
          let programs = sites.filter { $0.contains(first.site) }.count
          backed.append(
            WeakenedSite(site: first.site, part: first.part, found: found, programs: programs, schedules: 0))
        } else {
          left.append(Array(next[(next.count / 2)...]))
          left.append(Array(next[..<(next.count / 2)]))
        }
      }
      return (gone, backed)
    }

    /// The first program that does not hold with all of these gone.
    private func finds(
      _ weakenings: [(site: OrderingSite, part: WeakenedPart)], limit: Int
    ) throws -> (program: String, schedules: Int, rule: String)? {
      let indices = programs.indices.filter { index in
        baselines[index].finding == nil && weakenings.contains { sites[index].contains($0.site) }
      }
      for index in indices.sorted(by: { baselines[$0].steps < baselines[$1].steps }) {
        var program = programs[index]
        program.proof.limits.schedules = min(program.proof.limits.schedules, limit)
        let exploration = try Weakening.with(weakenings) { try program.explore() }
        if let finding = exploration.finding {
          return (program.description, exploration.schedules, "\(finding.rule)")
        }
      }
      return nil
    }
  }
#endif
