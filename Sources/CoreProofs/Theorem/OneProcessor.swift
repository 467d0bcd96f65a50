// The theorem's other side: every outcome that a program has on one processor, by an interpreter that knows nothing of the core.
//
// One processor, one stack. A pending handler may be dispatched at any later point at which its level is above the IPL, and is then
// on top until it ends; an armed callout too, and it looks under its guard whether it is still armed. Base codes take turns where
// the one that runs is at IPL `none`; in a big-lock section they take turns with those only that want none. A raise lifts
// the IPL and that is all: there are no gates here. Devices interrupt at any point.
//
// A schedule of what is pending may do nothing more, or may lead to a run of its own: coalescing is permitted, not required, because
// a request of another CPU can be on its way. (With one bit for each handler and CPU instead outcomes of two CPUs are
// outside: TheoremTests.)

import SoftInterrupts

/// All outcomes of a program on one processor.
public struct OneProcessor {
  /// As ``RandomProgram/build(_:checking:)`` says them; nil if there were more states than the limit.
  public private(set) var outcomes: Set<String>?
  public private(set) var states = 0

  /// What an actor does, flat.
  private enum Instruction {
    case update(Int, UInt64)
    case mix(Int, Int)
    case schedule(Int)
    case arm(Int)
    case cancel(Int, Int, UInt64)
    /// Ends the actor if the callout was taken back; else it is armed no longer.
    case begin(Int)
    case enterBigLock, leaveBigLock
    /// Nothing but another IPL.
    case move
  }
  private struct Actor {
    var code: [Instruction] = []
    /// Before each instruction, and at the end.
    var ipl: [Level] = []
    /// Between them, inside of a big-lock section.
    var isBig: [Bool] = []
  }

  /// A state of the processor, small and flat: there are many.
  private struct State: Hashable {
    var data = SIMD4<UInt64>()
    /// Four bits a handler: how often it is pending.
    var pending: UInt32 = 0
    var armed: UInt8 = 0
    var fired: UInt8 = 0
    /// The base code that may not be switched from, counted from 1; 0 for none.
    var base: UInt8 = 0
    /// Eight bits for each base code's place.
    var places: UInt64 = 0
    /// Actors and places of the runs on the stack, 8 bits each, the top in the lowest ones; actors are counted from 1.
    var stack: UInt64 = 0
  }

  private let program: RandomProgram
  /// Base codes, then handlers, then callouts.
  private var actors: [Actor] = []
  private let limit: Int

  public init(_ program: RandomProgram, limit: Int = 200_000) {
    precondition(program.data.count <= 4 && program.handlers.count <= 8 && program.devices.count <= 8)
    precondition(program.bases.count <= 8 && program.callouts.count <= 8)
    self.program = program
    self.limit = limit
    for base in program.bases {
      var actor = Actor()
      if base.isBigLock { Self.add(.enterBigLock, .none, false, &actor) }
      Self.flatten(base.steps, .none, base.isBigLock, &actor)
      if base.isBigLock { Self.add(.leaveBigLock, .none, true, &actor) }
      Self.end(.none, &actor)
      actors.append(actor)
    }
    for work in program.handlers {
      var actor = Actor()
      Self.flatten(work.steps, work.level, false, &actor)
      Self.end(work.level, &actor)
      actors.append(actor)
    }
    for (index, timer) in program.callouts.enumerated() {
      var actor = Actor()
      Self.add(.move, timer.level, false, &actor)
      Self.add(.begin(index), max(timer.level, timer.guardLevel), false, &actor)
      Self.flatten(timer.steps, max(timer.level, timer.guardLevel), false, &actor)
      Self.end(timer.level, &actor)
      actors.append(actor)
    }
    explore()
  }

  private static func add(_ instruction: Instruction, _ ipl: Level, _ isBig: Bool, _ actor: inout Actor) {
    actor.code.append(instruction)
    actor.ipl.append(ipl)
    actor.isBig.append(isBig)
  }
  private static func end(_ ipl: Level, _ actor: inout Actor) {
    actor.ipl.append(ipl)
    actor.isBig.append(false)
  }

  private static func flatten(_ steps: [Step], _ ipl: Level, _ isBig: Bool, _ actor: inout Actor) {
    for step in steps {
      switch step {
      case .update(let datum, let constant): add(.update(datum, constant), ipl, isBig, &actor)
      case .mix(let datum, let from): add(.mix(datum, from), ipl, isBig, &actor)
      case .schedule(let handler): add(.schedule(handler), ipl, isBig, &actor)
      case .arm(let callout): add(.arm(callout), ipl, isBig, &actor)
      case .cancel(let callout, let datum, let constant):
        add(.cancel(callout, datum, constant), ipl, isBig, &actor)
      // (Programs with what masks or waits are not compared.)
      case .open, .checkpoint, .wait, .signal: add(.move, ipl, isBig, &actor)
      case .lock(_, let inner): flatten(inner, ipl, isBig, &actor)
      case .raise(let level, let inner), .exactly(let level, let inner), .mask(let level, let inner):
        // What was at the lower IPL ends with a step of its own, so that interrupts come between.
        add(.move, ipl, isBig, &actor)
        flatten(inner, max(ipl, level), isBig, &actor)
        add(.move, max(ipl, level), isBig, &actor)
      }
    }
  }

  // MARK: The search

  private mutating func explore() {
    var seen: Set<State> = []
    var open: [State] = []
    var ends: Set<SIMD4<UInt64>> = []
    let first = State()
    seen.insert(first)
    open.append(first)
    while let state = open.popLast() {
      states += 1
      if states > limit { return }
      var isEnd = true
      successors(of: state) { next in
        isEnd = false
        if seen.insert(next).inserted { open.append(next) }
      }
      if isEnd { ends.insert(state.data) }
    }
    let count = program.data.count
    outcomes = Set(ends.map { data in RandomProgram.outcome((0..<count).map { data[$0] }) })
  }

  private func successors(of state: State, _ visit: (State) -> Void) {
    for device in program.devices.indices where state.fired >> UInt8(device) & 1 == 0 {
      var next = state
      next.fired |= 1 << UInt8(device)
      schedule(program.devices[device].handler, &next)
      visit(next)
    }
    let ipl: Level
    if state.stack != 0 {
      let actor = Int(state.stack >> 8 & 0xff) - 1
      let place = Int(state.stack & 0xff)
      ipl = actors[actor].ipl[place]
      step(actor, place, state, isBase: false, visit)
    } else {
      if state.base != 0 {
        let base = Int(state.base) - 1
        ipl = actors[base].ipl[self.place(of: base, state)]
      } else {
        ipl = .none
      }
      for base in program.bases.indices where state.base == 0 || Int(state.base) - 1 == base {
        step(base, place(of: base, state), state, isBase: true, visit)
      }
    }
    for (handler, work) in program.handlers.enumerated() where work.level > ipl {
      let pending = state.pending >> UInt32(4 * handler) & 15
      if pending == 0 { continue }
      // It answers for one of the schedules, or for several.
      for answered in 1...pending {
        var next = state
        next.pending -= answered << UInt32(4 * handler)
        push(program.bases.count + handler, &next)
        visit(next)
      }
    }
    for (callout, timer) in program.callouts.enumerated()
    where timer.level > ipl && state.armed >> UInt8(callout) & 1 != 0 {
      var next = state
      push(program.bases.count + program.handlers.count + callout, &next)
      visit(next)
    }
  }

  private func place(of base: Int, _ state: State) -> Int { Int(state.places >> UInt64(8 * base) & 0xff) }

  private func push(_ actor: Int, _ state: inout State) {
    precondition(state.stack >> 48 == 0, "more runs on the stack than levels")
    state.stack = state.stack << 16 | UInt64(actor + 1) << 8
    popEnded(&state)
  }

  private func popEnded(_ state: inout State) {
    while state.stack != 0 {
      let actor = Int(state.stack >> 8 & 0xff) - 1
      if Int(state.stack & 0xff) < actors[actor].code.count { return }
      state.stack >>= 16
    }
  }

  private func schedule(_ handler: Int, _ state: inout State) {
    precondition(state.pending >> UInt32(4 * handler) & 15 < 15, "a handler is pending too often")
    state.pending += 1 << UInt32(4 * handler)
  }

  /// One instruction of an actor.
  private func step(_ actor: Int, _ place: Int, _ state: State, isBase: Bool, _ visit: (State) -> Void) {
    guard place < actors[actor].code.count else { return }
    var next = state
    var to = place + 1
    switch actors[actor].code[place] {
    case .update(let datum, let constant): next.data[datum] = next.data[datum] &* 31 &+ constant
    case .mix(let datum, let from): next.data[datum] = next.data[datum] &* 31 &+ next.data[from]
    case .schedule(let handler): schedule(handler, &next)
    case .arm(let callout): next.armed |= 1 << UInt8(callout)
    case .cancel(let callout, let datum, let constant):
      let isArmed = next.armed >> UInt8(callout) & 1 != 0
      next.armed &= ~(1 << UInt8(callout))
      next.data[datum] = next.data[datum] &* 31 &+ (isArmed ? constant : constant + 1)
    case .begin(let callout):
      if next.armed >> UInt8(callout) & 1 == 0 { to = actors[actor].code.count }
      next.armed &= ~(1 << UInt8(callout))
    case .enterBigLock:
      // Another base code is in a section of its own.
      for other in program.bases.indices where other != actor {
        if actors[other].isBig[self.place(of: other, state)] { return }
      }
    case .leaveBigLock, .move: break
    }
    if isBase {
      next.places = next.places & ~(0xff << UInt64(8 * actor)) | UInt64(to) << UInt64(8 * actor)
      next.base = actors[actor].ipl[to] == .none ? 0 : UInt8(actor + 1)
    } else {
      next.stack = next.stack & ~0xff | UInt64(to)
      popEnded(&next)
    }
    visit(next)
  }
}
