/** Bytes that may be used together, and by one connection. */
export interface ByteBudget {
  /** Takes bytes for a connection; `false`, and nothing taken, when they are not there. */
  take(connectionKey: string, bytes: number): boolean
  /** Takes bytes that cannot be refused, or gives them back (below zero). */
  change(connectionKey: string, bytes: number): void
}

export interface ByteBudgetOptions {
  readonly total: number
  readonly perConnection: number
}

/** Counts the bytes of each connection; a connection without any is forgotten. */
export function byteBudget({ total, perConnection }: ByteBudgetOptions): ByteBudget {
  const used = new Map<string, number>()
  let all = 0

  function change(connectionKey: string, bytes: number): void {
    const now = (used.get(connectionKey) ?? 0) + bytes
    all += bytes
    if (now > 0) used.set(connectionKey, now)
    else used.delete(connectionKey)
  }

  return {
    change,
    take(connectionKey, bytes) {
      const mine = (used.get(connectionKey) ?? 0) + bytes
      if (mine > perConnection || all + bytes > total) return false
      change(connectionKey, bytes)
      return true
    },
  }
}
