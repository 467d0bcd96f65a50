// A scenario: a program on the core, written down as data.
//
// Law: a scenario is a value; every name in it has been resolved to an index, and everything that the machine or the core would trap
// on has been refused. So the program that it becomes can be built again for each schedule, on any thread.

public import Exploration
public import SimulatedMachine
public import SoftInterrupts

/// A program on the core, and what is expected of it.
public struct Scenario: Sendable {
  public var name: String
  /// Where the bug comes from, in a few lines.
  public var history: [String]
  public var cpus: Int
  public var recognition: Recognition
  public var memory: MemoryModel
  public var strategy: Strategy
  public var limits: Limits
  public var configuration: Configuration
  public var expectation: Expectation?
  public var expectationsUnder: [ScenarioDiscipline: Expectation]

  /// The discipline that was put over it; nil for the ways in that it says itself.
  public internal(set) var discipline: ScenarioDiscipline?

  /// Of the text that it was read from: the parts of a search must be of one scenario. FNV-1a, 64 bits: it tells slips apart, not forgeries.
  public internal(set) var digest = ""

  var data: [Datum]
  var cells: [Cell]
  var locks: [Lock]
  var conditions: [Signal]
  var handlers: [HandlerPlan]
  var callouts: [CalloutPlan]
  var base: [BasePlan]
  var visitors: [NamedBody]
  var devices: [NamedBody]
  var clocks: [UInt64]
  var finally: Body
  /// What a run came to, of these values; empty if the scenario names none.
  var outcome: [(name: String, operand: Operand)]
}

/// What a scenario is to come to.
public struct Expectation: Sendable, Equatable {
  public var isViolation: Bool
  /// Which rule, by its ``Exploration/Rule/identifier``; nil for any.
  public var rule: String?
}

/// How many CPUs run what, said for all handlers at once.
public enum ScenarioDiscipline: String, Sendable, CaseIterable {
  /// On one CPU: what was true before there were several.
  case oneCPU
  /// Every handler under the big lock, base code too.
  case bigLock
  /// Every handler under the gate of its level.
  case ordered
  /// As ordered, and no handler touches another soft level.
  case disjoint
  /// Every handler under no gate.
  case mpSafe
}

// MARK: What is declared

struct Datum: Sendable {
  var name: String
  var guardLevel: Level?
  var value: Int
}

struct Cell: Sendable {
  var name: String
  var level: Level
  var value: Int
}

struct Lock: Sendable {
  var name: String
  /// Nil for a plain lock.
  var level: Level?
  var rank: Int32
}

struct Signal: Sendable {
  var name: String
  var guardLevel: Level
}

struct HandlerPlan: Sendable {
  var name: String
  var level: Level
  var way: WayIn
  var placement: Placement
  var body: Body
}

struct CalloutPlan: Sendable {
  var name: String
  var level: Level
  var guardLevel: Level?
  var way: WayIn
  var isExact: Bool
  var cpu: Int
  var body: Body
}

struct BasePlan: Sendable {
  var cpu: Int
  var way: BaseWay
  var body: Body
}

struct NamedBody: Sendable {
  var name: String
  var body: Body
}

/// Steps that somebody does one after the other, and how many values of its own they keep.
struct Body: Sendable {
  var steps: [Step] = []
  var locals = 0
}

// MARK: Steps

struct Step: Sendable {
  /// The line of the file, for the witness.
  var line: UInt
  var action: Action
}

indirect enum Action: Sendable {
  case read(Operand, into: Int?)
  case write(Place, Operand)
  case add(Place, Operand)
  case set(Int, Operand)
  case raise(Level, isExact: Bool, [Step])
  case tryRaise(Level, [Step], otherwise: [Step])
  case mask(Level, [Step])
  case bigLock([Step])
  case lock(Int, [Step])
  case open(Int, [Step])
  case leaveCPU([Step])
  case schedule(Int, on: Int?, into: Int?)
  case retireSelf
  case disestablish(Int, into: Int?)
  case suspend(Int, into: Int?)
  case resume(Int, into: Int?)
  case setWay(Int, WayIn, into: Int?)
  case arm(Int, after: UInt64, into: Int?)
  case cancel(Int, into: Int?)
  case halt(Int, into: Int?)
  case retire(Int, into: Int?)
  case wait(Int, Test, into: Int?)
  case broadcast(Int)
  case crossCall(Int, at: Level, isWaited: Bool, Body, into: Int?)
  case barrier(Level, into: Int?)
  case checkpoint, yield, point
  case offline(Int, into: Int?)
  case online(Int, into: Int?)
  case spin(Test)
  case branch(Test, [Step], otherwise: [Step])
  case times(Int, [Step])
  case expect(Test, String)
}

/// Where a value is put.
enum Place: Sendable {
  case datum(Int)
  /// Of the CPU that has it open.
  case cell(Int)
}

/// Where a value comes from.
enum Operand: Sendable {
  case constant(Quantity)
  case place(Place)
  case local(Int)
  /// A cell's values added up, at the end.
  case sum(Int)
  case handlerRuns(Int)
  case calloutRuns(Int)
}

/// A number, or the word that an operation answered.
enum Quantity: Sendable, Equatable, CustomStringConvertible {
  case number(Int)
  case answer(Answer)

  var description: String {
    switch self {
    case .number(let number): String(number)
    case .answer(let answer): answer.rawValue
    }
  }
}

/// What operations answer.
enum Answer: String, Sendable, CaseIterable {
  case scheduled, coalesced, notEstablished, offline
  case armed, rearmed, retired
  case cancelled, notArmed, mayBeRunning
  case done, refused
}

struct Test: Sendable {
  enum Relation: String, Sendable, CaseIterable {
    case equal = "is"
    case unequal = "isNot"
    case below = "isBelow"
    case above = "isAbove"
  }
  var left: Operand
  var relation: Relation
  var right: Operand
  /// As it is told: "packets is 2".
  var text: String
}
