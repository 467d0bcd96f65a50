// Masks and raises that nobody contends for.
//
// Law: every side runs the same loop around the same addition to one word, on the same pinned thread; what the loop takes without a
// pair is subtracted from all.

import CPeers
import CxxPeers
import Gauges
import Glibc
import HostedMachine
import HotPaths
import SoftInterrupts
import Synchronization

/// The work of the measured loops without the pair.
@inline(never) private func addLoop(_ count: Int, _ word: UnsafeMutablePointer<UInt64>) {
  for _ in 0..<count {
    word.pointee &+= 1
    HostedMachine.lightFence()
  }
}

private let swiftMutex = Mutex<UInt64>(0)
@inline(never) private func swiftMutexPairs(_ count: Int) {
  for _ in 0..<count { swiftMutex.withLock { $0 &+= 1 } }
}

@inline(never) private func sigmaskPairs(_ count: Int, _ word: UnsafeMutablePointer<UInt64>) {
  var block = sigset_t()
  var old = sigset_t()
  sigfillset(&block)
  for _ in 0..<count {
    pthread_sigmask(SIG_SETMASK, &block, &old)
    word.pointee &+= 1
    pthread_sigmask(SIG_SETMASK, &old, nil)
  }
}

/// The settings that `softint compare` measures with.
func usualConfiguration() -> Configuration {
  var configuration = Configuration()
  configuration.onViolation = .collect
  configuration.pollInterval = 1_000
  return configuration
}

private let pairs = 400_000

/// One session on one CPU: `ours` and each peer take a count and are timed there, the empty loop subtracted.
private func pairSession(
  _ ours: @escaping (System, Int, UnsafeMutablePointer<UInt64>) -> Void,
  _ peers: (System, UnsafeMutablePointer<UInt64>) -> [(Contender, Int, (Int) -> Void)]
) throws -> Session {
  let system = try System(on: .hosted(cpus: 1), usualConfiguration())
  let word = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
  word.initialize(to: 0)
  func timed(_ count: Int, _ body: @escaping (Int) -> Void) -> [Double] {
    onCPU(system) {
      [steadily(count, body) - steadily(count) { addLoop($0, word) }]
    }
  }
  return Session(
    ours: { timed(pairs) { ours(system, $0, word) } },
    peers: peers(system, word).map { contender, count, body in
      var contender = contender
      if contender.missing == nil { contender.round = { timed(count, body) } }
      return contender
    }, close: { system.shutdown() })
}

/// What excludes others as a level does; none of them has an order, serves meanwhile, or keeps handlers of its CPU out.
private func locks(
  _ name: String, _ goal: Goal?, _ word: UnsafeMutablePointer<UInt64>
) -> [(Contender, Int, (Int) -> Void)] {
  let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  pthread_mutex_init(mutex, nil)
  let goals = goal.map { [name: $0] } ?? [:]
  var all: [(Contender, Int, (Int) -> Void)] = [
    (
      Contender(
        name: "pthread_mutex",
        note:
          "One lock: keeps others out and parks them. No order between locks, nothing is served while waiting.",
        goals: goals), pairs, { mutexPairs(mutex, $0, word) }
    ),
    (
      Contender(name: "Swift Mutex", note: "As pthread_mutex, in the standard library, on a futex."), pairs,
      { swiftMutexPairs($0) }
    ),
    (
      Contender(name: "std::mutex", note: "As pthread_mutex, of which it is made."), pairs,
      { peer_std_mutex_pairs(UInt64($0), word) }
    ),
  ]
  let spin =
    "A spin lock of Concurrency Kit: who waits burns its processor, and if the holder is descheduled, so do all."
  all.append(
    peer_has_ck()
      ? (Contender(name: "ck_spinlock_fas", note: spin), pairs, { peer_ck_fas_pairs(UInt64($0), word) })
      : (.missing("ck_spinlock_fas", spin, package: "libck-dev"), 0, { _ in }))
  return all
}

func levelExperiments() -> [Experiment] {
  let guarded = Count(0)
  return [
    Experiment("mask", "mask and unmask, nothing pending") {
      try pairSession({ maskPairs($0, $1, $2) }) { _, word in
        [
          (
            Contender(
              name: "pthread_sigmask",
              note:
                "The kernel's own mask, two calls: keeps signals of the thread out, as a mask keeps handlers of the CPU out.",
              goals: ["mask": .atMost(0.01)]), pairs / 10, { sigmaskPairs($0, word) }
          )
        ]
      }
    },
    Experiment("raise", "raise from none to softNet and lower, cumulative") {
      try pairSession({ raisePairs($0, $1, $2) }) { _, word in locks("raise", .atMost(0.8), word) }
    },
    Experiment("raise-exact", "raise to softNet and lower, exact") {
      try pairSession({ exactPairs($0, $1, $2) }) { _, word in locks("raise-exact", .atMost(0.8), word) }
    },
    Experiment("raise-typed", "typed raise to softNet, open, lower") {
      try pairSession({ system, count, _ in system.base { base in typedPairs(&base, count, guarded) } }) {
        system, word in
        Array(locks("raise-typed", .atMost(0.8), word).prefix(2)) + [
          (
            Contender(
              name: "exact raise, untyped", note: "Our own, with the verdict at run time.",
              goals: ["raise-typed": .atMost(1.15)]), pairs, { exactPairs(system, $0, word) }
          )
        ]
      }
    },
  ]
}
