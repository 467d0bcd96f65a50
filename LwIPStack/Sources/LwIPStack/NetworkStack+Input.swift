// From the device to lwIP and back: input and transmission as handlers at softNet.
//
// Law: both run under the guard. Input is done in batches; transmission is scheduled once for all frames of a batch, and is drained by whoever
// holds the gate.

import CLwIPStack
public import HostedMachine
public import SoftInterrupts

extension NetworkStack {
  /// How many frames one run of the input takes.
  private static var batch: Int { 64 }

  /// Attaches a device and brings its interface up.
  ///
  /// - Parameters:
  ///   - cpu: where the device's own handlers run.
  ///   - inputCPU: where its frames are made pending; by default there as well: what the next CPU gains is less than the way there costs,
  ///     where the clients share the machine.
  /// By a thread that is no CPU.
  public func attach(
    _ device: any NetworkDevice, ipv4: IPv4Configuration? = nil, ipv6: [NetworkAddress] = [], cpu: Int = 0,
    inputCPU: Int? = nil
  ) throws(DeviceFailure) {
    let cpus = system.cpuCount
    let port = DevicePort(
      device, self, cpu: cpu % cpus, inputCPU: (inputCPU ?? cpu) % cpus,
      capacity: configuration.ringCapacity)
    try add(port, ipv4, ipv6)
  }

  private func add(
    _ port: DevicePort, _ ipv4: IPv4Configuration?, _ ipv6: [NetworkAddress]
  ) throws(DeviceFailure) {
    let device = port.device
    let thePort = Unmanaged.passUnretained(port)
    if plan.guarding != .coreLock { try establishHandlers(port) }
    try enter { () throws(DeviceFailure) in
      guard isRunning else { throw DeviceFailure(description: "the stack does not run") }
      port.netif = device.hardwareAddress.list.withUnsafeBufferPointer {
        lwip.pointee.netif_add(thePort.toOpaque(), $0.baseAddress!, UInt16(clamping: device.mtu))
      }
      guard let netif = port.netif else { throw DeviceFailure(description: "out of memory") }
      ports.append(port)
      if let ipv4 {
        _ = lwip.pointee.netif_set_ipv4(netif, ipv4.address.bytes, ipv4.mask.bytes, ipv4.gateway.bytes)
      }
    }
    do {
      if let core { try core.begin(port) } else { try device.attach(to: port) }
    } catch {
      enter {
        if let netif = port.netif { lwip.pointee.netif_remove(netif) }
        port.netif = nil
      }
      throw error
    }
    try enter { () throws(DeviceFailure) in
      let netif = port.netif!
      lwip.pointee.netif_up(netif, true)
      lwip.pointee.netif_link(netif, true)
      if !ipv6.isEmpty { lwip.pointee.netif_link_local(netif) }
      for address in ipv6 where !lwip.pointee.netif_add_ipv6(netif, address.bytes) {
        throw DeviceFailure(description: "\(address): the interface has no room for another address")
      }
    }
  }

  private func establishHandlers(_ port: DevicePort) throws(DeviceFailure) {
    let me = Unmanaged.passUnretained(self)
    let thePort = Unmanaged.passUnretained(port)
    do {
      port.input = try establish("lwip input", .anywhere) { _ in
        me._withUnsafeGuaranteedRef { stack in thePort._withUnsafeGuaranteedRef { stack.runInput($0) } }
      }
      port.transmit = try establish("lwip transmit", .anywhere) { _ in
        thePort._withUnsafeGuaranteedRef { port in
          port.isTransmitPending = false
          port.device.transmit(port)
        }
      }
    } catch { throw DeviceFailure(description: "\(error)") }
  }

  /// Says whether the device's link is up. Any thread below softNet.
  public func setLink(up: Bool, of device: any NetworkDevice) {
    enter {
      for port in ports where port.device === device {
        if let netif = port.netif { lwip.pointee.netif_link(netif, up) }
      }
    }
  }

  func runInput(_ port: DevicePort) {
    guard let netif = port.netif else { return }
    for _ in 0..<Self.batch {
      guard let slot = port.incoming.next() else { return }
      log?.log(slot, slot.length)
      _ = lwip.pointee.netif_input(netif, slot.bytes.assumingMemoryBound(to: UInt8.self), UInt32(slot.length))
      port.incoming.release(slot)
    }
    // There may be more: the level's budgets decide when.
    port.received()
  }

  /// lwIP has something to do later.
  func runDeferred() {
    let now = deferred
    deferred.removeAll(keepingCapacity: true)
    for entry in now { entry.function(entry.argument) }
  }
}

extension NetworkStack {
  /// The discipline that it runs under.
  public var discipline: StackDiscipline { plan.discipline }
  /// As reports name it: the discipline's name, or `coreLock`.
  public var disciplineName: String { plan.name }
  /// Whether it runs under lwIP's own core lock, as the baseline does.
  public var isCoreLocked: Bool { plan.guarding == .coreLock }

  /// Establishes a handler that works for the stack below softNet, let in as the discipline says and bound to the CPU it is
  /// scheduled on. It touches the stack inside ``enter(_:)``.
  public func establishHelper(
    _ name: String, at level: Level, _ body: @escaping (borrowing Here<HostedMachine>) -> Void
  ) throws(EstablishError) -> Handler<HostedMachine> {
    try system.establish(name, at: level, as: plan.helpers, .bound, body)
  }

  /// Gives a CPU base code that works for the stack: under the big lock where the discipline says so. Any thread but signal handlers.
  public func submitHelper(on cpu: Int, _ body: @escaping @Sendable () -> Void) {
    system.submit(on: cpu, as: plan.helpers == .bigLock ? .bigLock : .mpSafe) { _ in body() }
  }
}
