// Devices and signals: interrupts from outside.

import Glibc
import Testing

@testable import HostedMachine
@testable import SoftInterrupts

/// What the signal handler schedules. Set before the signals are sent.
nonisolated(unsafe) private var signalled: HandlerOf?

@Suite("Devices and signals")
struct DeviceTests {
  @Test("a pipe interrupts at its level whenever it can be read, until it is detached")
  func pipes() throws {
    try withSystem { system in
      var ends: [Int32] = [0, 0]
      #expect(pipe(&ends) == 0)
      for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
      let (input, output) = (ends[0], ends[1])
      let bytes = Counter()
      let device = try system.attach(input, on: 1) { here in
        #expect(here.level == .vm && here.cpu == 1)
        var byte: UInt8 = 0
        if read(input, &byte, 1) == 1 { bytes.add() }
      }
      for count in 1...20 {
        #expect(write(output, "ab", 2) == 2)
        #expect(eventually { bytes.count == 2 * count })
      }
      #expect(system.detach(device) == .done(dropped: 0) && system.detach(device) == .notEstablished)
      #expect(write(output, "ab", 2) == 2)
      system.settle(1)
      #expect(bytes.count == 40)
      close(input)
      close(output)
      #expect(throws: DeviceError.self) { _ = try system.attach(input, on: 1) { _ in } }
      #expect(throws: DeviceError.self) { _ = try system.attach(0, at: .softNet) { _ in } }
    }
  }

  @Test("a timer interrupts again and again")
  func timers() throws {
    try withSystem { system in
      let ticks = Counter()
      let timer = try system.attachTimer(every: .microseconds(200), on: 0) { _ in ticks.add() }
      #expect(eventually { ticks.count >= 5 })
      system.detach(timer)
      #expect(throws: DeviceError.self) { _ = try system.attachTimer(every: .zero) { _ in } }
    }
  }

  @Test(
    "H14: a storm of signals that schedule loses no run, whatever it interrupts",
    // Thread Sanitizer keeps signals back until the next call that it knows of; a futex is none.
    .enabled(if: dlsym(nil, "__tsan_init") == nil))
  func h14() throws {
    try withSystem(cpus: 2, Configuration()) { system in
      let clock = Counter()
      let started = Counter()
      let handler = try system.establish("h", at: .softNet, as: .ordered) { _ in
        started.raise(to: clock.add())
      }
      signalled = handler
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { _ in signalled?.schedule() }
      action.sa_flags = SA_RESTART
      var before = sigaction()
      #expect(sigaction(SIGUSR1, &action, &before) == 0)
      let threads = (0..<2).compactMap { cpu in
        system.on(cpu) { _ in
          // The test's own thread may have blocked signals, and CPUs inherit that.
          var mask = sigset_t()
          sigemptyset(&mask)
          sigaddset(&mask, SIGUSR1)
          pthread_sigmask(SIG_UNBLOCK, &mask, nil)
          return pthread_self()
        }
      }
      let stop = Counter()
      for cpu in 0..<2 {
        system.submit(on: cpu) { here in
          while stop.count == 0 { here.raise(to: .softNet) { _ in } }
        }
      }
      for round in 0..<4_000 { pthread_kill(threads[round % 2], SIGUSR1) }
      stop.count = 1
      system.settle(0)
      system.settle(1)
      // One to each while it sleeps or is about to: it must be seen without any other ring.
      for round in 0..<400 {
        let tick = clock.add()
        pthread_kill(threads[round % 2], SIGUSR1)
        #expect(eventually { started.count > tick }, "round \(round)")
        if started.count <= tick { break }
      }
      #expect(sigaction(SIGUSR1, &before, nil) == 0)
      signalled = nil
    }
  }

  @Test("the quota of a cgroup bounds how many CPUs are worth having")
  func quota() {
    #expect(HostedMachine.cpus(fromQuota: "200000 100000\n") == 2)
    #expect(HostedMachine.cpus(fromQuota: "150000 100000") == 2)
    #expect(HostedMachine.cpus(fromQuota: "1000 100000") == 1)
    #expect(HostedMachine.cpus(fromQuota: "max 100000") == nil)
    #expect(HostedMachine.cpus(fromQuota: "") == nil && HostedMachine.cpus(fromQuota: "5 0") == nil)
    #expect(HostedMachine().cpuCount >= 1)
  }
}
