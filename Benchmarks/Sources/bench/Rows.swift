// All rows, in the order of the table.

/// Every experiment; `root` is the repository's directory, for the bundled capture.
func allExperiments(root: String) -> [Experiment] {
  levelExperiments() + scheduleExperiments() + crossCPUExperiments() + contendedExperiments()
    + calloutExperiments() + loadedExperiments() + meterExperiments(root: root) + actorExperiments()
    + memoryExperiments()
}
