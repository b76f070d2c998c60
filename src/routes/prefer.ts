/** What a caller says about waiting (RFC 7240). */
export interface Preference {
  /** Seconds to wait for the result. */
  readonly waitSeconds: number
  /** What was obeyed, for `Preference-Applied`; absent when nothing was. */
  readonly applied?: string
}

/** Connectors give up after 120 s, Copilot Studio after about 100 s. */
const maxWaitSeconds = 100

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const value = `${token}|"(?:[^"\\\\]|\\\\.)*"`
const preference = new RegExp(`^(${token})(?:\\s*=\\s*(${value}))?(?:\\s*;.*)?$`)

/** Splits at commas outside of quotes. */
const members = (header: string): string[] => header.match(/(?:"(?:[^"\\]|\\.)*"|[^,])+/g) ?? []

/**
 * Name and value of each preference; of a repeated one the first counts (RFC 7240, 2). What cannot
 * be read is left out.
 */
function parse(header: string): Map<string, string> {
  const preferences = new Map<string, string>()
  for (const member of members(header)) {
    const match = preference.exec(member.trim())
    const name = match?.[1]?.toLowerCase()
    if (name === undefined || preferences.has(name)) continue
    preferences.set(name, (match?.[2] ?? '').replace(/^"|"$/g, ''))
  }
  return preferences
}

/** A longer header is not read: reading takes time that grows faster than the header. */
const maxHeaderLength = 1000

/**
 * Reads the `Prefer` header of Submit: `wait=N` in seconds, capped at 100, or `respond-async`. Both
 * together mean "wait so long, then go on without me" (RFC 7240, 4.3). An invalid preference is
 * ignored. Pure.
 */
export function readPreference(
  header: string | string[] | undefined,
  defaultWaitSeconds: number,
): Preference {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '')
  const preferences = parse(text.length > maxHeaderLength ? '' : text)
  const respondAsync = preferences.get('respond-async') === ''
  const wait = preferences.get('wait')
  if (wait !== undefined && /^\d+$/.test(wait)) {
    const waitSeconds = Math.min(Number(wait), maxWaitSeconds)
    return { waitSeconds, applied: `${respondAsync ? 'respond-async, ' : ''}wait=${waitSeconds}` }
  }
  return respondAsync
    ? { waitSeconds: 0, applied: 'respond-async' }
    : { waitSeconds: defaultWaitSeconds }
}
