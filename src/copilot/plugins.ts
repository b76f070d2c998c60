import { ConnectorError } from '../errors.ts'
import type { Plugin } from '../graph/resources.ts'

/**
 * Makes sure that every plugin asked for is enabled in the workspace. Graph can list plugins but
 * not enable them, so one that is off is refused before anything is created. Pure.
 * @throws ConnectorError `PluginNotEnabled`, naming each.
 */
export function requireEnabled(wanted: readonly string[], plugins: readonly Plugin[]): void {
  const enabled = new Set(plugins.filter(plugin => plugin.isEnabled).map(plugin => plugin.name))
  const missing = wanted.filter(name => !enabled.has(name))
  if (missing.length === 0) return
  const names = missing.map(name => `"${name}"`).join(', ')
  throw new ConnectorError(
    'PluginNotEnabled',
    `Cannot submit the prompt: not enabled in the workspace: ${names}; enable it in Security Copilot, Graph cannot`,
    {
      target: 'Skillsets',
      details: missing.map(name => ({
        code: 'PluginNotEnabled',
        message: `"${name}" is not enabled in the workspace`,
        target: `Skillsets[${wanted.indexOf(name)}]`,
      })),
    },
  )
}
