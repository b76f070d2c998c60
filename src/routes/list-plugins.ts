import type { Copilot } from '../copilot/copilot.ts'
import type { ZodPlugin } from '../plugins/validation.ts'
import { listPluginsDescription } from './promptbook-descriptions.ts'
import { pluginList } from './schemas.ts'

/** The enabled plugins, behind the designers' picker. */
export const listPluginsRoute: ZodPlugin<{ copilot: Copilot }> = async (app, { copilot }) => {
  app.get(
    '/plugins',
    { schema: { operation: listPluginsDescription, response: { 200: pluginList } } },
    async ({ graphContext }) => {
      const plugins = await copilot.plugins(graphContext)
      return {
        value: plugins.map(({ name, displayName, description }) => ({
          name,
          displayName: displayName ?? name,
          description: description ?? '',
        })),
      }
    },
  )
}
