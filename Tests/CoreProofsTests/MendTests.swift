// What the core was mended of stays mended.

import CoreProofs
import Exploration
import Testing

@Suite("Mends")
struct MendTests {
  @Test("the program holds under every schedule of its bound", arguments: Checks.mends.map(quick))
  func holds(_ proof: Proof) throws {
    let result = try proof.check(refuting: false)
    #expect(result.holds, "\(result.exploration)")
  }
}
