// The baseline: lwIP under its own core lock, at its best. A plain thread drives the device; no soft interrupt is on the path.
//
// Law: whoever calls lwIP has its core lock: lwIP's own thread always, others by `enter`; lwIP's assertions are lwIP's own here, and end the
// program. Frames go out in batches, as they do at softNet: by the device's thread when it has let go of the lock, or once the mailbox's
// present content is done.

import CLwIPStack
import CNetworkDevices
import Glibc
import Synchronization

/// How frames get into lwIP.
public enum CoreLockMode: String, Sendable, CaseIterable {
  /// By messages to lwIP's thread (`tcpip_inpkt`).
  case mailbox
  /// The device's thread takes the lock (`LOCK_TCPIP_CORE`) and calls `ethernet_input` itself.
  case lock
}

/// lwIP's lock, and the thread of the one device.
final class CoreLock: @unchecked Sendable {
  // Sendable: constant but for what says otherwise.
  private unowned(unsafe) let stack: NetworkStack
  private let mode: CoreLockMode
  /// The thread that came in by `enter`; 0 for none. Relaxed: a thread finds its own number only if it wrote it.
  private let owner = Atomic<UInt>(0)
  /// lwIP's thread, which has the lock whenever it calls us. Written once, before there is a device.
  private var thread: UInt = 0
  /// Under lwIP's lock: the device's thread has it, and will send when it has let go.
  private var willPush = false
  private var device: (thread: pthread_t, port: DevicePort, device: any DescriptorDevice)?
  /// Rung for the device's thread: to send, or to stop.
  private let bell: Int32
  private let isStopping = Atomic<Bool>(false)

  init(_ stack: NetworkStack, _ mode: CoreLockMode) {
    self.stack = stack
    self.mode = mode
    bell = netdev_bell_open()
  }

  deinit { if bell >= 0 { close(bell) } }

  // MARK: The lock

  private static var me: UInt { UInt(pthread_self()) }
  var isMine: Bool {
    let me = Self.me
    return me == thread || owner.load(ordering: .relaxed) == me
  }

  @inline(__always)
  func enter<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    if isMine { return try body() }
    lock()
    defer { unlock() }
    return try body()
  }
  private func lock() {
    stack.lwip.pointee.core_lock()
    owner.store(Self.me, ordering: .relaxed)
  }
  private func unlock() {
    owner.store(0, ordering: .relaxed)
    stack.lwip.pointee.core_unlock()
  }

  /// Learns which thread is lwIP's. Before anybody else calls lwIP.
  func findThread() {
    let me = Unmanaged.passUnretained(self)
    while !stack.lwip.pointee.core_later(
      { core in Unmanaged<CoreLock>.fromOpaque(core!)._withUnsafeGuaranteedRef { $0.noteThread() } },
      me.toOpaque())
    { sched_yield() }
    threadIsKnown.wait()
  }
  private let threadIsKnown = ThreadEvent()
  private func noteThread() {
    thread = Self.me
    threadIsKnown.signal()
  }

  // MARK: The device's thread

  func begin(_ port: DevicePort) throws(DeviceFailure) {
    guard let device = port.device as? any DescriptorDevice, self.device == nil, bell >= 0 else {
      throw DeviceFailure(description: "under lwIP's own lock there is one device, with a descriptor")
    }
    try device.open(port)
    let loop = Unmanaged.passRetained(Loop(core: self, port: port, device: device))
    var thread = pthread_t()
    let error = pthread_create(
      &thread, nil,
      { argument in
        let loop = Unmanaged<Loop>.fromOpaque(argument!).takeRetainedValue()
        loop.core.run(loop.port, loop.device)
        return nil
      }, loop.toOpaque())
    guard error == 0 else {
      loop.release()
      throw DeviceFailure(description: "no thread could be made (\(String(cString: strerror(error))))")
    }
    self.device = (thread, port, device)
  }

  private final class Loop: Sendable {
    let core: CoreLock
    let port: DevicePort
    let device: any DescriptorDevice
    init(core: CoreLock, port: DevicePort, device: any DescriptorDevice) {
      (self.core, self.port, self.device) = (core, port, device)
    }
  }

  /// The device's thread has ended when this returns.
  func stop() {
    guard let device else { return }
    // Release: pairs with the loop's acquire; nothing is published but the wish.
    isStopping.store(true, ordering: .releasing)
    netdev_bell_ring(bell)
    pthread_join(device.thread, nil)
    self.device = nil
  }

  private func run(_ port: DevicePort, _ device: any DescriptorDevice) {
    var rounds = 0
    while !isStopping.load(ordering: .acquiring) {
      // It looks for a while before it sleeps, as CPUs of soft interrupts do.
      let events = netdev_bell_wait(bell, device.descriptor, rounds < stack.configuration.idlePolls ? 0 : -1)
      rounds += 1
      if events & 1 != 0 {
        rounds = 0
        device.pull(port)
        input(port)
      }
      if events & 2 != 0 {
        rounds = 0
        // Under the lock: who fills the ring next rings again.
        enter { port.isTransmitPending = false }
      }
      if pushesHere(device), Self.exchange(port, device, input: { input(port) }) {
        // Not asleep: there is more to send.
        rounds = 0
      }
    }
  }

  /// How often it sends and takes in before it looks at the device again.
  static let mostExchanges = 16

  /// Sends what is there, and takes in what libslirp has answered at once, and what lwIP answers that; whether it left off with more to send.
  ///
  /// Bounded: a sender whose every segment is acknowledged at once always has more, and meanwhile nothing else would be heard of the device
  /// (iperf3's word that the test is over was not, and no end of the program either).
  static func exchange(_ port: DevicePort, _ device: any DescriptorDevice, input: () -> Void) -> Bool {
    for _ in 0..<mostExchanges {
      if port.outgoing.waiting == 0 { return false }
      device.push(port)
      if port.incoming.waiting > 0 { input() }
    }
    return port.outgoing.waiting > 0
  }

  private func pushesHere(_ device: any DescriptorDevice) -> Bool {
    mode == .lock || !device.pushesBesidePulls
  }

  private func input(_ port: DevicePort) {
    guard port.incoming.waiting > 0, let netif = port.netif else { return }
    switch mode {
    case .lock:
      lock()
      willPush = true
      while let slot = port.incoming.next() {
        stack.log?.log(slot, slot.length)
        _ = stack.lwip.pointee.netif_input(
          netif, slot.bytes.assumingMemoryBound(to: UInt8.self), UInt32(slot.length))
        port.incoming.release(slot)
      }
      willPush = false
      port.isTransmitPending = false
      unlock()
    case .mailbox:
      while let slot = port.incoming.next() {
        // Its mailbox is full: it is at work, and the kernel keeps what comes.
        while !stack.lwip.pointee.core_post(
          netif, slot.bytes.assumingMemoryBound(to: UInt8.self), UInt32(slot.length))
        { sched_yield() }
        port.incoming.release(slot)
      }
    }
  }

  /// Under lwIP's lock: there is something to send.
  func requestTransmit(_ port: DevicePort) {
    if willPush { return }
    guard mode == .mailbox, let device, device.device.pushesBesidePulls else { return netdev_bell_ring(bell) }
    let thePort = Unmanaged.passUnretained(port)
    let isAccepted = stack.lwip.pointee.core_later(
      { port in Unmanaged<DevicePort>.fromOpaque(port!)._withUnsafeGuaranteedRef { $0.pushFromMailbox() } },
      thePort.toOpaque())
    // The mailbox is full: then now, under the same lock.
    if !isAccepted { port.pushFromMailbox() }
  }
}

extension DevicePort {
  /// On lwIP's thread, or by who has its lock.
  func pushFromMailbox() {
    isTransmitPending = false
    (device as! any DescriptorDevice).push(self)
  }
}

/// Says once, from one thread to another, that something is done.
private final class ThreadEvent: @unchecked Sendable {
  // Sendable: a POSIX semaphore, initialised before it is shared and destroyed after its last use.
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
  init() { sem_init(semaphore, 0, 0) }
  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }
  func signal() { sem_post(semaphore) }
  func wait() { while sem_wait(semaphore) != 0 {} }
}
