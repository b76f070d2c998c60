import { LRUCache } from 'lru-cache'
import { ConnectorError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'

/** Lets apps' sign-ins out to Entra (docs/api.md#46-sign-ins-that-fail). */
export interface SignInLimit {
  /**
   * Runs a sign-in, unless too many were refused lately. While those under way could use up the
   * limit, it waits for them.
   * @param app names the claimed tenant and client id.
   * @param proof names what the app proves itself by, as a hash: one that was right before is not
   *   limited.
   * @throws ConnectorError `TooManyFailedSignIns`, `EntraUnavailable`, and what `run` throws.
   */
  run<T>(app: string, proof: string, run: () => Promise<T>): Promise<T>
}

export interface SignInLimitOptions {
  readonly clock: Clock
  /** How long one may wait for others, in ms. */
  readonly maxWaitMs: number
}

const windowMs = 60_000

/** Refused sign-ins in a window, of one claimed app and of all together. */
const refusalsOfApp = 10
const refusalsInAll = 60

/** Sign-ins that wait for others; further ones are refused. */
const maxWaiting = 1000

/** Proofs remembered that were right; each is a hash. */
const maxRight = 10_000

/** Sign-ins of one app, or of all. */
interface Tally {
  underWay: number
  /** When those began that were refused, in ms of the monotonic clock, in order. */
  readonly refused: number[]
}

const tooMany = (whose: string, waitMs: number): ConnectorError => {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000))
  return new ConnectorError(
    'TooManyFailedSignIns',
    `Cannot accept the service principal: too many sign-ins of ${whose} were refused lately, try again in ${retryAfterSeconds} seconds`,
    { retryAfterSeconds },
  )
}

/**
 * Bounds what strangers can ask of Entra through this service: exact in any window, by the
 * monotonic clock. A sign-in counts from its beginning, and only if it is refused.
 */
export function createSignInLimit({ clock, maxWaitMs }: SignInLimitOptions): SignInLimit {
  const all: Tally = { underWay: 0, refused: [] }
  // Only apps with a sign-in under way, waiting, or refused within a window or two.
  const apps = new Map<string, Tally>()
  const right = new LRUCache<string, true>({ max: maxRight })
  let waiting = 0
  let settled = Promise.withResolvers<void>()

  function forget({ refused }: Tally, now: number): void {
    const kept = refused.findIndex(at => now - at < windowMs)
    refused.splice(0, kept === -1 ? refused.length : kept)
  }

  function forgetApps(now: number): void {
    for (const [app, tally] of apps) {
      forget(tally, now)
      if (tally.underWay === 0 && tally.refused.length === 0) apps.delete(app)
    }
  }

  function tallyOf(app: string): Tally {
    const tally = apps.get(app) ?? { underWay: 0, refused: [] }
    apps.set(app, tally)
    return tally
  }

  /** Until a further one fits, in ms: 0 when it does, or when it may after those under way. */
  function waitMs({ refused }: Tally, limit: number, now: number): number {
    const leaver = refused.at(-limit)
    return leaver === undefined ? 0 : leaver + windowMs - now
  }

  /**
   * Counts one more sign-in as under way if it fits now: what it may be after those under way, it
   * waits for. @throws ConnectorError `TooManyFailedSignIns` when it cannot fit.
   */
  function reserve(app: string): readonly Tally[] | undefined {
    const now = clock.monotonic()
    const own = tallyOf(app)
    forget(own, now)
    forget(all, now)
    const ownMs = waitMs(own, refusalsOfApp, now)
    const allMs = waitMs(all, refusalsInAll, now)
    if (ownMs > 0 && ownMs >= allMs) throw tooMany('this app', ownMs)
    if (allMs > 0) throw tooMany('apps', allMs)
    const fits =
      own.refused.length + own.underWay < refusalsOfApp &&
      all.refused.length + all.underWay < refusalsInAll
    if (!fits) return undefined
    own.underWay += 1
    all.underWay += 1
    return [own, all]
  }

  async function turn(app: string): Promise<readonly Tally[]> {
    const cameAt = clock.monotonic()
    for (;;) {
      const reserved = reserve(app)
      if (reserved) return reserved
      if (waiting >= maxWaiting) throw tooMany('apps', maxWaitMs)
      waiting += 1
      await settled.promise
      waiting -= 1
      if (clock.monotonic() - cameAt > maxWaitMs) {
        throw new ConnectorError(
          'EntraUnavailable',
          'Cannot accept the service principal: too many wait for Entra',
        )
      }
    }
  }

  function note(tally: Tally, beganAt: number): void {
    const after = tally.refused.findLastIndex(at => at <= beganAt)
    tally.refused.splice(after + 1, 0, beganAt)
  }

  return {
    async run(app, proof, run) {
      forgetApps(clock.monotonic())
      const reserved = right.get(proof) ? [] : await turn(app)
      const beganAt = clock.monotonic()
      try {
        const result = await run()
        right.set(proof, true)
        return result
      } catch (error) {
        if (error instanceof ConnectorError && error.code !== 'EntraUnavailable') {
          right.delete(proof)
          for (const tally of [all, tallyOf(app)]) note(tally, beganAt)
        }
        throw error
      } finally {
        for (const tally of reserved) tally.underWay -= 1
        settled.resolve()
        settled = Promise.withResolvers()
      }
    },
  }
}
