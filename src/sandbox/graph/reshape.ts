import type { Kind, Shape } from './shapes.ts'

const samples: Readonly<Record<Kind, unknown>> = {
  absent: undefined,
  null: null,
  text: 'text',
  guid: '5a4db0c5-0000-4000-8000-00000000000e',
  dateTime: '2026-01-01T00:00:00Z',
  number: 0,
  boolean: true,
  object: {},
  list: [],
}

type Members = Record<string, unknown>

/** A copy with the member at `path` of the first of `kinds`; none where its parent is no object. */
function withMember(entity: Members, path: string, [kind = 'absent']: readonly Kind[]): Members {
  const [name = '', ...rest] = path.split('/')
  if (rest.length === 0) return { ...entity, [name]: samples[kind] }
  const inner = entity[name]
  return typeof inner === 'object' && inner !== null
    ? { ...entity, [name]: withMember(inner as Members, rest.join('/'), [kind]) }
    : entity
}

const reshaped = (entity: object, differences: Shape): object =>
  Object.entries(differences).reduce(
    (members, [path, kinds]) => withMember(members, path, kinds),
    entity as Members,
  )

/**
 * An entity, or every item of a list, with members of other kinds than usual: new ones, null ones,
 * missing ones. Pure.
 */
export function reshape(body: object, differences: Shape): object {
  const { value } = body as { value?: readonly object[] }
  return value
    ? { ...body, value: value.map(item => reshaped(item, differences)) }
    : reshaped(body, differences)
}
