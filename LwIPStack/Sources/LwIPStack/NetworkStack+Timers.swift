// lwIP's timers as callouts at softClock whose guard is softNet: the case that rules out disjoint levels.
//
// Law: a timer's body runs under the guard. `sys_untimeout` is exact: it is called under the guard, and so is the body.

import CLwIPStack
import HostedMachine
import SoftInterrupts

/// One of lwIP's cyclic timers.
final class StackTimer: @unchecked Sendable {
  // Sendable: under the guard.
  let name: StaticString
  var callout: Callout<HostedMachine>!
  /// Under disjoint: the handler at softClock that raises, and so refutes it.
  var disjoint: Handler<HostedMachine>?
  var runs: UInt64 = 0
  init(_ name: StaticString) { self.name = name }
}

/// One `sys_timeout`.
final class StackTimeout: @unchecked Sendable {
  // Sendable: under the guard.
  var handler: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?
  var argument: UnsafeMutableRawPointer?
  var callout: Callout<HostedMachine>!
}

extension NetworkStack {
  func makeTimers() throws {
    for index in 0..<Int(lwip.pointee.timer_count()) {
      let timer = StackTimer(Self.name(ofTimer: String(cString: lwip.pointee.timer_name(Int32(index)))))
      timers.append(timer)
      let me = Unmanaged.passUnretained(self)
      if plan.discipline == .disjoint {
        // As a disjoint handler at softClock that raises: the witness names it and both levels, and it goes on as ordered.
        timer.disjoint = try system.establish(timer.name.description, at: .softClock, as: .disjoint) { here in
          me._withUnsafeGuaranteedRef { stack in
            here.raise(to: stack.plan.level) { _ in stack.run(timer: index) }
          }
        }
        timer.callout = try system.callout(timer.name, at: .softClock, as: .mpSafe, cpu: 0) { _ in
          me._withUnsafeGuaranteedRef { _ = $0.timers[index].disjoint!.schedule() }
        }
      } else {
        timer.callout = try callout(timer.name) { stack in stack.run(timer: index) }
      }
    }
  }

  /// A callout at softClock whose body runs under the stack's guard.
  func callout(
    _ name: StaticString, _ body: @escaping (NetworkStack) -> Void
  ) throws(CalloutError) -> Callout<HostedMachine> {
    let me = Unmanaged.passUnretained(self)
    if plan.isGateOff || plan.guarding == .lock {
      return try system.callout(name, at: .softClock, as: .mpSafe, cpu: 0) { _ in
        me._withUnsafeGuaranteedRef { stack in stack.enter { body(stack) } }
      }
    }
    // Exactly: lwIP touches nothing of the levels between.
    return try system.callout(
      name, at: .softClock, guard: plan.level, as: plan.way == .disjoint ? .ordered : plan.way,
      exactly: plan.way != .bigLock, cpu: 0
    ) { _ in me._withUnsafeGuaranteedRef(body) }
  }

  func run(timer index: Int) {
    let timer = timers[index]
    timer.runs &+= 1
    let again = lwip.pointee.timer_run(Int32(index))
    if again > 0 { timer.callout.schedule(afterNanoseconds: UInt64(again) * 1_000_000) }
  }

  // MARK: sys_timeout

  func setTimeout(
    _ milliseconds: UInt32, _ handler: @escaping @convention(c) (UnsafeMutableRawPointer?) -> Void,
    _ argument: UnsafeMutableRawPointer?
  ) {
    let entry: StackTimeout
    if let idle = timeouts.first(where: { $0.handler == nil }) {
      entry = idle
    } else {
      let made = StackTimeout()
      do {
        made.callout = try callout("sys_timeout") { stack in stack.run(made) }
      } catch { return }  // only while it is being shut down
      timeouts.append(made)
      entry = made
    }
    entry.handler = handler
    entry.argument = argument
    entry.callout.schedule(afterNanoseconds: UInt64(milliseconds) * 1_000_000)
  }

  func clearTimeout(
    _ handler: @escaping @convention(c) (UnsafeMutableRawPointer?) -> Void,
    _ argument: UnsafeMutableRawPointer?
  ) {
    let wanted = unsafeBitCast(handler, to: UInt.self)  // C functions have no equality in Swift
    for entry in timeouts where entry.argument == argument {
      guard let set = entry.handler, unsafeBitCast(set, to: UInt.self) == wanted else { continue }
      entry.handler = nil
      entry.callout.cancel()
      return
    }
  }

  private func run(_ entry: StackTimeout) {
    // Nil: taken back while this waited for the explicit lock; under a gate that cannot be.
    guard let handler = entry.handler else { return }
    entry.handler = nil
    handler(entry.argument)
  }

  private static func name(ofTimer name: String) -> StaticString {
    switch name {
    case "tcp_tmr": "tcp_tmr"
    case "ip_reass_tmr": "ip_reass_tmr"
    case "etharp_tmr": "etharp_tmr"
    case "igmp_tmr": "igmp_tmr"
    case "nd6_tmr": "nd6_tmr"
    case "ip6_reass_tmr": "ip6_reass_tmr"
    case "mld6_tmr": "mld6_tmr"
    case "dhcp_coarse_tmr": "dhcp_coarse_tmr"
    case "dhcp_fine_tmr": "dhcp_fine_tmr"
    case "dns_tmr": "dns_tmr"
    default: "lwip_tmr"
    }
  }
}
