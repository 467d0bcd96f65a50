// `micro idle [SECONDS]` and `micro overload` tell what a system costs that has nothing, and too much, to do; `micro memory N` weighs
// callouts; `micro parked [ROUNDS]` schedules on a CPU that falls asleep each time, `micro waits [ROUNDS]` waits for CPUs that run MP-safe
// handlers, `micro sets [ROUNDS]` raises cumulatively where some of the gates are busy; `micro costs --json CAPTURE` writes the model that
// `softint simulate` predicts by. What is held against a peer is in `bench`.

import Glibc

let arguments = CommandLine.arguments
if arguments.count == 3, arguments[1] == "memory", let count = Int(arguments[2]), count > 0 {
  try weighCallouts(count)
} else if arguments.count <= 3, arguments.dropFirst().first == "idle",
  let seconds = arguments.count == 3 ? Int(arguments[2]) : 10, (1...3_600).contains(seconds)
{
  if try !measureIdle(cpus: 2, seconds: seconds) { exit(1) }
} else if arguments.count >= 3, arguments.count <= 4, arguments[1] == "costs",
  arguments.count == 3 || arguments[2] == "--json"
{
  try printCosts(capture: arguments[arguments.count - 1], json: arguments.count == 4)
} else if arguments.count <= 3, arguments.dropFirst().first == "parked",
  let rounds = arguments.count == 3 ? Int(arguments[2]) : 200_000, rounds > 0
{
  try meetSleepers(rounds: rounds)
} else if arguments.count <= 3, arguments.dropFirst().first == "waits",
  let rounds = arguments.count == 3 ? Int(arguments[2]) : 50_000, rounds > 0
{
  try waitForBusyCPUs(rounds: rounds)
} else if arguments.count <= 3, arguments.dropFirst().first == "sets",
  let rounds = arguments.count == 3 ? Int(arguments[2]) : 7, rounds > 0
{
  try measureSets(rounds: rounds, milliseconds: 150)
} else if arguments.count == 2, arguments[1] == "overload" {
  if try !measureOverload(cpus: 2, rounds: 5, milliseconds: 300) { exit(1) }
} else {
  print(
    """
    usage: micro idle [SECONDS] | micro overload | micro memory N
           micro parked [ROUNDS] | micro waits [ROUNDS] | micro sets [ROUNDS]
           micro costs [--json] CAPTURE
    """
  )
  exit(64)
}
