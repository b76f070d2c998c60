import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { readConfig } from '../src/config.ts'
import { promptbookJsonSchema } from '../src/promptbooks/promptbook-schema.ts'
import { createService } from '../src/service.ts'
import { httpFile } from './http-file.ts'
import { postmanCollection } from './postman-collection.ts'

/** The address in the files: replaced by that of a deployment, or served by it with its own. */
export const placeholderUrl = 'https://copilot-connector.example.com'

const nobody = '00000000-0000-0000-0000-000000000000'

/** The files that `npm run documents` writes, by their paths. */
const paths = {
  definition: 'apiDefinition.swagger.json',
  openApi: 'openapi/openapi.yaml',
  postman: 'examples/postman/security-copilot.postman_collection.json',
  http: 'examples/http/security-copilot.http',
  promptbook: 'docs/promptbook.schema.json',
} as const

/** Their texts. */
export type WrittenDocuments = Readonly<Record<keyof typeof paths, string>>

const text = (document: object, indent: number): string =>
  `${JSON.stringify(document, undefined, indent)}\n`

/** Both documents as a service at `publicUrl` serves them, and the collections made of them. */
export async function writeDocuments(publicUrl: string): Promise<WrittenDocuments> {
  const contact = Object.entries(process.env).filter(([name]) => name.startsWith('CONNECTOR_'))
  const { app, close } = await createService(
    readConfig({
      ...Object.fromEntries(contact),
      PUBLIC_URL: publicUrl,
      LOG_LEVEL: 'silent',
      ENTRA_TENANT_ID: nobody,
      ENTRA_CLIENT_ID: nobody,
      ENTRA_CLIENT_SECRET: 'unused',
    }),
  )
  await app.ready()
  const openApi = app.swagger() as Parameters<typeof postmanCollection>[0]
  const documents: WrittenDocuments = {
    definition: text(app.definition(), 4),
    openApi: app.swagger({ yaml: true }),
    postman: text(postmanCollection(openApi), 2),
    http: httpFile(openApi),
    promptbook: text(promptbookJsonSchema(), 2),
  }
  await close()
  return documents
}

/** Reads what was written. */
export const readDocuments = (): WrittenDocuments =>
  Object.fromEntries(
    Object.entries(paths).map(([name, path]) => [name, readFileSync(path, 'utf8')]),
  ) as WrittenDocuments

// `npm run documents`: writes them, for the address given, if one is.
if (import.meta.main) {
  const written = Object.entries(await writeDocuments(process.argv[2] ?? placeholderUrl))
  for (const [name, content] of written) {
    const path = paths[name as keyof typeof paths]
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
  }
}
