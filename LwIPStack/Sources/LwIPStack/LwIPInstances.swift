// Which lwIP a stack has: the program's own, or another one in a namespace of the dynamic linker.
//
// Law: an lwIP is one stack's at a time. It is never unloaded: who ended a stack left lwIP as it was after its initialisation.

import CLwIPStack
import Synchronization

enum LwIPInstances {
  private struct Instance: @unchecked Sendable {
    // Sendable: a table that is never written.
    var api: UnsafePointer<lwip_api>
  }
  private struct State {
    var hasOwn = true
    var idle: [Instance] = []
  }
  private static let state = Mutex(State())

  /// The library that a namespace is made of, beside the program.
  static let library = "libLwIPNamespace.so"

  /// The program's own if nobody has it; else another. `isInterposed`: whether lwIP's symbols are to be ours.
  static func take(isInterposed: Bool) throws(DeviceFailure) -> UnsafePointer<lwip_api> {
    let own = lwip_api_here()
    guard own.pointee.is_interposed() == isInterposed else {
      throw DeviceFailure(
        description: isInterposed
          ? "lwIP does not ask us: link CLwIPGuard into the program"
          : "lwIP's own lock is not in force here: use lwip-corelock, which does not link CLwIPGuard")
    }
    let known = state.withLock { state -> Instance? in
      if state.hasOwn {
        state.hasOwn = false
        return Instance(api: own)
      }
      return state.idle.popLast()
    }
    if let known { return known.api }
    guard isInterposed else {
      throw DeviceFailure(description: "there is one stack under lwIP's own lock in a process")
    }
    return try load()
  }

  static func giveBack(_ api: UnsafePointer<lwip_api>) {
    let instance = Instance(api: api)
    state.withLock { state in
      if instance.api == lwip_api_here() { state.hasOwn = true } else { state.idle.append(instance) }
    }
  }

  private static func load() throws(DeviceFailure) -> UnsafePointer<lwip_api> {
    var directory = [CChar](repeating: 0, count: 4_096)
    var reason = [CChar](repeating: 0, count: 512)
    let place =
      lwip_api_directory(&directory, directory.count)
      ? directory.withUnsafeBufferPointer { String(cString: $0.baseAddress!) } : "."
    guard let api = lwip_api_load("\(place)/\(library)", &reason, reason.count) else {
      let why = reason.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
      throw DeviceFailure(
        description:
          "a second stack needs \(library) beside the program (\(why)): swift build --product LwIPNamespace")
    }
    return api
  }
}
