const sorted = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b)

/** The value below which this share of the values lies. */
export const quantile = (values: readonly number[], share: number): number =>
  sorted(values)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** Each value of one, of the value of the other at the same place. */
export const ratios = (one: readonly number[], other: readonly number[]): number[] =>
  one.map((value, at) => value / (other[at] as number))

/** Median of several rounds, and how far they lie apart. */
export interface Spread {
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

export const spreadOf = (values: readonly number[]): Spread => ({
  median: median(values),
  lowest: Math.min(...values),
  highest: Math.max(...values),
})

/** The slope of a line through equally spaced values, by least squares, for each step. */
export function slope(values: readonly number[]): number {
  const mean = (values.length - 1) / 2
  const average = values.reduce((sum, value) => sum + value, 0) / values.length
  const above = values.reduce((sum, value, at) => sum + (at - mean) * (value - average), 0)
  return above / values.reduce((sum, _value, at) => sum + (at - mean) ** 2, 0)
}
