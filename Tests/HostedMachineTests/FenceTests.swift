// What the machine does where the kernel refuses what it relies on.

import Glibc
import Testing

@testable import HostedMachine

@Suite("What the kernel refuses")
struct FenceTests {
  /// Has the kernel refuse a system call to the calling thread, with EPERM; false if it has no filters.
  static func refuse(_ call: UInt64) -> Bool {
    // It has a variable number of arguments, and is the same function with these five.
    typealias Prctl = @convention(c) (CInt, UInt, UInt, UInt, UInt) -> CInt
    guard let address = dlsym(nil, "prctl") else { return false }
    let prctl = unsafeBitCast(address, to: Prctl.self)
    // A `sock_filter` each: code, jumps, operand. Loads the number of the call; is it that one, it is refused, else permitted.
    func instruction(_ code: UInt64, _ jumpIfNot: UInt64, _ operand: UInt64) -> UInt64 {
      code | jumpIfNot << 24 | operand << 32
    }
    var program = [
      instruction(0x20, 0, 0), instruction(0x15, 1, call), instruction(0x06, 0, 0x5_0000 | UInt64(EPERM)),
      instruction(0x06, 0, 0x7fff_0000),
    ]
    return program.withUnsafeMutableBufferPointer { program in
      // A `sock_fprog`: how many, and where.
      var header = (UInt(program.count), UInt(bitPattern: program.baseAddress))
      return withUnsafePointer(to: &header) {
        // PR_SET_NO_NEW_PRIVS; PR_SET_SECCOMP, SECCOMP_MODE_FILTER.
        prctl(38, 1, 0, 0, 0) == 0 && prctl(22, 2, UInt(bitPattern: $0), 0, 0) == 0
      }
    }
  }

  @Test("a fence that other threads rely on and that is refused ends the program, and is not passed over")
  func refusedFence() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = HostedMachine(cpus: 1)
      #if arch(x86_64)
        let membarrier: UInt64 = 324
      #else
        let membarrier: UInt64 = 283
      #endif
      guard FenceTests.refuse(membarrier) else { exit(2) }
      HostedMachine.heavyFence()
      exit(0)
    }
    let text = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(text.contains("membarrier was there and is refused now"))
  }

  @Test("a machine has one system at a time: two would sleep on the same seats")
  func oneSystem() throws {
    let machine = HostedMachine(cpus: 1)
    let first = try System(on: machine)
    let error = #expect(throws: (any Error).self) { _ = try System(on: machine) }
    #expect("\(error.map { "\($0)" } ?? "")".contains("one system at a time"))
    let handler = try first.establish("answer", at: .softNet, as: .ordered) { _ in }
    #expect(handler.schedule() == .scheduled)
    #expect(first.shutdown().isComplete)
    // The next one, when the first has gone.
    #expect(try System(on: machine).shutdown().isComplete)
  }
}
