import HostedMachine
import SoftInterrupts

/// A level of our own, between softNet and softSerial: one line, and the order knows it.
enum Journal: JustAboveSoftNet { static let number = 0 }

/// What the program knows. Each value names the level at which it is touched.
enum World {
  static let packets = Guarded<[Int: Int], SoftNet>([:])
  static let lines = Guarded<[String], Journal>([])
  static let sent = Guarded<Int, SoftSerial>(0)
}

/// A function says with its parameter where it may be called: here with the gate of softNet.
func total(_ net: borrowing Held<SoftNet, HostedMachine>) -> Int {
  net.open(World.packets) { $0.values.reduce(0, +) }
}

func run() throws {
  let system = try InterruptSystem(on: .hosted(cpus: 2))
  try system.insert(Journal.self)
  let changed = system.condition(guardedBy: .softNet)

  // An ordered handler is given the token of its gate; from there it goes upward only.
  let input = try system.establish("input", at: SoftNet.self, as: .ordered) { net in
    net.open(World.packets) { $0[7, default: 0] += 1 }
    net.raise(to: SoftSerial.self) { serial, net in serial[World.sent] += total(net) }
    changed.broadcast()
  }
  // A callout at softClock whose guard is softNet is given the guard's token.
  let expiry = try system.callout("expiry", at: SoftClock.self, guard: SoftNet.self) { net in
    let expired = total(net)
    net.open(World.packets) { $0.removeAll() }
    net.raise(to: Journal.self) { journal in journal[World.lines].append("\(expired) expired") }
    changed.broadcast()
  }

  // Base code begins with nothing held, and raises to what it touches.
  input.schedule(on: 1)
  system.base { base in
    base.raise(to: SoftNet.self) { net in
      changed.wait { total(net) == 1 }
      expiry.schedule(after: .milliseconds(1))
      changed.wait { total(net) == 0 }
    }
    let sent = base.raise(to: SoftSerial.self) { serial in serial[World.sent] }
    let lines = base.raise(to: Journal.self) { journal in journal[World.lines] }
    print("sent \(sent), journal \(lines)")
    // A wait for softNet from below it. Inside the raise above it would not compile.
    print("\(input.disestablish(from: &base))")
  }
  print("everything ran: \(system.shutdown().isComplete)")
}

try run()
