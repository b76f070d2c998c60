import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import t, { type Test } from 'tap'
import { Pool } from 'undici'
import { sendHttp } from '../../src/graph/http.ts'
import { stub } from '../helpers/stub.ts'

const get = { method: 'GET', path: '/' } as const
const signal = new AbortController().signal
const limits = { timeoutMs: 2000, maxBodyBytes: 1000, signal }

/** One connection to an upstream of its own. */
async function line(t: Test, answer: RequestListener): Promise<Pool> {
  const pool = new Pool(await stub(t, answer), { connections: 1 })
  t.teardown(() => pool.destroy())
  return pool
}

t.test('sendHttp()', async t => {
  await t.test('reads an answer that comes in pieces, letters cut in two included', async t => {
    const text = Buffer.from('"Zürich"')
    const pool = await line(t, (_request, response) => {
      response.write(text.subarray(0, 3))
      setImmediate(() => response.end(text.subarray(3)))
    })
    t.match(await sendHttp(pool, get, limits), { status: 200, text: '"Zürich"' })
  })

  await t.test('leaves out the mark of byte order that some services write first', async t => {
    const pool = await line(t, (_request, response) => response.end('\uFEFF{}'))
    t.equal((await sendHttp(pool, get, limits)).text, '{}')
  })

  await t.test(
    'tells status and headers of an answer too long to be read, and goes on with the next',
    async t => {
      let bytes = 1001
      const pool = await line(t, (_request, response) =>
        response.setHeader('request-id', 'r').end('x'.repeat(bytes)),
      )
      t.match(await sendHttp(pool, get, limits), {
        status: 200,
        headers: { 'request-id': 'r' },
        text: undefined,
      })
      bytes = 1000
      t.equal((await sendHttp(pool, get, limits)).text?.length, 1000)
    },
  )

  await t.test('is late while it waits for a connection, and then is never sent', async t => {
    const paths: (string | undefined)[] = []
    const pool = await line(t, ({ url }, response) => {
      paths.push(url)
      if (url === '/third') response.end()
    })
    const first = sendHttp(pool, { ...get, path: '/first' }, { ...limits, timeoutMs: 200 })
    await once(pool, 'connect')
    const second = sendHttp(pool, { ...get, path: '/second' }, { ...limits, timeoutMs: 20 })
    await t.rejects(second, { name: 'LateResponse', sent: false })
    await t.rejects(first, { name: 'LateResponse', sent: true })
    await sendHttp(pool, { ...get, path: '/third' }, limits)
    t.same(paths, ['/first', '/third'])
  })

  await t.test('does not send what came too late, and sends the next', async t => {
    const paths: (string | undefined)[] = []
    const pool = await line(t, ({ url }, response) => {
      paths.push(url)
      setTimeout(() => response.end(), 20)
    })
    let may = true
    const first = sendHttp(pool, { ...get, path: '/first' }, limits)
    const second = sendHttp(pool, { ...get, path: '/second' }, { ...limits, maySend: () => may })
    may = false
    await t.rejects(second, { name: 'NotSent' })
    await first
    await sendHttp(pool, { ...get, path: '/third' }, { ...limits, maySend: () => true })
    t.same(paths, ['/first', '/third'])
  })

  await t.test('ends when nobody wants the response any more', async t => {
    const asked = Promise.withResolvers<void>()
    const pool = await line(t, () => asked.resolve())
    const left = new AbortController()
    const call = sendHttp(pool, get, { ...limits, signal: left.signal })
    await asked.promise
    left.abort()
    await t.rejects(call, { name: 'NotSent' })
    await t.rejects(sendHttp(pool, get, { ...limits, signal: left.signal }), { name: 'NotSent' })
  })
})
