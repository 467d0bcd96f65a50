// Numbers and columns, as the programs here print them.

import Glibc

public func yieldProcessor() { sched_yield() }

public func fixed(_ value: Double, _ digits: Int) -> String {
  let scale = pow(10.0, Double(digits))
  let rounded = (abs(value) * scale).rounded()
  let whole = UInt64(rounded / scale)
  let fraction = UInt64(rounded) - whole * UInt64(scale)
  if digits == 0 { return (value < 0 ? "-" : "") + "\(whole)" }
  let text = String(fraction)
  return (value < 0 ? "-" : "") + "\(whole)." + String(repeating: "0", count: digits - text.count) + text
}

public func column(_ text: String, _ width: Int, right: Bool = false) -> String {
  let space = String(repeating: " ", count: max(width - text.count, 0))
  return right ? space + text : text + space
}
