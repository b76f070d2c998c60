/** Graph's "not yet". */
export const never = '0001-01-01T00:00:00Z'

/** Ticks of 100 ns in a millisecond: Graph writes dates to the tick. */
export const ticksPerMs = 10_000n

const ticksPerSecond = 1000n * ticksPerMs

/** Ticks since 1970 as Graph writes them: up to seven digits after the second, zeros trimmed. */
export function dateTime(ticks: bigint): string {
  const fraction = String(ticks % ticksPerSecond)
    .padStart(7, '0')
    .replace(/0+$/, '')
  const toSecond = new Date(Number(ticks / ticksPerSecond) * 1000).toISOString().slice(0, 19)
  return `${toSecond}${fraction && `.${fraction}`}Z`
}
