// The flow table of a capture, made under a discipline: `softint flows --discipline`.

public import ComparisonReport
public import FlowMeter
import PacketCapture

/// Meters a capture under a discipline, on `cpus` CPUs.
///
/// The result is the same table as that of a plain pass, whatever the discipline.
public func meterFlows(
  _ capture: LoadedCapture, discipline: Discipline, cpus: Int, isInterrupted: @escaping () -> Bool
) throws(ComparisonError) -> (table: ConversationTable, skipped: SkipCounts) {
  guard discipline != .disjoint else {
    throw ComparisonError(
      description:
        "disjoint: the flow meter cannot run with disjoint levels; choose ordered, mpSafe, mixed, bigLock or oneCPU"
    )
  }
  let meter = try FlowMeterSystem(
    MeterPlan(discipline, cpus: cpus), capture, scale: TickScale.measure(), pace: 0.001, recording: .nothing,
    keepsRecords: true, idle: .park)
  let result = try meter.pass(isInterrupted)
  return (result.table, result.skipped)
}
