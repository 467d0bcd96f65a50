// The layout of a table's slots.

import Testing

@testable import FlowMeter

@Suite("A slot of the flow table")
struct FlowSlotTests {
  @Test("fills whole cache lines, so that flows of two CPUs never share one")
  func lines() {
    #expect(MemoryLayout<FlowSlot>.stride % 64 == 0)
    #expect(MemoryLayout<FlowSlot>.stride <= 256)
    let slots = FlowSlot.allocate(2)
    #expect(UInt(bitPattern: slots) % 64 == 0)
    slots.deallocate()
  }
}
