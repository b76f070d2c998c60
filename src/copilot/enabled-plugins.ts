import { ConnectorError } from '../errors.ts'
import type { Plugin } from '../graph/resources.ts'

const foldCase = (name: string): string => name.trim().toLowerCase()

/** Plugins that an error names, at most. */
const maxNamed = 20

const quoted = (names: readonly string[]): string => {
  const more = names.length - maxNamed
  const shown = names.slice(0, maxNamed).map(name => `"${name}"`)
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join(', ')
}

/**
 * Makes sure that every plugin asked for is enabled in the workspace, by its name or display name,
 * whatever the case. Graph can list plugins but not enable them, so one that is off is refused
 * before anything is created. Pure.
 * @throws ConnectorError `PluginNotEnabled`, naming each, and those that are enabled.
 */
export function requireEnabled(wanted: readonly string[], plugins: readonly Plugin[]): void {
  const enabled = plugins.filter(plugin => plugin.isEnabled)
  const known = new Set(
    enabled.flatMap(plugin => [plugin.name, plugin.displayName ?? plugin.name]).map(foldCase),
  )
  const missing = wanted.flatMap((name, at) => (known.has(foldCase(name)) ? [] : [{ name, at }]))
  if (missing.length === 0) return
  throw new ConnectorError(
    'PluginNotEnabled',
    `Cannot submit the prompt: not enabled in the workspace: ` +
      `${quoted(missing.map(({ name }) => name))}; enabled: ` +
      `${quoted(enabled.map(({ name }) => name))}; enable it in Security Copilot, Graph cannot`,
    {
      target: 'plugins',
      details: missing.slice(0, maxNamed).map(({ name, at }) => ({
        code: 'PluginNotEnabled',
        message: `"${name}" is not enabled in the workspace`,
        target: `plugins[${at}]`,
      })),
    },
  )
}
