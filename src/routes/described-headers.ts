import { z } from 'zod'
import type { ResponseHeader } from '../openapi/route-description.ts'

export const retryAfter = {
  type: 'integer',
  description: 'Seconds to wait before the next poll.',
} as const satisfies ResponseHeader

/** The headers of a 202. */
export const acceptedHeaders: Readonly<Record<string, ResponseHeader>> = {
  Location: { type: 'string', description: 'Where to poll for the result: 202 until it is there.' },
  'Operation-Location': {
    type: 'string',
    description: 'Where to poll for a status: always 200.',
  },
  'Retry-After': retryAfter,
}

const prefer = z.string().optional().meta({
  title: 'Prefer',
  description:
    'How long to wait for the answer: wait=20 waits up to so many seconds (100 at most), respond-async returns at once. A platform that polls needs neither.',
  'x-ms-visibility': 'advanced',
})

/** Request headers of a poll. */
export const waitHeaders = z.object({ Prefer: prefer })

/** Request headers of what spends capacity. */
export const runHeaders = z.object({
  Prefer: prefer,
  'Idempotency-Key': z.string().optional().meta({
    title: 'Idempotency Key',
    description:
      'Makes the action repeatable for 24 hours: the same key and body run once, the same key with another body is an error. Leave it empty in a workflow whose platform says by itself which action execution calls. Otherwise make one for each execution: 1 to 255 visible characters that name the run, the action and the item of a loop, or a new GUID that is kept for retries.',
    'x-ms-visibility': 'advanced',
  }),
})
