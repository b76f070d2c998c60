/** Counts the bytes that one piece of work holds in memory. */
export interface ByteMeter {
  /** Takes so many more; false when they are not to be had, and then nothing is taken. */
  hold(bytes: number): boolean
  /** Gives so many back. */
  release(bytes: number): void
  /** Gives all back; what is taken afterwards is not counted. */
  close(): void
}

export interface ByteBudgetOptions {
  /** Bytes that all hold together, at most. */
  readonly total: number
  /** Bytes that the work of one key holds together, at most. */
  readonly perKey: number
}

/** Bytes are held within a bound for each key and one for all: whoever asks for more is refused. */
export interface ByteBudget {
  meter(key: string): ByteMeter
  /** Bytes held now. */
  readonly held: number
}

export function createByteBudget({ total, perKey }: ByteBudgetOptions): ByteBudget {
  const byKey = new Map<string, number>()
  let all = 0

  function add(key: string, bytes: number): void {
    all += bytes
    const left = (byKey.get(key) ?? 0) + bytes
    if (left === 0) byKey.delete(key)
    else byKey.set(key, left)
  }

  return {
    meter(key) {
      let mine = 0
      let closed = false
      function release(bytes: number): void {
        const given = Math.min(bytes, mine)
        mine -= given
        add(key, -given)
      }
      return {
        hold(bytes) {
          if (closed) return true
          if (all + bytes > total || (byKey.get(key) ?? 0) + bytes > perKey) return false
          mine += bytes
          add(key, bytes)
          return true
        },
        release,
        close() {
          release(mine)
          closed = true
        },
      }
    },
    get held() {
      return all
    },
  }
}
