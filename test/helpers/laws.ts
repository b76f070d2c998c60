/**
 * How often a property is tried: `LAW_RUNS` times (100 when it is not set), or a share of that
 * where one try takes long. The gate sets it high.
 */
export const lawRuns = (share = 1): number =>
  Math.max(1, Math.ceil(Number(process.env['LAW_RUNS'] ?? 100) * share))
