import { readFileSync } from 'node:fs'
import { Ajv, type AnySchema, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import { parse } from 'yaml'

type Document = any

export const definition: Document = JSON.parse(readFileSync('apiDefinition.swagger.json', 'utf8'))
export const openApi: Document = parse(readFileSync('openapi/openapi.yaml', 'utf8'))

/**
 * A schema of a document by itself: what it refers to inside of it, and what `x-nullable` means put
 * into JSON Schema's words.
 */
function standalone(document: Document, schema: AnySchema): AnySchema {
  const text = JSON.stringify({
    ...(schema as object),
    definitions: document.definitions ?? document.components.schemas,
  })
  return JSON.parse(text.replaceAll('#/components/schemas/', '#/definitions/'), (_key, value) => {
    if (value?.['x-nullable'] !== true || value.type === undefined) return value
    return { ...value, type: [value.type, 'null'] }
  })
}

const compiled = new Map<string, ValidateFunction>()

/** Why a value is not what a schema of a document says; empty when it is. */
export function schemaProblems(
  document: Document,
  schema: AnySchema | undefined,
  value: unknown,
): string[] {
  if (schema === undefined) return ['the document has no such schema']
  const key = JSON.stringify([document.swagger, Object.keys(document.paths).length, schema])
  const validate =
    compiled.get(key) ??
    addFormats
      .default(new Ajv({ strict: false, allErrors: true }))
      .compile(standalone(document, schema))
  compiled.set(key, validate)
  return validate(value)
    ? []
    : (validate.errors ?? []).map(error => `${error.instancePath} ${error.message}`)
}

interface Exchange {
  readonly method: string
  /** As the documents write it. */
  readonly path: string
  readonly status: number
  readonly body: unknown
}

/**
 * What both documents have against an answer. The definition has no schema for errors and 202:
 * there the status must be declared.
 */
export function answerProblems({ method, path, status, body }: Exchange): string[] {
  const [swagger, open] = [definition, openApi].map(
    ({ paths }) => paths[path]?.[method]?.responses[status],
  )
  if (!swagger || !open) return [`${method} ${path} ${status} is not declared`]
  const schema = status === 202 ? { $ref: '#/definitions/EvaluationResult' } : swagger.schema
  return [
    ...(schema ? schemaProblems(definition, schema, body) : []),
    ...schemaProblems(openApi, open.content?.['application/json']?.schema, body),
  ]
}

/** What two documents have against the body of a POST. */
export function bodyProblems(
  documents: { readonly definition: Document; readonly openApi: Document },
  path: string,
  body: unknown,
): { swagger: string[]; openApi: string[] } {
  const [swagger, open] = [documents.definition, documents.openApi].map(
    ({ paths }) => paths[path].post,
  )
  const parameter = swagger.parameters.find((one: Document) => one.in === 'body')
  const { schema } = open.requestBody.content['application/json']
  return {
    swagger: schemaProblems(documents.definition, parameter.schema, body),
    openApi: schemaProblems(documents.openApi, schema, body),
  }
}

/** What both documents have against the body of Submit. */
export const submissionProblems = (body: unknown): { swagger: string[]; openApi: string[] } =>
  bodyProblems({ definition, openApi }, '/process-prompt', body)
