// The steps that there are, and who may do which.

enum Verb: String, CaseIterable {
  case read, write, add, set
  case raise, tryRaise, mask, bigLock, lock, open, leaveCPU
  case schedule, disestablish, suspend, resume, setWay
  case arm, cancel, halt, retire
  case wait, broadcast, call, barrier
  case checkpoint, yield, point
  case offline, online
  case spin
  case branch = "if"
  case times = "repeat"
  case expect

  func isAllowed(in kind: BodyKind) -> Bool {
    switch self {
    case .expect, .branch, .set: true
    case .read, .write, .add, .point, .times: kind != .finally
    // What an interrupt does: it marks, and asks nobody to wait.
    case .schedule, .arm, .cancel: kind != .finally
    // The core stops a program that asks for these elsewhere.
    case .offline, .online: kind == .visitor
    case .leaveCPU: kind == .base
    default: kind.isAgent
    }
  }
}
