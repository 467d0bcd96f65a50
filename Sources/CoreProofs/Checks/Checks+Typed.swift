// The guard that is opened while it is open: the one check whose program ends with the rule on as well, for that is the rule.
//
// Law: no proof (it never holds), so it is not in `Checks.all`: with the rule on it is reported on the first schedule, without it the
// program itself sees the middle of a change.

public import Exploration
import SimulatedMachine
import SoftInterrupts

extension Checks {
  /// A value whose two halves are equal whenever nobody has it open; through a second token somebody looks in the middle.
  public static func opensTwice(_ world: World) throws {
    let system = world.system
    let halves = Guarded<(Int, Int), SoftNet>((0, 0))
    func look() {
      system.assume(SoftNet.self) { net in
        let isWhole = net.open(halves) { $0.0 == $0.1 }
        world.expect(isWhole, "it was open")
      }
    }
    world.base(on: 0) { _ in
      system.raise(to: SoftNet.self) { net in
        net.open(halves) { halves in
          halves.0 += 1
          look()
          halves.1 += 1
        }
      }
    }
  }
}
