// Opening what is not one's own: our words.

// case: wrong guard by subscript
private func f(_ net: inout Net) {
  net[serialCount] += 1  // error: guarded by another level: open it with that level's token
}

// case: wrong guard by reading
private func f(_ net: inout Net) -> Int {
  net[clockCount]  // error: guarded by another level: open it with that level's token
}

// case: wrong guard by open
private func f(_ net: inout Net) {
  net.open(clockCount) { $0 += 1 }  // error: guarded by another level: open it with that level's token
}

// case: the lower guard with the inner token
private func f(_ base: inout Base) {
  base.raise(to: SoftNet.self) { net in
    net.raise(to: SoftSerial.self) { serial in serial[netCount] += 1 }  // error: guarded by another level
  }
}

// case: a guard of a level of one's own with the token beneath
private func f(_ net: inout Net) {
  net[driverCount] += 1  // error: guarded by another level
}

// case: a guarded value in base code
private func f(_ base: inout Base) {
  base[netCount] += 1  // error: no gate is held here: raise to the value's level, then open it
}

// case: a guarded value in an MP-safe handler
private func f(_ here: inout NetEntry) {
  here.open(netNames) { $0.append("x") }  // error: no gate is held here
}

// case: a guarded value in a mask
private func f(_ masked: inout NetMask) {
  masked[netCount] += 1  // error: a mask keeps out this CPU's handlers only
}

// case: a guarded value in a mask by open
private func f(_ masked: inout NetMask) {
  masked.open(netNames) { $0.append("x") }  // error: a mask keeps out this CPU's handlers only
}

// case: a cell without a mask
private func f(_ net: inout Net, _ cells: PerCPUAt<Int, SoftNet, M>) {
  net[cells] += 1  // error: a per-CPU value is opened inside a mask of its level
}

// case: a cell of another level
private func f(_ masked: inout NetMask, _ cells: PerCPUAt<Int, SoftBio, M>) {
  masked[cells] += 1  // error: belongs to another level: mask to that level
}

// case: a cell of another level by open
private func f(_ masked: inout NetMask, _ cells: PerCPUAt<[Int], SoftSerial, M>) {
  masked.open(cells) { $0.append(1) }  // error: belongs to another level: mask to that level
}

// case: a lock of another level
private func f(_ masked: inout NetMask, _ lock: LevelLockAt<Int, SoftBio, M>) {
  masked.lock(lock) { value, _ in value += 1 }  // error: this lock belongs to another level
}

// case: a guard of another level under the big lock
private func f(_ base: inout Base) {
  base.bigLock { big in big[netCount] += 1 }  // error: guarded by another level
}

// case: assume a level of one's own
private func f(_ system: System) {
  system.assume(DriverLock.self) { driver in driver[driverCount] += 1 }  // error: raise to it
}

// case: a misspelt member in the body is told as such
private func f(_ base: inout Base) {
  base.raise(to: SoftNet.self) { net in net[netNames].apend("x") }  // error: has no member 'apend'
}

// case: a cell in a raise by open
private func f(_ net: inout Net, _ cells: PerCPUAt<[Int], SoftNet, M>) {
  net.open(cells) { $0.append(1) }  // error: inside a mask of its level
}

// case: a cell in an MP-safe handler
private func f(_ here: inout NetEntry, _ cells: PerCPUAt<Int, SoftNet, M>) {
  here[cells] += 1  // error: inside a mask of its level
}

// case: a cell in base code by open
private func f(_ base: inout Base, _ cells: PerCPUAt<[Int], SoftNet, M>) {
  base.open(cells) { $0.append(1) }  // error: inside a mask of its level
}

// case: a lock in a raise
private func f(_ net: inout Net, _ lock: LevelLockAt<Int, SoftNet, M>) {
  net.lock(lock) { _, _ in }  // error: taken inside a mask of its level
}

// case: a lock in an MP-safe handler
private func f(_ here: inout NetEntry, _ lock: LevelLockAt<Int, SoftNet, M>) {
  here.lock(lock) { _, _ in }  // error: taken inside a mask of its level
}

// case: await with a guard open
private func f(_ net: borrowing Net) async {
  await net.open(netCount) { _ in await Task.yield() }  // error: for a synchronous closure only
}
