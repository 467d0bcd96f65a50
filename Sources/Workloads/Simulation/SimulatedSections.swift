// Many simulated CPUs that go through sections, each of its lane: what exclusion and the gate word's line leave of their work.
//
// Law: the core's own raise and lock in simulated time; a lane is a level, whose gate is a bit of the word that all levels share, or a lock,
// which is a word of its own. The same costs give the same figures.

public import ComparisonReport
import SimulatedMachine
import SoftInterrupts

/// What a simulation of sections came to.
public struct SimulatedSections: Sendable, Equatable {
  /// The work that was done in sections, in CPUs.
  public var work: Double
  /// Sections a second.
  public var perSecond: Double
  /// The part of the time in which the line of the gate word was under way, 0 to 1.
  public var gateLine: Double
}

/// Simulates `cpus` CPUs, each of which goes through sections of lane number CPU modulo `lanes`.
///
/// - Parameters:
///   - file: the costs.
///   - cpus: how many.
///   - lanes: how many, 1 or more.
///   - inside: how long a section takes, in nanoseconds.
///   - outside: how long a CPU is outside between two.
///   - hasOwnWords: lanes are locks, any number of them, instead of levels, of which there are four.
///   - nanoseconds: the simulated time.
/// - Throws: `ComparisonError` if a figure of the costs is missing.
public func simulateSections(
  _ file: CostFile, cpus: Int, lanes: Int, inside: Double, outside: Double, hasOwnWords: Bool,
  nanoseconds: UInt64
) throws(ComparisonError) -> SimulatedSections {
  let levels: [Level] = [.softNet, .softBio, .softSerial, .softClock]
  precondition(
    lanes >= 1 && (hasOwnWords || lanes <= levels.count), "a lane is a level, or has a word of its own")
  let costs: MeterModel
  do { costs = try MeterModel(file) } catch { throw ComparisonError(description: error.description) }
  let machine = SimulatedMachine(cpus: cpus)
  var configuration = Configuration()
  configuration.spinRounds = 100_000
  let system: SimulatedSystem
  do { system = try SimulatedSystem(on: machine, configuration) } catch {
    throw ComparisonError(description: error.description)
  }
  let locks = (0..<(hasOwnWords ? lanes : 0)).map { _ in system.levelLock(at: .softNet, ()) }
  nonisolated(unsafe) var sections = 0
  for cpu in 0..<cpus {
    let lane = cpu % lanes
    system.submit(on: cpu) { here in
      // Not all at the same time.
      SimulatedMachine.work((inside + outside) * Double(cpu) / Double(cpus))
      while SimulatedMachine.now() < nanoseconds {
        if hasOwnWords {
          locks[lane].withLock { _ in
            SimulatedMachine.work(inside)
            if SimulatedMachine.now() < nanoseconds { sections += 1 }
          }
        } else {
          here.raise(exactly: levels[lane]) { _ in
            SimulatedMachine.work(inside)
            // Those who waited when the time was over come in after it.
            if SimulatedMachine.now() < nanoseconds { sections += 1 }
          }
        }
        SimulatedMachine.work(outside)
      }
    }
  }
  let pilot = TimedPilot(costs.machine)
  // What is under way when the time is over is not counted.
  _ = machine.run(timed: pilot, until: nanoseconds)
  let gates = pilot.lineUse.first { $0.word == system.gatesWord }
  let end = machine.run(timed: pilot)
  guard end == .quiet else {
    throw ComparisonError(description: "sections: the simulation ended early (\(end))")
  }
  let time = Double(nanoseconds)
  system.shutdown()
  return SimulatedSections(
    work: Double(sections) * inside / time, perSecond: Double(sections) / time * 1e9,
    gateLine: min((gates?.busy ?? 0) / time, 1))
}
