import { runInNewContext } from 'node:vm'

// Runs a Postman collection as its app does, as far as ours goes: variables, scripts, raw bodies.

type Json = any

/** A request's name, and the status of its response. */
export type Ran = readonly [name: string, status: number]

const itemsOf = ({ item }: Json): Json[] =>
  item.flatMap((one: Json) => (one.item ? itemsOf(one) : [one]))

/** Sends every request of a collection in its order; `variables` replace those that it has. */
export async function runCollection(
  collection: Json,
  variables: Readonly<Record<string, string>>,
): Promise<Ran[]> {
  const values = new Map<string, string>([
    ...collection.variable.map(({ key, value }: Json) => [key, value] as const),
    ...Object.entries(variables),
  ])
  const filled = (text: string) =>
    text.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => values.get(name) ?? whole)
  const run = (events: Json[] = [], listen: string, pm: object) => {
    for (const event of events.filter(one => one.listen === listen))
      runInNewContext(event.script.exec.join('\n'), { pm })
  }
  const collectionVariables = {
    get: (name: string) => values.get(name),
    set: (name: string, value: string) => values.set(name, value),
  }

  const ran: Ran[] = []
  for (const { name, event, request } of itemsOf(collection)) {
    const headers = new Headers(
      request.header
        .filter((one: Json) => !one.disabled)
        .map(({ key, value }: Json) => [key, filled(value)]),
    )
    const upsert = ({ key, value }: Json) => headers.set(key, value)
    run(collection.event, 'prerequest', { collectionVariables, request: { headers: { upsert } } })
    const response = await fetch(filled(request.url.raw), {
      method: request.method,
      headers,
      ...(request.body && { body: filled(request.body.raw) }),
    })
    const body = await response.text()
    run(event, 'test', {
      collectionVariables,
      response: { json: () => JSON.parse(body), headers: response.headers },
    })
    ran.push([name, response.status])
  }
  return ran
}
