// Work beside the stack, as a server has it: an access log at softBio, of which each line is chained to the one before it by a digest, its
// analysis by base code, and a probe at softSerial that says how long a handler there waits.
//
// Law: no line is lost: where the log is behind, requests wait; where the analysis is behind, the log waits. Records go from the stack's guard to softBio by a ring, pages of log from there to base code by another; each ring has one producer and
// one consumer, for each of the two runs in one place at a time. So the levels share no data, and any discipline will do.

import HostedMachine
import LwIPStack
import SoftInterrupts
import Synchronization

package final class OtherLevels: @unchecked Sendable {
  // Sendable: what is `var` belongs to one handler, or to base code of one CPU; each says so.

  /// One answered request.
  struct Record {
    var time: UInt64
    var length: Int
    var request: UInt64
  }
  /// What was found out, once the stack has been shut down.
  package struct Report: Sendable {
    package var logged, pages: UInt64
    /// Of all lines, so that nobody leaves the work out.
    package var digest: UInt64
    /// How late the probe ran after its time, in nanoseconds.
    package var probe: TimeBuckets
  }

  private let stack: NetworkStack
  private let cpu: Int
  private let records = Ring<Record, HostedMachine>(capacity: 1_024)
  private let pages = Ring<[UInt8], HostedMachine>(capacity: 16)
  private var writer: Handler<HostedMachine>!
  private var probe: Handler<HostedMachine>!
  /// Requests wait for the log. Set under the stack's guard before the writer is made pending, and read by the writer after it has made room.
  /// Relaxed: a run that was asked for after it was set begins after that.
  private let isStalled = Atomic<Bool>(false)
  /// Answers what waits. Under the stack's guard.
  var resume: () -> Void = {}
  // The writer's.
  private var page: [UInt8] = []
  private var logged: UInt64 = 0
  private var chain: SHA256.State?
  // Base code's.
  private var analysed: UInt64 = 0
  private var digest: UInt64 = 0
  private var words: [UInt64: Int] = [:]
  // The probe's CPU's: written as its clock is looked at, before the probe is pending there.
  private let due = Atomic<UInt64>(0)
  private var next: UInt64 = 0
  private var lateness = TimeBuckets()

  private static let mostPages = 16
  private static let pageSize = 32_768
  private static let period: UInt64 = 1_000_000
  /// Records of one run of the writer.
  private static let batch = 64

  package init(_ stack: NetworkStack) throws(CommandFailure) {
    self.stack = stack
    // Beside the device, where there is another CPU.
    cpu = stack.system.cpuCount - 1
    page.reserveCapacity(Self.pageSize + 256)
    let me = Unmanaged.passUnretained(self)  // it outlives the stack's CPUs
    do {
      writer = try stack.establishHelper("access log", at: .softBio) { _ in
        me._withUnsafeGuaranteedRef { $0.write() }
      }
      probe = try stack.establishHelper("probe", at: .softSerial) { _ in
        me._withUnsafeGuaranteedRef {
          $0.lateness.add(nanoseconds: HostedMachine.now() - $0.due.load(ordering: .relaxed))
        }
      }
    } catch { throw .system("\(error)") }
    next = HostedMachine.now() + Self.period
    // As a timer that the CPU reads itself: no system call, and the time at which it is due is exact.
    let source = PolledSource(
      look: { now in me._withUnsafeGuaranteedRef { $0.tick(now) } },
      nextDue: { me._withUnsafeGuaranteedRef { $0.next } })
    stack.system.setPolledSource(source, on: cpu)
  }

  /// On the probe's CPU.
  private func tick(_ now: UInt64) {
    if now < next { return }
    // Relaxed: the handler that is made pending below reads it, and being pending orders the two.
    due.store(next, ordering: .relaxed)
    while next <= now { next += Self.period }
    probe.schedule(on: cpu)
  }

  /// Whether there is room for another request's record; if not, ``resume`` will be called. Under the stack's guard.
  func hasRoom() -> Bool {
    // Its own batch of answers may come on top.
    if records.count < 1_024 - 2 { return true }
    isStalled.store(true, ordering: .relaxed)
    writer.schedule(on: cpu)
    return false
  }

  /// A request was answered. Under the stack's guard.
  func note(_ length: Int, _ request: UInt64, at time: UInt64) {
    let isAccepted = records.push(Record(time: time, length: length, request: request))
    precondition(isAccepted, "a request is answered only if there is room for its record")
    writer.schedule(on: cpu)
  }

  /// At softBio, on one CPU.
  private func write() {
    for _ in 0..<Self.batch {
      // Base code makes it pending again when it has taken a page.
      if pages.count == Self.mostPages { break }
      guard let record = records.pop() else { break }
      log(record)
      // As long code does, it lets what is above run.
      stack.system.checkpoint()
    }
    if isStalled.load(ordering: .relaxed) && records.count <= 512 {
      isStalled.store(false, ordering: .relaxed)
      stack.enter { resume() }
    }
    if records.count > 0 && pages.count < Self.mostPages { writer.schedule(on: cpu) }
  }

  private func log(_ record: Record) {
    let start = page.count
    append("10.1.0.1 - - [")
    append(record.time)
    append("] \"GET / HTTP/1.1\" 200 ")
    append(UInt64(record.length))
    append(" request ")
    append(record.request)
    let link = page.withUnsafeBufferPointer { SHA256.digest(chain, .init(rebasing: $0[start...])) }
    chain = link
    append(" ")
    append(UInt64(link[0]) << 32 | UInt64(link[1]))
    page.append(10)
    logged &+= 1
    if page.count >= Self.pageSize { turn() }
  }

  private func append(_ text: StaticString) {
    page.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }
  private func append(_ number: UInt64) {
    var digits = InlineArray<20, UInt8>(repeating: 0)
    var at = 20
    var rest = number
    repeat {
      at -= 1
      digits[at] = UInt8(48 + rest % 10)
      rest /= 10
    } while rest > 0
    while at < 20 {
      page.append(digits[at])
      at += 1
    }
  }

  /// A page is full: base code is given it. There is room: the writer has looked.
  private func turn() {
    _ = pages.push(page)
    page.removeAll(keepingCapacity: true)
    page.reserveCapacity(Self.pageSize + 256)
    let me = Unmanaged.passUnretained(self)
    stack.submitHelper(on: cpu) { me._withUnsafeGuaranteedRef { $0.analyse() } }
  }

  /// Base code: how often each word occurs.
  private func analyse() {
    guard let page = pages.pop() else { return }
    writer.schedule(on: cpu)
    words.removeAll(keepingCapacity: true)
    page.withUnsafeBufferPointer { page in
      var hash: UInt64 = 14_695_981_039_346_656_037
      for (index, byte) in page.enumerated() {
        if byte == 32 || byte == 10 {
          words[hash, default: 0] += 1
          hash = 14_695_981_039_346_656_037
        } else {
          // FNV-1a.
          hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211
        }
        if index & 1_023 == 0 { stack.system.checkpoint() }
      }
    }
    for (hash, count) in words { digest ^= hash &* UInt64(count) }
    analysed &+= 1
  }

  /// Before the stack is shut down.
  package func stop() {
    stack.system.setPolledSource(nil, on: cpu)
  }

  /// After the stack was shut down.
  package var report: Report {
    Report(logged: logged, pages: analysed, digest: digest, probe: lateness)
  }
}
