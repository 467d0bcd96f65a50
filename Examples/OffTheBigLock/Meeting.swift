// An exact raise meets an older cumulative one; and how typed helpers are used from untyped code.

import HostedMachine
import SoftInterrupts

enum Meeting {
  static let table = Guarded<Table, SoftNet>(Table())

  // [helper]
  /// Typed: it says with its parameter where it may be called.
  static func open(_ net: borrowing Held<SoftNet, HostedMachine>) -> UInt64 {
    net.open(table) { $0.busiest() }
  }

  /// Untyped, and called by who has raised to softNet already. That is looked at, in every build.
  static func report(_ here: borrowing Here<HostedMachine>) -> UInt64 {
    here.assume(SoftNet.self) { net in open(net) }
  }
  // [/helper]

  // [older]
  /// Older code, which nobody has read: raises cumulatively to where it counts.
  static func audit(_ system: InterruptSystem<HostedMachine>, _ count: UnsafeMutablePointer<Int>) {
    system.raise(to: .softSerial) { _ in count.pointee += 1 }
  }
  // [/older]

  static func show() throws {
    var configuration = Configuration()
    configuration.onViolation = .collect
    let system = try InterruptSystem(on: .hosted(cpus: 1), configuration)
    let count = UnsafeMutablePointer<Int>.allocate(capacity: 1)
    count.initialize(to: 0)
    defer { count.deallocate() }

    // [meeting]
    system.base { base in
      base.raise(to: SoftNet.self) { net in
        net.open(table) { $0.expire(through: 0) }
        audit(system, count)
      }
    }
    // [/meeting]
    print(system.violations.map(\.description).joined(separator: "\n"))

    // [remedy]
    system.base { base in
      base.raise(through: SoftNet.self) { net in
        net.open(table) { $0.expire(through: 0) }
        audit(system, count)
      }
    }
    // [/remedy]
    let busiest = system.raise(to: .softNet) { here in report(here) }
    print("\(system.violations.count) violation; audited \(count.pointee) times, busiest \(busiest)")
    system.shutdown()
  }
}
