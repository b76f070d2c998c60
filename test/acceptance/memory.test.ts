import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { alice, bob, serviceProcess, submitTo } from '../helpers/service-process.ts'
import { request } from '../helpers/world.ts'

/** V8's options and the memory limit of the shipped container. */
const [, nodeOptions = ''] =
  /^ENV NODE_OPTIONS="(.+)"$/m.exec(readFileSync('Dockerfile', 'utf8')) ?? []
const limitBytes = 512 * 1024 * 1024

const mebibyte = 1024 * 1024

t.test('in the container’s memory, no caller ends the process or another’s request', async t => {
  const process = await serviceProcess(t, {
    env: { NODE_OPTIONS: nodeOptions, RATE_LIMIT_CALLS: '100000' },
  })
  const { url, model, running: service } = process
  const port = Number(new URL(url).port)
  const [asAlice, asBob] = [await process.as(alice), await process.as(bob)]
  const submit = (headers: object, content: string, more = {}) =>
    submitTo(url, { ...headers, ...more }, content)
  const rss = () =>
    1024 *
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${service.child.pid}/status`, 'utf8'))?.[1])

  async function holds(t: Test, what: string) {
    const other = await submit(asBob, 'Hello', { prefer: 'respond-async' })
    t.equal(other.status, 202, `${what}: another connection is answered`)
    t.ok(rss() < limitBytes, `${what}: ${Math.round(rss() / mebibyte)} MiB`)
    t.equal(
      service.child.exitCode,
      null,
      `${what}: the process lives ${service.output().slice(-2000)}`,
    )
  }

  /** Sends a GET whose response is never read. */
  async function unread(path: string): Promise<Socket> {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    socket.pause()
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${asAlice['authorization']}\r\n\r\n`,
    )
    return socket
  }

  await t.test('30 waiting Submits, one after the other, with results of 4 MiB', async t => {
    let early = 0
    for (let at = 0; at < 30; at += 1) {
      if (at === 10) early = rss()
      const { status } = await submit(asAlice, `[sim:seconds=0] [sim:length=${4 * mebibyte}] ${at}`)
      t.ok(status === 200 || status === 202, String(status))
    }
    t.ok(rss() - early < 60 * mebibyte, 'nothing of them is kept')
    await holds(t, 'results')
  })

  await t.test('229 waiting Submits of 1 MiB at once', async t => {
    const body = `{${' '.repeat(900_000)}"PromptContent":"${'x'.repeat(99_000)}"}`
    const replies = await Promise.all(
      Array.from({ length: 229 }, () =>
        request(`${url}/process-prompt`, { method: 'POST', headers: asAlice, body }),
      ),
    )
    const statuses = new Set(replies.map(({ status }) => status))
    t.ok(
      [...statuses].every(status => [200, 202, 503].includes(status)),
      [...statuses].join(' '),
    )
    const refused = replies.find(({ status }) => status === 503)
    if (refused) {
      t.match(refused.body, { error: { code: 'Overloaded' } })
      t.match(refused.headers.get('retry-after'), /^\d+$/)
    }
    await holds(t, 'bodies')
  })

  await t.test('60 callers that never read a result of 4 MiB', async t => {
    const { body } = await submit(asAlice, `[sim:seconds=0] [sim:length=${4 * mebibyte}] unread`)
    const path = `/sessions/${body.sessionId}/prompts/${body.promptId}/evaluations/${body.evaluationId}`
    const sockets = await Promise.all(Array.from({ length: 60 }, () => unread(path)))
    await new Promise(resolve => setTimeout(resolve, 3000))
    await holds(t, 'unread results')
    for (const socket of sockets) socket.destroy()
  })

  await t.test(
    'a promptbook of 75 prompts with 100,000 characters, 40 times, not read',
    async t => {
      const owner = `user ${alice}`
      const session = model.createSession(owner, 'large')
      const prompts = Array.from({ length: 75 }, () =>
        model.createPrompt(owner, session.id, { type: 'prompt', content: 'x'.repeat(100_000) }),
      )
      const path = `/sessions/${session.id}/prompts/${prompts[0]?.id}/promptbook`
      const sockets = await Promise.all(Array.from({ length: 40 }, () => unread(path)))
      await new Promise(resolve => setTimeout(resolve, 4000))
      await holds(t, 'unread promptbooks')
      for (const socket of sockets) socket.destroy()
    },
  )

  await t.test('and afterwards it serves as before', async t => {
    await new Promise(resolve => setTimeout(resolve, 500))
    const reply = await submit(asAlice, 'Hello [sim:seconds=0]')
    t.equal(reply.status, 200)
  })
})
