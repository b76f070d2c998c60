import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { readConfig } from '../../src/config.ts'
import { certificateProblem } from '../../src/config-values.ts'
import { localCertificate } from '../../src/sandbox/entra/certificate.ts'
import { environmentVariables } from '../helpers/environment.ts'

const folder = t.testdir()
const [one, two] = [await localCertificate(), await localCertificate()]

/** A file of this text. */
function file(name: string, text: string): string {
  writeFileSync(`${folder}/${name}`, text)
  return `${folder}/${name}`
}

const both = file('both.pem', `${one.key}\n${one.certificate}\n${one.authority}`)
const pfx = `${folder}/certificate.pfx`
const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
openssl('pkcs12', '-export', '-in', both, '-out', pfx, '-passout', 'pass:secret')
openssl('ec', '-in', both, '-aes256', '-passout', 'pass:secret', '-out', `${folder}/locked.pem`)
openssl('pkcs12', '-in', pfx, '-passin', 'pass:secret', '-nodes', '-out', `${folder}/converted.pem`)
openssl(
  'req',
  '-x509',
  '-newkey',
  'rsa:2048',
  '-nodes',
  '-subj',
  '/CN=x',
  '-keyout',
  `${folder}/rsa.key`,
  '-out',
  `${folder}/rsa.crt`,
)
execFileSync(
  'sh',
  ['-c', 'cat rsa.crt rsa.key > rsa.pem; cat locked.pem both.pem > locked-first.pem'],
  { cwd: folder },
)

t.test('a certificate file', async t => {
  await t.test('holds the certificate and its key, in any order', async t => {
    t.equal(certificateProblem(both), undefined)
    t.equal(certificateProblem(file('other.pem', `${one.certificate}${one.key}`)), undefined)
    t.equal(certificateProblem(`${folder}/rsa.pem`), undefined)
  })

  await t.test('may be what the advice for a PFX makes', async t => {
    t.equal(certificateProblem(`${folder}/converted.pem`), undefined)
  })

  const cases: [string, string, RegExp][] = [
    ['is there', `${folder}/nowhere`, /^names a file that cannot be read$/],
    ['is no folder', folder, /^names a folder, not a file$/],
    ['is no PFX', pfx, /^names a PFX file, but PEM is needed: convert it with "openssl pkcs12 /],
    ['has a certificate', file('key.pem', one.key), /^names a file without a certificate in PEM$/],
    ['has a key', file('crt.pem', one.certificate), /without the private key of its certificate$/],
    [
      'has its own key',
      file('mixed.pem', `${one.certificate}${two.key}`),
      /^names a file whose private key is not that of its first certificate$/,
    ],
    [
      'has a key without a pass phrase',
      `${folder}/locked-first.pem`,
      /a key must have no pass phrase$/,
    ],
    [
      'can be read',
      file('broken.pem', one.certificate.replace(/\nM.{9}/, '\nMAAAAAAAAA') + one.key),
      /cannot be read/,
    ],
  ]
  for (const [what, path, expected] of cases) t.match(certificateProblem(path), expected, what)

  await t.test('that cannot be used stops the start by the name of its variable', async t => {
    const { ENTRA_CLIENT_SECRET: _secret, ...rest } = environmentVariables
    const start = (path: string) => readConfig({ ...rest, ENTRA_CLIENT_CERTIFICATE_PATH: path })
    t.ok(start(both))
    t.throws(() => start(pfx), { message: /: ENTRA_CLIENT_CERTIFICATE_PATH names a PFX file/ })
  })
})
