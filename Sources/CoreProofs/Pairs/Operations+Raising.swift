// Raising, masking, the big lock and recognition points.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension PublicOperation {
  // Two closures a call, one after the other: what it needs, and what it does.
  // swift-format-ignore: OnlyOneTrailingClosureArgument
  static let raising: [PublicOperation] = [
    PublicOperation("raise(to:)", ["Here.raise(to:file:line:_:)", "Here.level", "Here.gates"]) {
      stage, _, here in
      here.raise(to: .softNet) { inner in
        stage.expect(
          inner.level == .softNet && inner.gates.contains(Level.softClock.gate), "a raise to softNet")
        stage.touch(.softNet)
      }
      stage.expect(here.level == .none && here.gates.isEmpty, "a raise puts back what it lifted")
    },
    PublicOperation(
      "raise(exactly:)", ["Here.raise(exactly:file:line:_:)", "Here.cpu", "InterruptSystem.gates"]
    ) { stage, side, here in
      stage.expect(here.cpu == side.index && stage.system.isCPU, "base code of CPU \(side.index)")
      here.raise(exactly: .softNet) { inner in
        stage.expect(inner.gates == Level.softNet.gate, "an exact raise takes one gate")
        stage.expect(stage.system.gates == inner.gates, "the system says the same of the calling context")
        stage.touch(.softNet)
      }
    },
    PublicOperation("tryRaise(to:)", ["InterruptSystem.tryRaise(to:file:line:_:)"]) { stage, _, here in
      _ = stage.system.tryRaise(to: .softNet) { _ in stage.touch(.softNet) }
      stage.expect(here.level == .none && here.gates.isEmpty, "a try leaves nothing")
    },
    PublicOperation(visitor: "visitor: raise(to:)", ["InterruptSystem.raise(to:file:line:_:)"]) { stage, _ in
      stage.system.raise(to: .softNet) { _ in stage.touch(.softNet) }
    },
    PublicOperation(
      visitor: "visitor: raise(exactly:)",
      ["InterruptSystem.raise(exactly:file:line:_:)", "InterruptSystem.isCPU"]
    ) { stage, _ in
      stage.system.raise(exactly: .softNet) { here in
        stage.expect(here.cpu == nil && !stage.system.isCPU, "a visitor is no CPU")
        stage.touch(.softNet)
      }
    },
    PublicOperation(visitor: "visitor: tryRaise(to:)", ["InterruptSystem.tryRaise(to:file:line:_:)"]) {
      stage, _ in _ = stage.system.tryRaise(to: .softNet) { _ in stage.touch(.softNet) }
    },
    PublicOperation("mask(to:)", ["Here.mask(to:file:line:_:)", "InterruptSystem.mask(to:file:line:_:)"]) {
      stage, _, here in
      here.mask(to: .softNet) { inner in
        stage.expect(inner.level == .softNet && inner.gates.isEmpty, "a mask takes no gate")
        stage.system.mask(to: .softSerial) { _ in stage.world.point() }
      }
    },
    PublicOperation("bigLock", ["InterruptSystem.bigLock(file:line:_:)"]) { stage, _, _ in
      stage.system.bigLock { here in
        stage.touch(.none)
        here.raise(exactly: .softNet) { _ in stage.touch(.softNet) }
      }
    },
    PublicOperation("yieldBigLock()", ["InterruptSystem.yieldBigLock()"]) { stage, _, _ in
      stage.system.bigLock { _ in
        stage.touch(.none)
        stage.system.yieldBigLock()
        stage.touch(.none)
      }
    },
    PublicOperation(visitor: "visitor: bigLock", ["InterruptSystem.bigLock(file:line:_:)"]) { stage, _ in
      stage.system.bigLock { _ in stage.touch(.none) }
    },
    PublicOperation(
      "checkpoint()", ["Here.checkpoint()", "InterruptSystem.checkpoint()"], prepare: with { _ = $0.net }
    ) { stage, side, here in
      stage.net.schedule(on: nil)
      here.checkpoint()
      here.raise(exactly: .softBio) { _ in stage.system.checkpoint() }
    },
    PublicOperation(
      "interruptArrived()", ["InterruptSystem.interruptArrived()"], prepare: with { _ = $0.net }
    ) { stage, _, _ in
      stage.net.schedule(on: nil)
      System.interruptArrived()
    },
    PublicOperation(
      "ordered handler: raise(to:)", ["Here.raise(to:file:line:_:)"], in: .handler(.softClock, .ordered)
    ) { stage, _, here in
      here.raise(to: .softNet) { _ in stage.touch(.softNet) }
    },
    PublicOperation(
      "MP-safe handler: raise(exactly:) to its own gate", ["Here.raise(exactly:file:line:_:)"],
      in: .handler(.softNet, .mpSafe)
    ) { stage, _, here in
      here.raise(exactly: .softNet) { _ in stage.touch(.softNet) }
    },
    PublicOperation(
      "big-lock handler: raise(to:)", ["Here.raise(to:file:line:_:)"], in: .handler(.softBio, .bigLock)
    ) { stage, _, here in
      stage.touch(.none)
      here.raise(to: .softNet) { _ in stage.touch(.softNet) }
    },
  ]
}
