// A public operation of the core as data: who calls it, what it needs, and what must hold when it returns.
//
// Law: an operation is legal beside every other one on the list, as the manual says: so whatever a pair comes to is the core's doing.

import Exploration
import SimulatedMachine
import SoftInterrupts

/// Which of a program's actors one is.
struct Side {
  /// 0 for the first; also its CPU, if it is base code.
  var index: Int
  /// Another CPU.
  var other: Int
}

/// One operation of the API, with its own postcondition.
public struct PublicOperation: Sendable, CustomStringConvertible {
  /// Who calls.
  public enum Place: Sendable {
    /// Base code on a CPU of its own.
    case base
    /// A thread that is no CPU.
    case visitor
    /// A run of a handler on a CPU of its own, which the base code there schedules.
    case handler(Level, WayIn)
  }

  public var name: String
  /// The declarations that it stands for, as ``PublicSurface`` spells them.
  public var covers: [String]
  public var place: Place
  var prepare: @Sendable (Stage) throws -> Void
  var body: @Sendable (Stage, Side, borrowing Here<Machinery>) -> Void
  var visit: @Sendable (Stage, Side) -> Void

  public var description: String { name }

  /// Of base code, or of a handler's run.
  init(
    _ name: String, _ covers: [String], in place: Place = .base,
    prepare: @escaping @Sendable (Stage) throws -> Void = { _ in },
    _ body: @escaping @Sendable (Stage, Side, borrowing Here<Machinery>) -> Void
  ) {
    self.name = name
    self.covers = covers
    self.place = place
    self.prepare = prepare
    self.body = body
    visit = { _, _ in }
  }

  /// What a stage has to have, said in front of the body that uses it.
  static func with(
    _ prepare: @escaping @Sendable (Stage) throws -> Void
  ) -> @Sendable (Stage) throws -> Void { prepare }

  /// Of a visitor.
  init(
    visitor name: String, _ covers: [String], prepare: @escaping @Sendable (Stage) throws -> Void = { _ in },
    _ visit: @escaping @Sendable (Stage, Side) -> Void
  ) {
    self.name = name
    self.covers = covers
    place = .visitor
    self.prepare = prepare
    self.visit = visit
    body = { _, _, _ in }
  }

  /// Puts it on a stage: base code of CPU `side.index`, or a thread.
  func enter(_ stage: Stage, _ side: Side) throws {
    let world = stage.world
    switch place {
    case .base: world.base(on: side.index) { here in body(stage, side, here) }
    case .visitor: world.visitor("visitor \(side.index)") { visit(stage, side) }
    case .handler(let level, let way):
      let inside = try stage.system.establish("inside \(side.index)", at: level, as: way) { here in
        body(stage, side, here)
      }
      world.base(on: side.index) { _ in inside.schedule() }
    }
  }
}

extension PublicOperation {
  /// Every public operation of the core.
  public static var all: [PublicOperation] {
    raising + handlers + callouts + data + crossCPU + life
  }
}
