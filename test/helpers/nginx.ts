import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import tls from 'node:tls'
import type { Test } from 'tap'
import { localCertificate } from '../../src/sandbox/entra/certificate.ts'
import { freePort } from './free-port.ts'
import { answering } from './process.ts'

/**
 * Runs nginx by a configuration, until the test ends or is killed; resolves when `url` answers,
 * whatever it says.
 */
async function runNginx(
  t: Test,
  directory: string,
  configuration: string,
  url: string,
): Promise<void> {
  writeFileSync(`${directory}/nginx.conf`, `daemon off; master_process off;\n${configuration}`)
  // Debian puts it where only root's PATH looks.
  const env = { PATH: `${process.env['PATH']}:/usr/sbin` }
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', 'nginx', '-c', `${directory}/nginx.conf`, '-p', directory],
    { stdio: ['ignore', 'ignore', 'pipe'], env },
  )
  const errors: string[] = []
  child.stderr.on('data', chunk => errors.push(String(chunk)))
  const up = new AbortController()
  const ended = once(child, 'exit', { signal: up.signal }).then(() =>
    Promise.reject(new Error(errors.join(''))),
  )
  t.teardown(() => child.kill('SIGKILL'))
  await Promise.race([answering(url), ended])
  up.abort()
  ended.catch(() => undefined)
}

function temporaryFolder(t: Test): string {
  const directory = mkdtempSync(`${tmpdir()}/nginx-`)
  t.teardown(() => rmSync(directory, { recursive: true }))
  return directory
}

/**
 * The configuration of deploy/compose as it is, but for addresses: where the replicas are, its
 * port, and its files. Returns its URL.
 */
export async function deployedNginx(t: Test, upstreams: readonly string[]): Promise<string> {
  const [port, directory] = [await freePort(), temporaryFolder(t)]
  const { authority, certificate, key } = await localCertificate()
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), authority])
  writeFileSync(`${directory}/tls.crt`, certificate)
  writeFileSync(`${directory}/tls.key`, key)
  const servers = upstreams.map(url => `server ${new URL(url).host} max_fails=0;`).join(' ')
  const configuration = readFileSync('deploy/compose/nginx.conf', 'utf8')
    // Debian's nginx is too old to look replicas up by name again and again.
    .replace(/resolver .+;/, '')
    .replace(/server connector:8080 resolve .+;/, servers)
    .replace('listen 8443', `listen 127.0.0.1:${port}`)
    .replace('listen unix:/tmp/', `listen unix:${directory}/`)
    .replace('server unix:/tmp/', `server unix:${directory}/`)
    .replaceAll(' /tmp/', ` ${directory}/`)
    .replaceAll('/etc/nginx/tls', directory)
  const url = `https://localhost:${port}`
  await runNginx(t, directory, configuration, `${url}/livez`)
  return url
}

/**
 * An nginx of the test's own that hands calls to these services in turn; ended with the test.
 * Returns its URL.
 */
export async function nginx(t: Test, upstreams: readonly string[]): Promise<string> {
  const [port, directory] = [await freePort(), temporaryFolder(t)]
  const servers = upstreams.map(url => `server ${new URL(url).host};`).join(' ')
  const url = `http://127.0.0.1:${port}`
  await runNginx(
    t,
    directory,
    `error_log stderr; pid ${directory}/nginx.pid;
     events { worker_connections 512; }
     http {
       access_log off; client_body_temp_path ${directory}; proxy_temp_path ${directory};
       fastcgi_temp_path ${directory}; uwsgi_temp_path ${directory}; scgi_temp_path ${directory};
       upstream replicas { ${servers} keepalive 64; }
       server {
         listen 127.0.0.1:${port};
         location / { proxy_pass http://replicas; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_next_upstream off; }
       }
     }`,
    url,
  )
  return url
}
