import { writeFileSync } from 'node:fs'
import { readConfig } from '../src/config.ts'
import { createService } from '../src/service.ts'

/** The address in the files: replaced by that of a deployment, or served by it with its own. */
export const placeholderUrl = 'https://copilot-connector.example.com'

const nobody = '00000000-0000-0000-0000-000000000000'

/**
 * Both documents as a service at `publicUrl` serves them: the texts of apiDefinition.swagger.json
 * and openapi/openapi.yaml.
 */
export async function writeDocuments(
  publicUrl: string,
): Promise<{ definition: string; openApi: string }> {
  const { app, close } = await createService(
    readConfig({
      PUBLIC_URL: publicUrl,
      LOG_LEVEL: 'silent',
      ENTRA_TENANT_ID: nobody,
      ENTRA_CLIENT_ID: nobody,
      ENTRA_CLIENT_SECRET: 'unused',
    }),
  )
  await app.ready()
  const documents = {
    definition: `${JSON.stringify(app.definition(), undefined, 4)}\n`,
    openApi: app.swagger({ yaml: true }),
  }
  await close()
  return documents
}

// `npm run documents`: writes both, for the address given, if one is.
if (import.meta.main) {
  const { definition, openApi } = await writeDocuments(process.argv[2] ?? placeholderUrl)
  writeFileSync('apiDefinition.swagger.json', definition)
  writeFileSync('openapi/openapi.yaml', openApi)
}
