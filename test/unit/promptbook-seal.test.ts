import { createSecretKey } from 'node:crypto'
import { inspect } from 'node:util'
import t from 'tap'
import {
  createRunId,
  parseRunId,
  runIdFrom,
  seal,
  unseal,
  type RunId,
} from '../../src/promptbooks/seal.ts'
import { hashOf } from '../../src/lib/hash.ts'

const text = JSON.stringify([{ content: 'Look at the incident of ann@example.com' }])

const opens = (sealed: string, runId: string): string | undefined => {
  const run = parseRunId(runId)
  return run && unseal(sealed, run)
}

t.test('the id of a run', async t => {
  await t.test('is opaque, fits a URL and gives its store id and key again', async t => {
    const run = createRunId()
    t.match(run.runId, /^[A-Za-z0-9_-]{64}$/)
    t.match(run.storeId, /^[A-Za-z0-9_-]{22}$/)
    const parsed = parseRunId(run.runId)
    t.equal(parsed?.storeId, run.storeId)
    t.ok(parsed?.key.equals(run.key))
    t.not(createRunId().runId, run.runId)
  })

  await t.test('is the same for the same connection and key, and for no other', async t => {
    const { runId } = runIdFrom('tenant+user', 'key-1')
    t.equal(runIdFrom('tenant+user', 'key-1').runId, runId)
    const others = [
      runIdFrom('tenant+other', 'key-1'),
      runIdFrom('tenant+user', 'key-2'),
      runIdFrom('tenant+user', 'key', '-1'),
      runIdFrom('tenant+user","key-1'),
      runIdFrom('', 'tenant+user', 'key-1'),
    ]
    t.equal(new Set([runId, ...others.map(one => one.runId)]).size, 6)
    t.equal(new Set(others.map(one => one.storeId)).size, 5)
    t.equal(opens(seal(text, runIdFrom('tenant+user', 'key-1')), runId), text)
  })

  await t.test('is none of ours in any other form', async t => {
    const { runId } = createRunId()
    for (const other of [
      '',
      runId.slice(1),
      `${runId}A`,
      `${runId.slice(1)}=`,
      ` ${runId.slice(1)}`,
    ])
      t.equal(parseRunId(other), undefined)
  })

  await t.test('does not show its key when a run is printed', async t => {
    const run: RunId = createRunId(size => Buffer.alloc(size, 7))
    const bytes = run.key.export()
    const printed = inspect(run, { depth: 9 }) + JSON.stringify(run)
    for (const form of ['hex', 'base64', 'base64url'] as const)
      t.notOk(printed.includes(bytes.toString(form)))
  })
})

t.test('seal() and unseal()', async t => {
  await t.test('give back the text, whatever it is', async t => {
    const run = createRunId()
    for (const one of ['', text, '\u0000 ü 😀', 'x'.repeat(1_000_000)])
      t.equal(unseal(seal(one, run), run), one)
  })

  await t.test('seal the same text another way each time', async t => {
    const run = createRunId()
    t.not(seal(text, run), seal(text, run))
  })

  await t.test('open nothing for another run, in another record, or altered', async t => {
    const run = createRunId()
    const other = createRunId()
    const sealed = seal(text, run)
    t.equal(unseal(sealed, other), undefined)
    t.equal(unseal(sealed, { storeId: other.storeId, key: run.key }), undefined)
    t.equal(unseal(sealed, { storeId: run.storeId, key: other.key }), undefined)
    const bytes = Buffer.from(sealed, 'base64url')
    for (let at = 0; at < bytes.length; at += 1) {
      const altered = Buffer.from(bytes)
      altered[at] = (altered[at] ?? 0) ^ 1
      t.equal(unseal(altered.toString('base64url'), run), undefined)
    }
    for (let length = 0; length < sealed.length; length += 1)
      t.equal(unseal(sealed.slice(0, length), run), undefined)
    for (const other of [`${sealed}=`, `${sealed} `, `${sealed}AAAA`, '{}', 'not sealed', 'AQ'])
      t.equal(unseal(other, run), undefined)
  })

  await t.test('open nothing with all that a reader of the store has', async t => {
    const [connection, key] = ['tenant+user', '2f1e4a6c-58f0-4a0e-9d35-70f1c2b9a7d1']
    const run = runIdFrom(connection, key)
    const record = { storeId: run.storeId, sealed: seal(text, run), key: hashOf(connection, key) }

    const stored = JSON.stringify(record)
    for (const clear of ['incident', 'ann@example.com', key, run.runId]) {
      for (const form of ['utf8', 'hex', 'base64', 'base64url'] as const)
        t.notOk(stored.includes(Buffer.from(clear).toString(form).slice(0, -2)))
    }
    t.notOk(Buffer.from(record.sealed, 'base64url').includes('incident'))
    const secretBytes = Buffer.from(run.runId, 'base64url').subarray(16)
    t.notOk(Buffer.from(record.key, 'base64url').equals(secretBytes))
    // Whatever in the record could be a key, alone or derived as an id is.
    for (const guess of [record.storeId, record.key, record.sealed, connection]) {
      for (const bytes of [Buffer.from(guess), Buffer.from(guess, 'base64url')]) {
        const key = Buffer.concat([bytes, Buffer.alloc(32)]).subarray(0, 32)
        const guessed = { storeId: run.storeId, key: createSecretKey(key) }
        t.equal(unseal(record.sealed, guessed), undefined)
        const id = Buffer.concat([Buffer.from(run.storeId, 'base64url'), key])
        t.equal(opens(record.sealed, id.toString('base64url')), undefined)
      }
      t.equal(unseal(record.sealed, { ...runIdFrom(guess), storeId: run.storeId }), undefined)
      t.equal(
        unseal(record.sealed, { ...runIdFrom(connection, guess), storeId: run.storeId }),
        undefined,
      )
    }
  })
})
