import t from 'tap'
import { asPrincipal, principal } from '../helpers/entra-world.ts'
import { deployedNginx } from '../helpers/nginx.ts'
import { replicas } from '../helpers/replicas.ts'
import { evaluationPath, request, type Reply } from '../helpers/world.ts'

t.test(
  'three replicas behind nginx, each restarted in turn under held submits: nothing fails, nothing is lost or run twice',
  async t => {
    const { services, start, model } = await replicas(t, { RATE_LIMIT_CALLS: '1000000' })
    const balancer = await deployedNginx(
      t,
      services.map(({ url }) => url),
    )
    const load = new AbortController()
    const replies: Reply[] = []
    const worker = async (name: number) => {
      for (let call = 0; !load.signal.aborted; call += 1) {
        const reply = await request(`${balancer}/process-prompt`, {
          method: 'POST',
          headers: { ...asPrincipal(), 'content-type': 'application/json', prefer: 'wait=10' },
          body: JSON.stringify({ PromptContent: `Prompt ${name}-${call}` }),
        })
        replies.push(reply)
      }
    }
    const workers = Array.from({ length: 30 }, (_, name) => worker(name))

    const exits: (number | null)[] = []
    for (const { port, running } of services) {
      running.child.kill('SIGTERM')
      exits.push((await running.exit).code)
      await start(port)
    }
    load.abort()
    await Promise.all(workers)

    t.same(exits, [0, 0, 0])
    const failed = replies.filter(({ status }) => status !== 200 && status !== 202)
    t.same(
      failed.map(({ status, body }) => [status, body?.error?.code]),
      [],
    )
    t.ok(replies.some(({ status }) => status === 202))
    t.ok(replies.length > 100)

    // Every caller hears the answer to its own prompt, at the address it was given.
    for (const reply of replies) {
      const { body } = await request(`${balancer}${evaluationPath(reply)}`, {
        headers: asPrincipal(),
      })
      t.match(body, { evaluationState: 'Completed', promptContent: reply.body.promptContent })
    }
    const owner = `app ${principal.clientId}`
    let evaluations = 0
    for (const session of model.listSessions(owner)) {
      for (const prompt of model.listPrompts(owner, session.id) ?? []) {
        evaluations += model.listEvaluations(owner, session.id, prompt.id)?.length ?? 0
      }
    }
    t.equal(evaluations, replies.length)
  },
)
