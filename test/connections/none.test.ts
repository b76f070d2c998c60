import t from 'tap'
import { carriesCredentials } from '../../src/connections/connection.ts'
import { refuseEveryone } from '../../src/connections/none.ts'
import { world } from '../helpers/world.ts'

t.test('carriesCredentials() counts an empty x-entra-* header as absent', async t => {
  t.notOk(carriesCredentials({}))
  t.notOk(carriesCredentials({ 'x-entra-tenant-id': '', 'x-entra-client-id': '', 'x-entra-client-secret': '' }))
  t.ok(carriesCredentials({ 'x-entra-client-id': 'a' }))
  t.ok(carriesCredentials({ authorization: 'Bearer x' }))
})

t.test(
  'until credentials are verified, every action is refused, whatever is sent, and Graph hears nothing',
  async t => {
    const { get, post, calls } = await world(t, { authenticate: refuseEveryone })
    const guid = '11111111-1111-4111-8111-111111111111'
    const evaluation = `/sessions/${guid}/prompts/${guid}/evaluations/${guid}`
    const paths = [
      evaluation,
      `${evaluation}/result`,
      `${evaluation}/operation`,
      `/sessions/${guid}/prompts/x/promptbook`,
    ]
    const replies = [
      await post('/process-prompt', 'not even JSON'),
      await post('/process-prompt', { PromptContent: 'Hello' }, { authorization: 'Bearer x' }),
      ...(await Promise.all(paths.map(path => get(path)))),
    ]
    for (const { status, headers, body } of replies) {
      t.equal(status, 401)
      t.equal(headers.get('www-authenticate'), 'Bearer')
      t.equal(body.error.code, 'AuthenticationRequired')
    }
    t.same(calls, [])
  },
)
