// Devices and signals: interrupts from outside.

import CHosted
import Foundation
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

  /// How many timers of this period the process has open. Not how many descriptors: the test's own runtime opens and closes some meanwhile.
  private static func timers(every period: String) -> Int {
    (0..<4_096).count { descriptor in
      let text = try? String(contentsOfFile: "/proc/self/fdinfo/\(descriptor)", encoding: .utf8)
      return text?.contains("it_interval: \(period)\n") ?? false
    }
  }

  @Test(
    "a timer's descriptor is closed by its detaching, also after its handler has ended, and else with the system"
  )
  func timersAreClosed() async {
    // In a process of its own, in which no other test has timers.
    await #expect(processExitsWith: .exitCode(0)) {
      do {
        let system = try System(on: .hosted(cpus: 1), quiet())
        let ran = Counter()
        let once = try system.attachTimer(every: .microseconds(101)) { here in
          ran.add()
          here.retire()
        }
        guard eventually({ ran.count == 1 }), DeviceTests.timers(every: "(0, 101000)") == 1 else { exit(2) }
        system.detach(once)
        guard DeviceTests.timers(every: "(0, 101000)") == 0 else { exit(3) }
        let late = try system.attachTimer(every: .seconds(3_601)) { _ in }
        _ = try system.attachTimer(every: .seconds(3_602)) { _ in }
        system.shutdown()
        guard DeviceTests.timers(every: "(3601, 0)") == 1 else { exit(4) }
        system.detach(late)
        guard DeviceTests.timers(every: "(3601, 0)") == 0, DeviceTests.timers(every: "(3602, 0)") == 1 else {
          exit(5)
        }
      }
      // The machine goes with its system.
      exit(DeviceTests.timers(every: "(3602, 0)") == 0 ? 0 : 6)
    }
  }

  @Test("without a descriptor for the doorbell no device is attached, and the next one is once there is one")
  func noDescriptors() async {
    await #expect(processExitsWith: .exitCode(0)) {
      let system = try System(on: .hosted(cpus: 1), quiet())
      var ends: [Int32] = [0, 0]
      guard pipe(&ends) == 0 else { exit(2) }
      // One more descriptor than there are: epoll's. The doorbell's is refused.
      let next = dup(0)
      close(next)
      var limits = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
      let usual = limits.rlim_cur
      limits.rlim_cur = rlim_t(next + 1)
      setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
      do {
        _ = try system.attach(ends[0]) { _ in }
        exit(3)
      } catch { guard "\(error)".hasPrefix("no epoll") else { exit(4) } }
      limits.rlim_cur = usual
      setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
      let ran = Counter()
      let input = ends[0]
      let device = try system.attach(input) { _ in
        var byte: UInt8 = 0
        if read(input, &byte, 1) == 1 { ran.add() }
      }
      guard write(ends[1], "a", 1) == 1, eventually({ ran.count == 1 }) else { exit(5) }
      system.detach(device)
      exit(system.shutdown().isComplete ? 0 : 6)
    }
  }

  @Test("who rings a CPU that is gone rings the next one on that seat, and writes into nobody's descriptor")
  func lateRing() async {
    // In a process of its own, in which nothing else opens descriptors.
    await #expect(processExitsWith: .exitCode(0)) {
      var ends: [Int32] = [0, 0]
      guard pipe(&ends) == 0 else { exit(2) }
      let (input, output) = (ends[0], ends[1])
      _ = fcntl(input, F_SETFL, O_NONBLOCK)
      var gone: (seat: UnsafeMutablePointer<softint_seat>, doorbell: Int32)?
      for round in 0..<20 {
        let system = try System(on: .hosted(cpus: 1), quiet())
        let ran = Counter()
        let device = try system.attach(input) { _ in
          var byte: UInt8 = 0
          if read(input, &byte, 1) == 1 { ran.add() }
        }
        let seat = system.machine.seats[0].memory
        // The same seat, and the same doorbell, which rings as well as a new one.
        if let gone, gone.seat != seat || gone.doorbell != seat.pointee.event { exit(3) }
        gone = (seat, seat.pointee.event)
        guard write(output, "a", 1) == 1, eventually({ ran.count == 1 }) else { exit(4) }
        for _ in 0..<20 where system.on(0, { _ in true }) != true { exit(5) }
        // Every other time it is left attached, and no concern of the next machine's.
        if round % 2 == 0 { system.detach(device) }
        guard system.shutdown().isComplete else { exit(6) }
      }
      guard let gone else { exit(7) }
      // The machine is gone. Somebody opens descriptors, and then comes who has found the CPU asleep and read the number of its doorbell.
      let files = (0..<16).map { _ in dup(output) }
      guard files.allSatisfy({ $0 >= 0 && $0 != gone.doorbell }) else { exit(8) }
      softint_seat_wake(gone.seat, 3)
      var byte: UInt8 = 0
      guard read(input, &byte, 1) < 0, gone.seat.pointee.event == gone.doorbell else { exit(9) }
      // The next machine is woken once too often, and is none the worse.
      let system = try System(on: .hosted(cpus: 1), quiet())
      let ran = Counter()
      let device = try system.attach(input) { _ in
        if read(input, &byte, 1) == 1 { ran.add() }
      }
      guard write(output, "a", 1) == 1, eventually({ ran.count == 1 }) else { exit(10) }
      system.detach(device)
      exit(system.shutdown().isComplete ? 0 : 11)
    }
  }

  @Test("a last run that ends late leaves the next device of its descriptor's number alone")
  func lateEnd() throws {
    try withSystem { system in
      var ends: [Int32] = [0, 0, 0, 0]
      #expect(pipe(&ends) == 0)
      #expect(ends.withUnsafeMutableBufferPointer { pipe($0.baseAddress! + 2) } == 0)
      let (input, output, other, otherOutput) = (ends[0], ends[1], ends[2], ends[3])
      let (isInside, mayEnd) = (Event(), Event())
      let first = try system.attach(input, on: 1) { here in
        here.retire()
        isInside.signal()
        mayEnd.hold()
      }
      #expect(write(output, "a", 1) == 1 && isInside.wait())
      // Its handler has ended, and is in its last run: to be detached, and its descriptor given away, does not wait for that.
      #expect(system.detach(first) == .notEstablished)
      #expect(dup2(other, input) == input)
      let bytes = Counter()
      let second = try system.attach(input, on: 1) { _ in
        var byte: UInt8 = 0
        if read(input, &byte, 1) == 1 { bytes.add() }
      }
      mayEnd.signal()
      system.settle(1)
      #expect(write(otherOutput, "b", 1) == 1)
      #expect(eventually { bytes.count == 1 })
      system.detach(second)
      for end in ends { close(end) }
    }
  }

  @Test("a period below a nanosecond is one nanosecond, and not never")
  func shortPeriod() throws {
    try withSystem { system in
      let ran = Counter()
      let timer = try system.attachTimer(every: Duration(secondsComponent: 0, attosecondsComponent: 1)) { _ in
        ran.add()
      }
      #expect(eventually { ran.count >= 2 })
      system.detach(timer)
    }
  }

  @Test("who holds a gate is refused the wait for a source: the CPU may be waiting for that gate")
  func sourceUnderGate() throws {
    try withSystem(expecting: [.waitOutOfOrder]) { system in
      let source = PolledSource(look: { _ in })
      #expect(system.setPolledSource(source, on: 1))
      system.raise(to: .softNet) { _ in #expect(!system.setPolledSource(nil, on: 1)) }
      #expect(system.setPolledSource(nil, on: 1))
    }
  }
}
