// A look at a device once the CPU has nothing else to do: for a moment, before its interrupt is waited for.
//
// Law: it is a handler of the lowest soft level on the device's CPU, so it runs when nothing above it is pending, and lets in what comes
// meanwhile; base code of that CPU waits at most for `patience`. It only looks: what there is is taken at `vm`, by the device's own handler.

import HostedMachine
import SoftInterrupts

/// Looks at a device that was busy a moment ago. As a thread that polls for a while before it sleeps: what costs is the sleep and the way back.
final class IdleLook: Sendable {
  private let system: InterruptSystem<HostedMachine>
  private let cpu: Int
  private let handler: Handler<HostedMachine>

  /// How long it looks, in nanoseconds: about as long as the baseline's thread, which looks 16 times.
  private static let patience: UInt64 = 10_000

  /// - Parameters:
  ///   - waits: whether the device has something; cheap, and no more than a hint.
  ///   - puller: the device's handler at `vm` on that CPU, which takes it.
  init(
    _ system: InterruptSystem<HostedMachine>, cpu: Int, _ puller: Handler<HostedMachine>,
    waits: @escaping () -> Bool
  ) throws(EstablishError) {
    self.system = system
    self.cpu = cpu
    handler = try system.establish("device look", at: .softClock, as: .mpSafe, .bound) { _ in
      let end = HostedMachine.now() + Self.patience
      repeat {
        if waits() {
          puller.schedule(on: cpu)
          return
        }
        system.checkpoint()
      } while HostedMachine.now() < end
    }
  }

  /// The device may have something soon. Any level.
  func request() { handler.schedule(on: cpu) }

  /// It does not look any more when this returns. By a thread that is no CPU. Later requests are refused.
  func end() { system.disestablish(handler) }
}
