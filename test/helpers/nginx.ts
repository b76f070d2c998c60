import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { Test } from 'tap'
import { freePort } from './free-port.ts'
import { answering } from './process.ts'

/** An nginx of the test's own that hands calls to these services in turn; ended with the test. Returns its URL. */
export async function nginx(t: Test, upstreams: readonly string[]): Promise<string> {
  const port = await freePort()
  const directory = t.testdir()
  const servers = upstreams.map(url => `server ${new URL(url).host};`).join(' ')
  writeFileSync(
    `${directory}/nginx.conf`,
    `daemon off; master_process off; error_log stderr; pid ${directory}/nginx.pid;
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
  )
  // Debian puts it where only root's PATH looks.
  const env = { PATH: `${process.env['PATH']}:/usr/sbin` }
  const child = spawn('nginx', ['-c', `${directory}/nginx.conf`, '-p', directory], { stdio: 'ignore', env })
  const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error))
  t.teardown(() => child.kill('SIGKILL'))
  const url = `http://127.0.0.1:${port}`
  await Promise.race([answering(url), failed])
  return url
}
