import type { Ran } from './collection-runner.ts'

// Runs an .http file as the REST clients of editors do, as far as ours goes: file variables, and
// references to the responses of requests by their names.

interface Kept {
  readonly body: any
  readonly headers: Headers
}

/** `$.value[0].id` in a body. */
const at = (body: any, path: string): string =>
  path
    .split(/[.[\]]+/)
    .filter(key => key !== '' && key !== '$')
    .reduce((found, key) => found?.[key], body)

/** Sends every request of the file in its order; `variables` replace those that it has. */
export async function runHttpFile(
  text: string,
  variables: Readonly<Record<string, string>>,
): Promise<Ran[]> {
  const values = new Map<string, string>()
  for (const [, name = '', value = ''] of text.matchAll(/^@(\w+) = (.*)$/gm))
    values.set(name, variables[name] ?? value)
  const kept = new Map<string, Kept>()
  const filled = (line: string) =>
    line.replaceAll(/\{\{([^{}]+)\}\}/g, (whole, reference: string) => {
      const found = /^(\w+)\.response\.(body|headers)\.(.+)$/.exec(reference)
      if (!found) return values.get(reference) ?? whole
      const [, name = '', part, path = ''] = found
      const response = kept.get(name)
      return String(part === 'body' ? at(response?.body, path) : response?.headers.get(path))
    })

  const ran: Ran[] = []
  for (const block of text.split(/^### /m).slice(1)) {
    const [title = '', ...lines] = block.split('\n')
    const name = /^# @name (\w+)$/m.exec(block)?.[1] ?? ''
    const written = lines.filter(line => !line.startsWith('#'))
    const blank = written.indexOf('')
    const [first = '', ...headerLines] = written.slice(0, blank)
    const [method = '', url = ''] = filled(first).split(' ')
    const body = written.slice(blank).join('\n').trim()
    const response = await fetch(url, {
      method,
      headers: headerLines.map(line => {
        const [key = '', value = ''] = filled(line).split(': ')
        return [key, value] as [string, string]
      }),
      ...(body && { body: filled(body) }),
    })
    kept.set(name, { body: await response.json(), headers: response.headers })
    ran.push([title, response.status])
  }
  return ran
}
