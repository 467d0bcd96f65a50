// What lwIP and its shim call: from C into the stack.
//
// Law: but for the question whether the guard is held, every hook is called under it, by lwIP.

import CLwIPStack
import Glibc
import HostedMachine
import SoftInterrupts

extension NetworkStack {
  func installHooks() {
    var hooks = lwip_hooks()
    hooks.stack = Unmanaged.passUnretained(self).toOpaque()
    // Asked some fourteen times for each request: without a branch where it is a gate.
    if plan.guarding == .gate {
      hooks.is_guarded = { stack in
        Unmanaged<NetworkStack>.fromOpaque(stack!)._withUnsafeGuaranteedRef { $0.holdsGate }
      }
    } else {
      hooks.is_guarded = { stack in
        Unmanaged<NetworkStack>.fromOpaque(stack!)._withUnsafeGuaranteedRef { $0.isGuarded }
      }
    }
    hooks.unguarded = { stack, from in
      guard
        Unmanaged<NetworkStack>.fromOpaque(stack!)._withUnsafeGuaranteedRef({
          $0.configuration.trapsUnguarded
        })
      else { return }
      HostedMachine.fatal(
        "lwIP was called without the stack's guard, from \(from.map { "\($0)" } ?? "?"): call it inside NetworkStack.enter"
      )
    }
    hooks.start_timer = { stack, index, milliseconds in
      Unmanaged<NetworkStack>.fromOpaque(stack!)._withUnsafeGuaranteedRef {
        _ = $0.timers[Int(index)].callout.schedule(afterNanoseconds: UInt64(milliseconds) * 1_000_000)
      }
    }
    hooks.timeout = { stack, milliseconds, handler, argument in
      Unmanaged<NetworkStack>.fromOpaque(stack!)._withUnsafeGuaranteedRef {
        $0.setTimeout(milliseconds, handler!, argument)
      }
    }
    hooks.untimeout = { stack, handler, argument in
      Unmanaged<NetworkStack>.fromOpaque(stack!)._withUnsafeGuaranteedRef {
        $0.clearTimeout(handler!, argument)
      }
    }
    hooks.later = { stack, function, argument in
      Unmanaged<NetworkStack>.fromOpaque(stack!)._withUnsafeGuaranteedRef { stack in
        stack.deferred.append((function!, argument))
        stack.deferredHandler.schedule()
        return true
      }
    }
    installFrameHooks(&hooks)
    TCPConnection.installHooks(&hooks)
    UDPEndpoint.installHooks(&hooks)
    StackServices.installHooks(&hooks)
    lwip.pointee.set_hooks(&hooks)
  }

  private func installFrameHooks(_ hooks: inout lwip_hooks) {
    hooks.frame_space = { device, length in
      Unmanaged<DevicePort>.fromOpaque(device!)._withUnsafeGuaranteedRef { port in
        guard let slot = port.outgoing.space(Int(length)) else { return nil }
        // frame_ready follows at once, under the same guard, and finds it there.
        port.outgoing.keep(slot)
        return slot.bytes
      }
    }
    hooks.frame_ready = { device, length in
      Unmanaged<DevicePort>.fromOpaque(device!)._withUnsafeGuaranteedRef { port in
        guard let slot = port.outgoing.space(Int(length)) else { return }
        port.stack.log?.log(slot, Int(length))
        port.outgoing.put(slot, length: Int(length))
        if port.isTransmitPending { return }
        port.isTransmitPending = true
        if let transmit = port.transmit {
          transmit.schedule()
        } else {
          port.stack.core?.requestTransmit(port)
        }
      }
    }
  }
}
