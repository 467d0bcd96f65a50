// Back-pressure, ends and failures, step by step: on an event loop that runs when it is told to.

import HostedMachine
import NIOCore
import NIOEmbedded
import SoftInterrupts
import Testing

@testable import SoftInterruptsNIO

@Suite struct ProtocolTests {
  /// What the level was given.
  enum Given: Equatable, Sendable {
    case opened, closed, failed
    case message(Int)
    case writable(Bool)
  }

  static func given(_ event: Numbers.Event) -> Given {
    switch event {
    case .opened: .opened
    case .closed: .closed
    case .failed: .failed
    case .message(let number): .message(number)
    case .writable(let isWritable): .writable(isWritable)
    }
  }

  struct Setup {
    let system: System
    let loop = NIOAsyncTestingEventLoop()
    let log = Log<Given>()
    let port: Numbers

    init(
      _ system: System, capacity: Int = 4, budget: Int = 64,
      _ extra: @escaping @Sendable (Numbers.Arrival) -> Void = { _ in }
    )
      throws
    {
      self.system = system
      let log = log
      port = try Numbers(
        system, "numbers", at: .softNet, as: .ordered, on: loop, capacity: capacity, budget: budget
      ) {
        arrival, _ in
        log.note(ProtocolTests.given(arrival.event))
        extra(arrival)
      }
    }

    var handler: Handler<HostedMachine> { port.links[0].handler! }
    /// Lets the loop do what it was asked until `condition` holds.
    func runs(until condition: @Sendable () -> Bool) async -> Bool {
      await eventually {
        await loop.run()
        return condition()
      }
    }
  }

  @Test func aFullIntakeStopsReadingAndNothingIsLost() async throws {
    try await withSystem { system in
      let test = try Setup(system)
      let passing = Passing()
      let (channel, _) = try await testingChannel(test.port, test.loop, before: [passing])
      #expect(await test.runs { test.log.all == [.opened] })
      #expect(test.system.suspend(test.handler) == .done(dropped: 0))
      // Four fit. The others are kept, and no further read is passed on.
      for number in 0..<7 { try await channel.writeInbound(number) }
      let before = passing.reads.count
      try await test.loop.executeInContext { channel.read() }
      #expect(passing.reads.count == before)
      #expect(test.port.statistics.stops == 1)
      test.system.resume(test.handler)
      let all: [Given] = [.opened] + (0..<7).map { .message($0) }
      #expect(await test.runs { test.log.all == all && passing.reads.count == before + 1 })
      try await channel.close()
      #expect(await test.runs { test.log.all == all + [.closed] })
      #expect(test.port.statistics.delivered == 7)
    }
  }

  /// Two channels of one loop are refused; each gets its turn, and what each sent stays in order.
  @Test func turnsAreTaken() async throws {
    try await withSystem { system in
      let order = Log<[Int]>()
      let test = try Setup(system, capacity: 1) { arrival in
        if case .message(let number) = arrival.event { order.note([arrival.connection.number, number]) }
      }
      let (first, _) = try await testingChannel(test.port, test.loop)
      let (second, _) = try await testingChannel(test.port, test.loop)
      #expect(await test.runs { test.log.all == [.opened, .opened] })
      #expect(system.suspend(test.handler) == .done(dropped: 0))
      for number in 0..<3 { try await first.writeInbound(number) }
      for number in 0..<3 { try await second.writeInbound(number) }
      // A channel that goes leaves what it had sent; its end comes behind it.
      try await first.close()
      system.resume(test.handler)
      #expect(await test.runs { order.all.count == 6 && test.log.all.contains(.closed) })
      #expect(order.all == [[0, 0], [0, 1], [1, 0], [0, 2], [1, 1], [1, 2]])
      try await second.close()
      #expect(await test.runs { test.log.all.count(where: { $0 == .closed }) == 2 })
    }
  }

  /// A run that stops for its budget asks for the next: nobody else does.
  @Test func aBudgetEndsARunAndNotTheWork() async throws {
    try await withSystem { system in
      let test = try Setup(system, capacity: 64, budget: 3)
      let (channel, _) = try await testingChannel(test.port, test.loop)
      #expect(await test.runs { test.log.all == [.opened] })
      #expect(system.suspend(test.handler) == .done(dropped: 0))
      for number in 0..<10 { try await channel.writeInbound(number) }
      system.resume(test.handler)
      #expect(await test.runs { test.log.all.count == 11 })
      try await channel.close()
    }
  }

  /// One channel goes on reading, and by that, on the same event loop, another gets something: behind what was kept for it.
  @Test func whatWasKeptIsNotOvertaken() async throws {
    try await withSystem { system in
      let numbers = Log<Int>()
      let test = try Setup(system) { arrival in
        if case .message(let number) = arrival.event { numbers.note(number) }
      }
      let (second, _) = try await testingChannel(test.port, test.loop)
      let (first, _) = try await testingChannel(test.port, test.loop, before: [PassingOn(to: second)])
      #expect(await test.runs { test.log.all == [.opened, .opened] })
      #expect(system.suspend(test.handler) == .done(dropped: 0))
      // Four fit, the fifth is kept, and the read is put off.
      for number in 0..<5 { try await first.writeInbound(number) }
      try await test.loop.executeInContext { first.read() }
      for number in 10..<12 { try await second.writeInbound(number) }
      system.resume(test.handler)
      #expect(await test.runs { numbers.all.count == 8 })
      #expect(numbers.all.filter { $0 >= 10 } == [10, 11, 12])
      try await first.close()
      try await second.close()
    }
  }

  /// When its channel is asked to read, the other one gets the number 12; once.
  final class PassingOn: ChannelOutboundHandler, Sendable {
    typealias OutboundIn = Any
    private let other: NIOAsyncTestingChannel
    private let isDone = Counter()
    init(to other: NIOAsyncTestingChannel) { self.other = other }
    func read(context: ChannelHandlerContext) {
      if isDone.add() == 1 { other.pipeline.syncOperations.fireChannelRead(NIOAny(12)) }
      context.read()
    }
  }

  @Test func theLevelStopsAChannel() async throws {
    try await withSystem { system in
      let test = try Setup(system)
      let passing = Passing()
      let (channel, connection) = try await testingChannel(test.port, test.loop, before: [passing])
      connection.setReading(false)
      #expect(await test.runs { test.port.statistics.hops == 1 })
      let before = passing.reads.count
      try await test.loop.executeInContext { channel.read() }
      #expect(passing.reads.count == before)
      connection.setReading(true)
      #expect(await test.runs { passing.reads.count == before + 1 })
      try await channel.close()
    }
  }

  @Test(arguments: [false, true]) func anEndCountsWhatNobodyHasSeen(byShutdown: Bool) async throws {
    var configuration = Configuration()
    configuration.onViolation = .collect
    let system = try System(on: .hosted(cpus: 2), configuration)
    let test = try Setup(system)
    let (channel, connection) = try await testingChannel(test.port, test.loop)
    let behind = Behind()
    try await channel.pipeline.addHandler(behind).get()
    #expect(await test.runs { test.log.all == [.opened] })
    #expect(system.suspend(test.handler) == .done(dropped: 0))
    for number in 0..<6 { try await channel.writeInbound(number) }
    // Written before the end: sent all the same.
    system.raise(to: .softNet) { _ in connection.write(11) }
    if byShutdown {
      let report = await onThread { system.shutdown(grace: .zero) }
      #expect(report.pending.map(\.name).contains("numbers"))
    } else {
      await onThread { test.port.end() }
    }
    #expect(await test.runs { behind.errors.all == [.ended(undelivered: 6)] })
    #expect(await test.runs { !channel.isActive })
    #expect(try await channel.readOutbound(as: Int.self) == 11)
    #expect(test.log.all == [.opened])
    #expect(test.port.statistics.undelivered == 6)
    // Written after it: counted.
    connection.write(12)
    #expect(await test.runs { test.port.statistics.unwritten == 1 })
    // Attached after it: refused.
    await #expect(throws: LevelPortError.ended(undelivered: 0)) {
      _ = try await testingChannel(test.port, test.loop)
    }
    if !byShutdown { await onThread { _ = system.shutdown() } }
    #expect(system.violations.isEmpty)
  }

  @Test func aWriteToWhatHasClosedIsCounted() async throws {
    try await withSystem { system in
      let test = try Setup(system)
      let (channel, connection) = try await testingChannel(test.port, test.loop)
      try await channel.close()
      #expect(await test.runs { test.log.all == [.opened, .closed] })
      connection.write(1)
      connection.write(2, onFailure: .ignored)
      #expect(await test.runs { test.port.statistics.unwritten == 2 })
    }
  }

  @Test func aWriteThatFailsIsTold() async throws {
    try await withSystem { system in
      let test = try Setup(system)
      let (channel, connection) = try await testingChannel(test.port, test.loop, before: [Refusing()])
      connection.write(1)
      #expect(await test.runs { test.log.all == [.opened, .failed] })
      #expect(test.port.statistics.unwritten == 1)
      try await channel.close()
    }
  }

  /// Many messages of one run of the handler are one task of the event loop.
  @Test func oneHopForABatch() async throws {
    try await withSystem { system in
      let test = try Setup(system, capacity: 64) { arrival in
        if case .message(let number) = arrival.event { for _ in 0..<10 { arrival.connection.write(number) } }
      }
      let (channel, _) = try await testingChannel(test.port, test.loop)
      #expect(await test.runs { test.log.all == [.opened] })
      #expect(system.suspend(test.handler) == .done(dropped: 0))
      for number in 0..<50 { try await channel.writeInbound(number) }
      system.resume(test.handler)
      #expect(await test.runs { test.port.statistics.written == 500 })
      #expect(test.port.statistics.hops == 1)
      try await channel.close()
    }
  }

  @Test func aChannelOfAnotherGroupIsRefused() async throws {
    try await withSystem { system in
      let test = try Setup(system)
      await #expect(throws: LevelPortError.foreignEventLoop) {
        _ = try await testingChannel(test.port, NIOAsyncTestingEventLoop())
      }
    }
  }

  final class Refusing: ChannelOutboundHandler, Sendable {
    typealias OutboundIn = Any
    struct Refused: Error {}
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
      promise?.fail(Refused())
    }
  }
}
