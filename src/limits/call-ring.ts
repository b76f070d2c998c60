/**
 * Times of calls in a row, in as many places as were needed at once. Plain data: there are many of
 * them.
 */
export interface CallRing {
  times: number[]
  /** Where the oldest is: from there on they are in order, and go on at the beginning. */
  first: number
}

/** An empty ring. */
export const callRing = (): CallRing => ({ times: [], first: 0 })

const timeAt = ({ times, first }: CallRing, index: number): number =>
  times[(first + index) % times.length] as number

/** Calls that are younger than `ms` at `now`. */
export function liveCalls(ring: CallRing, now: number, ms: number): number {
  let [low, high] = [0, ring.times.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (now - timeAt(ring, middle) >= ms) low = middle + 1
    else high = middle
  }
  return ring.times.length - low
}

/** The time of the index-th oldest of the `live` youngest calls. */
export const liveTime = (ring: CallRing, live: number, index: number): number =>
  timeAt(ring, ring.times.length - live + index)

function straighten(ring: CallRing): void {
  const { times, first } = ring
  if (first > 0) ring.times = [...times.slice(first), ...times.slice(0, first)]
  ring.first = 0
}

/** Counts a call beside `live` others: in the place of one that is over, if there is. */
export function addCall(ring: CallRing, now: number, live: number): void {
  if (live === ring.times.length) {
    straighten(ring)
    ring.times.push(now)
  } else {
    ring.times[ring.first] = now
    ring.first = (ring.first + 1) % ring.times.length
  }
}

/** Takes a call of that time out. @returns whether there was one. */
export function removeCall(ring: CallRing, time: number): boolean {
  straighten(ring)
  const index = ring.times.lastIndexOf(time)
  if (index >= 0) ring.times.splice(index, 1)
  return index >= 0
}
