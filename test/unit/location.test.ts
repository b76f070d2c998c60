import t from 'tap'
import { baseFor } from '../../src/routes/accepted.ts'

const publicUrl = 'https://copilot.example/base'

t.test('baseFor()', async t => {
  const prefix = 'x-ms-apim-referrer-prefix'
  const referrer = 'x-ms-apim-referrer'
  const hub = 'https://europe-002.azure-apihub.net/apim/copilot/shared-c1'
  const apim = 'https://logic-apis-westeurope.azure-apim.net/apim/copilot/c1'

  const trusted: [Record<string, string>, string][] = [
    [{ [prefix]: hub }, hub],
    [{ [prefix]: `${hub}/` }, hub],
    [{ [prefix]: apim, [referrer]: `${hub}/process-prompt` }, apim],
    [{ [referrer]: `${apim}/sessions/1?x=/apim/a/b` }, apim],
    [{ [prefix]: 'https://evil.example/apim/a/b', [referrer]: `${apim}/process-prompt` }, apim],
  ]
  for (const [headers, base] of trusted) {
    t.equal(baseFor(headers, publicUrl), base, JSON.stringify(headers))
  }

  const refused: Record<string, string>[] = [
    {},
    { [prefix]: '' },
    { [prefix]: 'not a url' },
    { [prefix]: 'http://europe-002.azure-apihub.net/apim/a/b' },
    { [prefix]: 'https://azure-apim.net/apim/a/b' },
    { [prefix]: 'https://evilazure-apim.net/apim/a/b' },
    { [prefix]: 'https://x.azure-apim.net.evil.example/apim/a/b' },
    { [prefix]: 'https://evil.example/.azure-apim.net' },
    { [prefix]: 'https://x.azure-apim.net:8443/apim/a/b' },
    { [prefix]: 'https://user@x.azure-apim.net/apim/a/b' },
    { [prefix]: 'https://:pass@x.azure-apim.net/apim/a/b' },
    { [referrer]: 'https://x.azure-apim.net/other/a/b' },
    { [referrer]: 'https://x.azure-apim.net/apim/a' },
    { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' },
  ]
  for (const headers of refused) {
    t.equal(baseFor(headers, publicUrl), publicUrl, JSON.stringify(headers))
  }
})
