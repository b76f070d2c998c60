import { systemClock as clock } from '../src/lib/clock.ts'
import { readConfig } from '../src/config.ts'
import { createEntra } from '../src/auth/entra.ts'
import { createLog } from '../src/telemetry/log.ts'
import { createService } from '../src/service.ts'

/**
 * The address in the files: to be replaced by that of a deployment, or served by it with its own.
 */
export const placeholderUrl = 'https://copilot-connector.example.com'

const nobody = '00000000-0000-0000-0000-000000000000'

/**
 * Both documents as a service at `publicUrl` serves them: the texts of apiDefinition.swagger.json
 * and openapi/openapi.yaml.
 */
export async function writeDocuments(
  publicUrl: string,
): Promise<{ definition: string; openApi: string }> {
  const config = readConfig({
    PUBLIC_URL: publicUrl,
    ENTRA_TENANT_ID: nobody,
    ENTRA_CLIENT_ID: nobody,
    ENTRA_CLIENT_SECRET: 'unused',
  })
  // No call is made.
  const { authenticate } = createEntra({ config, clock })
  const app = createService({ config, authenticate, clock, log: createLog('silent') })
  await app.ready()
  const documents = {
    definition: `${JSON.stringify(app.definition(), undefined, 4)}\n`,
    openApi: app.swagger({ yaml: true }),
  }
  await app.close()
  return documents
}
