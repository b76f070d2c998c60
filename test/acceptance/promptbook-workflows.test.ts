import t, { type Test } from 'tap'
import { mkdirSync, writeFileSync } from 'node:fs'
import { request, world, type Reply, type World } from '../helpers/world.ts'

// What public workflows do with the managed connector's /run-promptbook: the body that they send,
// what they read of the result, and what their parsers require.

const bookId = '7b1c2f5e-44d0-4f0a-9d6e-1a2b3c4d5e6f'

async function bookWorld(t: Test, prompts: string[]): Promise<World> {
  const folder = `${t.testdir()}/books`
  mkdirSync(folder, { recursive: true })
  const book = { id: bookId, name: 'Incident', inputs: [{ name: 'SENTINEL_INCIDENT_ID' }], prompts }
  writeFileSync(`${folder}/incident.json`, JSON.stringify(book))
  return world(t, { env: { PROMPTBOOKS_PATH: folder } })
}

const body = { PromptbookId: bookId, PromptbookInputs: { SENTINEL_INCIDENT_ID: '4711' } }

/** As an engine does: the action's own key, and Location until the first other status. */
async function action(w: World, execution: string, sent: object = body): Promise<Reply> {
  const headers = { 'x-ms-workflow-run-id': '0858', 'x-ms-action-tracking-id': execution }
  const first = await w.post('/run-promptbook', sent, headers)
  let reply = first
  while (reply.status === 202) {
    const seconds = Number(reply.headers.get('retry-after'))
    await w.clock.sleep(seconds * 1000, new AbortController().signal)
    reply = await request(w.url + new URL(reply.headers.get('location') ?? '').pathname)
  }
  return reply
}

/** Parse JSON with a schema of strings and arrays: null anywhere fails the action. */
function parsed(t: Test, reply: Reply): void {
  const { sessionId, evaluationResults } = reply.body
  t.type(sessionId, 'string')
  for (const one of evaluationResults) {
    for (const key of [
      'skillName',
      'promptContent',
      'evaluationResultType',
      'evaluationResultContent',
    ])
      t.type(one[key], 'string', key)
    t.ok(Array.isArray(one.skillSources))
  }
}

t.test('a comment of each step’s answer', async t => {
  const w = await bookWorld(t, ['Summarize <sentinel_incident_id>', 'Who is touched?', 'Report'])
  const reply = await action(w, 'a')
  t.equal(reply.status, 200)
  parsed(t, reply)
  const comments = reply.body.evaluationResults
    .filter((one: any) => one.evaluationResultType === 'Success')
    .map((one: any) => `<b>${one.promptContent}</b><br>${one.evaluationResultContent}`)
  t.equal(comments.length, 3)
  t.match(comments[0], /^<b>Summarize 4711<\/b><br>SIMULATED/)
  t.ok(reply.body.evaluationResults.every((one: any) => one.skillSources.length === 0))
})

t.test('a session that is gone on with, and the last answer alone', async t => {
  const w = await bookWorld(t, ['Summarize <SENTINEL_INCIDENT_ID>', 'Report'])
  const { body: first } = await action(w, 'a')
  const second = await action(w, 'b', { ...body, SessionId: first.sessionId })
  t.equal(second.body.sessionId, first.sessionId)
  t.match(second.body.evaluationResults.at(-1), { promptContent: 'Report' })
})

t.test('the errors of 404 and 429 are looped over', async t => {
  const w = await bookWorld(t, ['<SENTINEL_INCIDENT_ID> [sim:result=capacityExceededx1]', 'Report'])
  const missing = await action(w, 'a', { ...body, PromptbookId: bookId.replace('7', '8') })
  const full = await action(w, 'b')
  for (const [reply, status] of [
    [missing, 404],
    [full, 429],
  ] as const) {
    t.equal(reply.status, status)
    t.ok(reply.body.errors.length > 0)
    for (const error of reply.body.errors) t.match(error, /^Cannot /)
  }
  const again = await action(w, 'b')
  t.match(again, { status: 200, body: { promptbookState: 'Completed' } }, 'its own repetition')
  const { calls } = w
  t.equal(calls.filter(call => call === 'createEvaluation').length, 3)
})
