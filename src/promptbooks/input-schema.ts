import type { Promptbook } from './book.ts'

/** An input as a designer shows it. */
export interface InputProperty {
  readonly type: 'string'
  readonly title: string
  readonly 'x-ms-summary': string
  readonly description?: string
  readonly default?: string
}

/** The JSON schema of a promptbook's inputs: what `x-ms-dynamic-schema` points a designer to. */
export interface InputSchema {
  readonly type: 'object'
  readonly required: readonly string[]
  readonly properties: Readonly<Record<string, InputProperty>>
}

/** What a caller gives for this promptbook, as a JSON schema; declared inputs only. Pure. */
export function inputSchema({ inputs = [] }: Pick<Promptbook, 'inputs'>): InputSchema {
  const properties = inputs.map(({ name, description, default: fallback }) => {
    const property: InputProperty = {
      type: 'string',
      title: name,
      'x-ms-summary': name,
      ...(description !== undefined && { description }),
      ...(fallback !== undefined && { default: fallback }),
    }
    return [name, property] as const
  })
  return {
    type: 'object',
    required: inputs.filter(({ required }) => required).map(({ name }) => name),
    properties: Object.fromEntries(properties),
  }
}
