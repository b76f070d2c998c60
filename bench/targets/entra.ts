import { writeFileSync } from 'node:fs'
import { systemClock as clock } from '../../src/lib/clock.ts'
import { localCertificate } from '../../src/sandbox/entra/certificate.ts'
import { createEntraSimulator } from '../../src/sandbox/entra/entra-simulator.ts'
import { createEntraModel } from '../../src/sandbox/entra/entra-model.ts'
import { present } from './answer.ts'

// Entra's simulator, over TLS. Argument: where to write the authority to trust. Says the tenant and
// a user's token.
const [authorityFile = ''] = process.argv.slice(2)
const tenantId = '5a4db0c5-0000-4000-8000-0000000000aa'
const api = { clientId: '5a4db0c5-0000-4000-8000-0000000000ab', clientSecret: 'bench' }
const certificate = await localCertificate()
writeFileSync(authorityFile, certificate.authority)
const model = await createEntraModel({ clock, tenantId, api })
const { port } = new URL(
  await createEntraSimulator({ model, certificate }).listen({ host: '127.0.0.1', port: 0 }),
)
const url = `https://localhost:${port}`
const token = await model.userToken('a11ce000-0000-4000-8000-000000000001', {}, url)
present({ url, tenantId, ...api, authorization: `Bearer ${token}` })
