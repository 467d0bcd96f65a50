// What the witness stops a program for.

import Glibc
import Testing

@testable import HostedMachine
@testable import SoftInterrupts

@Suite("The witness")
struct WitnessTests {
  @Test("H56: a thread that holds a gate of one system may not enter another")
  func h56() async {
    await #expect(processExitsWith: .failure) {
      let first = try System(on: .hosted(cpus: 1), quiet())
      let second = try System(on: .hosted(cpus: 1), quiet())
      first.raise(to: .softNet) { _ in second.raise(to: .softNet) { _ in } }
      exit(0)
    }
  }

  @Test("a violation traps by default, with one line that names rule, context and gates")
  func traps() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let system = try System(on: .hosted(cpus: 1))
      system.raise(exactly: .softNet) { here in here.raise(exactly: .softBio) { _ in } }
      exit(0)
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("softint: ") && text.contains("a visitor at softNet asked for softBio"))
    #expect(text.contains("holds gate softNet taken at"))
  }

  @Test(
    "a LevelLock that its own thread has already stops the program instead of waiting for itself, also where violations are collected"
  )
  func lockTwice() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let system = try System(on: .hosted(cpus: 1), quiet())
      let lock = system.levelLock(at: .softNet, 0)
      lock.withLock { _ in lock.withLock { _ in } }
      exit(0)
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("has this LevelLock already"))
  }
}
