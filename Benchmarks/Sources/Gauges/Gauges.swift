// What every measurement here uses: pinned threads, words on lines of their own, a clock around a loop.
//
// Law: nothing here belongs to one row or one peer.

import Dispatch
public import HostedMachine
import HotPaths
import SoftInterrupts

public typealias HostedWord = UnsafeMutablePointer<HostedMachine.Word>

/// `count` words from the beginning of a line on.
public func hostedWords(_ count: Int) -> HostedWord {
  let raw = UnsafeMutableRawPointer.allocate(byteCount: count * 8, alignment: 128)
  let words = raw.bindMemory(to: HostedMachine.Word.self, capacity: count)
  words.initialize(repeating: HostedMachine.Word(0), count: count)
  return words
}

public func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  return sorted.isEmpty ? .nan : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}

/// Nanoseconds for one of `count`.
@inline(__always) public func time(_ count: Int, _ body: (Int) throws -> Void) rethrows -> Double {
  let start = HostedMachine.now()
  try body(count)
  return Double(HostedMachine.now() - start) / Double(count)
}

/// The same for what takes nanoseconds: the median of 20 parts, so that a part in which something else had the processor is none.
@inline(__always) public func steadily(_ count: Int, _ body: (Int) throws -> Void) rethrows -> Double {
  var parts: [Double] = []
  for _ in 0..<20 { parts.append(try time(count / 20, body)) }
  return median(parts)
}

/// Runs each body on a pinned thread of its own, the first on the first processor, and waits for all.
public func together(_ bodies: (@Sendable () -> Void)...) throws {
  let system = try System(on: .hosted(cpus: bodies.count))
  let done = DispatchSemaphore(value: 0)
  for (cpu, body) in bodies.enumerated() {
    system.submit(on: cpu) { _ in
      body()
      done.signal()
    }
  }
  for _ in bodies { done.wait() }
  system.shutdown()
}

/// Waits until a word has a value; looks without a pause, which would be in the figure, and gives way once in a while, in case all share
/// a processor.
@inlinable @inline(__always) public func awaitValue(_ word: HostedWord, _ value: UInt) {
  var tries = 0
  while HostedMachine.Word.load(word, .acquire) != value {
    tries += 1
    if tries & 0xffff == 0 { yieldProcessor() }
  }
}

/// Nanoseconds for one turn of a read-modify-write that goes to and fro between two processors, `rounds` times `turns` there and back.
public func pingPong(rounds: Int, turns: Int = 200) throws -> [Double] {
  nonisolated(unsafe) let word = hostedWords(8)
  defer { word.deallocate() }
  nonisolated(unsafe) var times: [Double] = []
  @Sendable func play(_ side: UInt) {
    for round in 0..<UInt(rounds) {
      let start = HostedMachine.now()
      for turn in 0..<UInt(turns) {
        awaitValue(word, (round * UInt(turns) + turn) * 2 + side)
        _ = HostedMachine.Word.fetchAdd(word, 1, .acquireRelease)
      }
      // Each side has its own times; those of the first are taken.
      if side == 0 { times.append(Double(HostedMachine.now() - start) / Double(2 * turns)) }
    }
  }
  try together({ play(0) }, { play(1) })
  return times
}
