// Work beside the stack, as a server has it: an access log at softBio, its analysis by base code, and a probe at softSerial that says how
// long a handler there waits.
//
// Law: records go from the stack's guard to softBio by a ring, pages of log from there to base code by another; each ring has one producer and
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
    package var logged, lost, pages: UInt64
    /// Of all lines, so that nobody leaves the work out.
    package var digest: UInt64
    /// How late the probe ran after its time, in nanoseconds.
    package var probe: TimeBuckets
  }

  private let stack: NetworkStack
  private let cpu: Int
  private let records = Ring<Record, HostedMachine>(capacity: 8_192)
  private let pages = Ring<[UInt8], HostedMachine>(capacity: 64)
  private var writer: Handler<HostedMachine>!
  private var probe: Handler<HostedMachine>!
  private var clock: Attachment?
  // Under the stack's guard.
  private var lost: UInt64 = 0
  // The writer's.
  private var page: [UInt8] = []
  private var logged: UInt64 = 0
  // Base code's.
  private var analysed: UInt64 = 0
  private var digest: UInt64 = 0
  private var words: [UInt64: Int] = [:]
  // The probe's; `due` is written by its clock at `vm` on the same CPU before the probe is pending.
  private var due: UInt64 = 0
  private var next: UInt64 = 0
  private var lateness = TimeBuckets()

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
        me._withUnsafeGuaranteedRef { $0.lateness.add(nanoseconds: HostedMachine.now() - $0.due) }
      }
      next = HostedMachine.now() + Self.period
      clock = try stack.system.attachTimer(every: .milliseconds(1), on: cpu, name: "probe's clock") { _ in
        me._withUnsafeGuaranteedRef { levels in
          levels.due = levels.next
          let now = HostedMachine.now()
          while levels.next <= now { levels.next += Self.period }
          if levels.due <= now { levels.probe.schedule(on: levels.cpu) }
        }
      }
    } catch { throw .system("\(error)") }
  }

  /// A request was answered. Under the stack's guard.
  func note(_ length: Int, _ request: UInt64, at time: UInt64) {
    if records.push(Record(time: time, length: length, request: request)) {
      writer.schedule(on: cpu)
    } else {
      lost &+= 1
    }
  }

  /// At softBio, on one CPU.
  private func write() {
    for _ in 0..<Self.batch {
      guard let record = records.pop() else { return }
      append("10.1.0.1 - - [")
      append(record.time)
      append("] \"GET / HTTP/1.1\" 200 ")
      append(UInt64(record.length))
      append(" request ")
      append(record.request)
      page.append(10)
      logged &+= 1
      if page.count >= Self.pageSize { turn() }
      // As long code does, it lets what is above run.
      stack.system.checkpoint()
    }
    writer.schedule(on: cpu)
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

  /// A page is full: base code is given it.
  private func turn() {
    if pages.push(page) {
      let me = Unmanaged.passUnretained(self)
      stack.submitHelper(on: cpu) { me._withUnsafeGuaranteedRef { $0.analyse() } }
    }
    page.removeAll(keepingCapacity: true)
    page.reserveCapacity(Self.pageSize + 256)
  }

  /// Base code: how often each word occurs.
  private func analyse() {
    guard let page = pages.pop() else { return }
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
    if let clock { stack.system.detach(clock) }
    clock = nil
  }

  /// After the stack was shut down.
  package var report: Report {
    Report(logged: logged, lost: lost, pages: analysed, digest: digest, probe: lateness)
  }
}
