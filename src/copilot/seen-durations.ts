/** How long evaluations took of late: weights only, no id, no caller, no text. */
export interface SeenDurations {
  /** Counts a duration in ms; `false`, and nothing counted, for one that cannot be true. */
  note(durationMs: number): boolean
  /** What to expect of the next evaluation. */
  expected(): ExpectedDurations
}

export interface ExpectedDurations {
  /** For each cell of {@link edgesMs}, the weight of the evaluations that end in it. */
  readonly ends: readonly number[]
  /** The cell of the longest duration seen, -1 when none is. */
  readonly longest: number
}

/** Cells to a doubling of the duration. */
export const cellsPerOctave = 8
const octaves = 13
const shortestMs = 250

/**
 * The cells' edges in ms: 8 to a doubling, up to 34 minutes; the first cell begins at 0. Cell `i`
 * lies between edge `i` and edge `i + 1`; what takes longer than all counts in the last one.
 */
export const edgesMs: readonly number[] = Array.from(
  { length: cellsPerOctave * octaves + 1 },
  (_, edge) => (edge === 0 ? 0 : shortestMs * 2 ** (edge / cellsPerOctave)),
)

const cells = edgesMs.length - 1

/** The cell in which a duration in ms falls. Pure. */
export const cellOf = (durationMs: number): number => {
  const cell = Math.floor(Math.log2(durationMs / shortestMs) * cellsPerOctave)
  return Math.min(cells - 1, Math.max(0, cell))
}

/**
 * The longest duration that is believed, a day. Graph writes "not yet" as the year 1, which would
 * make a duration of 2000 years, or of minus 2000.
 */
const longestMs = 24 * 60 * 60 * 1000

/** A weight below which a cell is empty: what was seen there is long ago. */
const forgotten = 0.02

/** How large the newest duration's weight may grow before all are scaled down. */
const largestUnit = 2 ** 40

/** A duration of 10 s says that the next one takes 9 to 11 s; wider while few were seen. */
const spread = 0.1

/** Added to the spread: quick evaluations may lie closer together than two polls can. */
const spreadMs = 600

/** Which part of the time between `from` and `to` lies in the cell. Pure. */
const shareOf = (cell: number, from: number, to: number): number =>
  (Math.min(to, edgesMs[cell + 1]!) - Math.max(from, edgesMs[cell]!)) / (to - from)

/** Adds a cell's weight to the cells around it, within `width` times its duration. */
function spreadOut(ends: number[], cell: number, weight: number, width: number): void {
  const middle = (edgesMs[cell]! + edgesMs[cell + 1]!) / 2
  const from = middle * (1 - width)
  const to = Math.min(middle * (1 + width) + spreadMs, edgesMs.at(-1)!)
  for (let near = cellOf(from); near <= cellOf(to); near += 1) {
    ends[near]! += weight * shareOf(near, from, to)
  }
}

/**
 * A histogram with cells that grow with the duration and weights that fade: the newest duration
 * weighs 1, and 1/e of that after `memory` more. Its size does not depend on how many were noted.
 */
export function createSeenDurations(memory: number): SeenDurations {
  const counts = new Float64Array(cells)
  const growth = memory / (memory - 1)
  // Instead of making every older weight smaller, each newer one is larger.
  let unit = 1

  return {
    note(durationMs) {
      if (!(durationMs >= 0 && durationMs <= longestMs)) return false
      unit *= growth
      if (unit > largestUnit) {
        for (const [cell, count] of counts.entries()) counts[cell] = count / unit
        unit = 1
      }
      counts[cellOf(durationMs)]! += unit
      return true
    },
    expected() {
      const weights = Array.from(counts, count => count / unit)
      const seen = weights.reduce((sum, weight) => sum + weight, 0)
      // The fifth root is usual for the width at which a density is estimated.
      const width = spread * Math.max(1, memory / Math.max(1, seen)) ** 0.2
      const ends = weights.map(() => 0)
      let longest = -1
      for (const [cell, weight] of weights.entries()) {
        if (weight < forgotten) continue
        spreadOut(ends, cell, weight, width)
        longest = cell
      }
      return { ends, longest }
    },
  }
}
