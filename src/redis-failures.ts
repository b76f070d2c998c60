/** The same reason is told again once it was not heard of for so long. */
const forgottenMs = 60_000

/** Reasons kept: servers and ports are few. */
const maxReasons = 50

export interface RedisFailures {
  /** Hears of a failure; tells it on when its reason is new. */
  report(error: unknown): void
  /** Cuts a secret out of every reason from now on. */
  hide(secret: string | undefined): void
}

/** Parts of a reason that differ each time and say nothing. */
const passing =
  / ?(Retrying from scratch after \d+ms\.|script: [0-9a-f]{40}, on @user_script:\d+\.)/g

/**
 * Makes failures of Redis into reasons, each told once: a lost connection is tried again every
 * second, and would fill the log. `tell` gets the server's or the system's own words (WRONGPASS,
 * ENOTFOUND, a certificate's fault), without passwords.
 */
export function redisFailures(
  tell: (reason: string) => void,
  now: () => number = () => performance.now(),
): RedisFailures {
  const heard = new Map<string, number>()
  const secrets = new Set<string>()

  /** The innermost cause that says something, with its code when the words do not. */
  function reasonOf(error: unknown): string {
    const { lastNodeError, code, message } = error as {
      lastNodeError?: unknown
      code?: unknown
      message?: unknown
    }
    if (lastNodeError) return reasonOf(lastNodeError)
    let text = String(message || code || error).replaceAll(passing, '')
    if (typeof code === 'string' && !text.includes(code)) text = `${code}: ${text}`
    for (const secret of secrets) text = text.replaceAll(secret, '[secret]')
    return text
  }

  return {
    report(error) {
      const reason = reasonOf(error)
      const last = heard.get(reason) ?? Number.NEGATIVE_INFINITY
      heard.delete(reason)
      heard.set(reason, now())
      const [oldest] = heard.keys()
      if (heard.size > maxReasons && oldest !== undefined) heard.delete(oldest)
      if (now() - last >= forgottenMs) tell(reason)
    },
    hide(secret) {
      if (secret) secrets.add(secret)
    },
  }
}

/** Tells failures on, and knows whether anything was told since the connection was well. */
export function untilWell(failures: RedisFailures) {
  let told = false
  function report(error: unknown): void {
    told = true
    failures.report(error)
  }
  return {
    report,
    /** The connection is well. */
    well() {
      told = false
    },
    /** The connection is lost, and this may be all that is known. */
    lost(reason: string) {
      if (!told) report(new Error(reason))
    },
  }
}
