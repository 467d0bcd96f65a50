// Timers: arming, cancelling, moving and expiring some among many that are armed, chosen at random.
//
// Law: the same choices and the same delays for all; a figure ends when what was asked for is in effect, on whichever thread that is done;
// each operation finds cold caches where the timers do not fit into them, and chooses anew; nothing expires but what is to. A peer whose
// operation is slow does fewer of them, and says so.

import CPeers
import Gauges
import HostedMachine
import HotPaths

/// Other memory, more than the caches hold: after it has been gone through, they hold nothing else.
private struct ColdCaches {
  let bytes = 64 << 20
  let memory: UnsafeMutableRawPointer
  init() {
    memory = .allocate(byteCount: bytes, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
  }
  func come() {
    for place in stride(from: 0, to: bytes, by: 64) {
      let byte = memory.load(fromByteOffset: place, as: UInt8.self)
      memory.storeBytes(of: byte &+ 1, toByteOffset: place, as: UInt8.self)
    }
  }
  func deallocate() { memory.deallocate() }
}

// MARK: Sessions

private func session(_ suffix: String, _ armed: Int) throws -> Session {
  var random = Fixed()
  let operations = min(4_096, armed / 2)
  let isCold = armed > 10_000
  // What takes microseconds in all is timed in parts.
  let parts = isCold ? 1 : 20
  let cold = ColdCaches()
  let coolDown = { if isCold { cold.come() } }
  let system = try System(on: .hosted(cpus: 1))
  let ours = try OurTimers(system, armed, &random)
  var goals: [String: Goal] = [:]
  for operation in ["arm", "cancel", "move", "expire", "postpone"] {
    goals["callout-\(operation)-\(suffix)"] = .atMost(0.2)
  }
  func peer(
    _ name: String, _ note: String, _ timers: any Timers, _ operations: Int, goals: [String: Goal] = [:]
  ) -> Contender {
    var random = Fixed()
    return Contender(
      name: name, note: note, goals: goals,
      round: { timers.round(parts, operations, of: armed, &random, coolDown) })
  }
  // A loop's cancel looks through its heap: with a million, a few have to do.
  let few = armed > 10_000 ? 32 : operations
  let dispatch = DispatchTimers(armed, &random)
  var dispatchByProcessor = dispatch
  dispatchByProcessor.clock = processorTime
  let loop = LoopTimers(armed, &random)
  var peers = [
    peer(
      "dispatch timers",
      "Timer sources, until the change is in effect: it is written down by the caller and made by a manager thread, on the other processor; the wake-up of one that has nothing to do is taken off. A cancelled one cannot be armed again, so \"never\" stands for it. Cancelling says nothing about a handler that may be running.",
      dispatch, operations, goals: goals),
    peer(
      "dispatch timers, processor time",
      "The same, by what both processors spend on it; ours is on one.",
      dispatchByProcessor, operations, goals: goals),
    peer(
      "NIO scheduled tasks",
      "A promise and a closure are made for each\(few < operations ? "; \(few) operations a round, since a cancel looks through all" : "").",
      loop, few, goals: goals),
  ]
  var closes: [any Timers] = [dispatch, loop]
  let note = "A heap within one loop; milliseconds; no exclusion with other threads."
  if peer_has_uv() {
    let timers = UVTimers(armed, &random)
    peers.append(peer("libuv timers", note, timers, operations))
    closes.append(timers)
  } else {
    peers.append(.missing("libuv timers", note, package: "libuv1-dev"))
  }
  // What the memory allows: a handle and a line for each that is armed, as ours has them.
  let memory = peer_touch_new(UInt64(armed))
  for (isLocked, instructions, name, note) in [
    (
      false, 0, "touching as much memory",
      "A handle of 16 bytes and, behind it, a line for each that is armed: one word of each chosen is changed, in the same order. Nothing waits for the one before."
    ),
    (
      true, 0, "touching it under a lock",
      "The same, each under a spin lock that is taken for it: one exchange and one store more, as whatever other threads may change needs."
    ),
    (
      true, 100, "touching it, with 100 instructions",
      "The same, with a hundred additions in each section: the processor looks some 300 instructions ahead, so what an operation does besides decides how many of the waits for memory overlap. A floor for any operation of as many instructions."
    ),
  ] {
    var choice = Fixed()
    peers.append(
      Contender(
        name: name, note: note, goals: isLocked ? [:] : ["callout-move-\(suffix)": .atMost(1.5)],
        round: {
          onCPU(system) {
            // In the place of each operation, after as much as came before it: what the caches keep of the page tables decides as well.
            let touches = (0..<parts).map { _ in
              ["cancel", "arm", "move", "postpone"].map { _ in
                let choices = Choices(operations, of: armed, &choice)
                coolDown()
                return time(operations) { _ in
                  peer_touch(memory, choices.which, UInt64(operations), isLocked, UInt64(instructions))
                }
              }
            }
            let (move, postpone) = (median(touches.map { $0[2] }), median(touches.map { $0[3] }))
            return [.nan, .nan, move, .nan, postpone]
          }
        }))
  }
  let others = closes
  return Session(
    ours: { onCPU(system) { ours.round(parts, operations, of: armed, &random, coolDown) } }, peers: peers,
    close: {
      for timers in others { timers.close() }
      ours.close()
      peer_touch_free(memory)
      cold.deallocate()
    })
}

func calloutExperiments() -> [Experiment] {
  [("1k", 1_000), ("1M", 1_000_000)].map { suffix, armed in
    let what = [
      ("arm", "arm a callout"), ("cancel", "cancel one"), ("move", "give one that is armed another time"),
      ("expire", "arm one that is due, and run it"),
      ("postpone", "put one that is armed off to a later time"),
    ]
    return Experiment(
      what.map {
        Figure(name: "callout-\($0.0)-\(suffix)", title: "\($0.1), \(suffix) armed, chosen at random")
      }, roundLimit: armed > 10_000 ? 7 : .max
    ) { try session(suffix, armed) }
  }
}
