import type { PluginEntity } from './entities.ts'

const plugin = (
  name: string,
  displayName: string,
  description: string,
  isEnabled = true,
): PluginEntity => ({
  name,
  displayName,
  description,
  category: 'microsoft',
  catalogScope: 'global',
  previewState: 'ga',
  isEnabled,
  authorization: null,
  settings: [],
})

/** The plugins of the simulated workspace; the last one is not enabled. */
export const samplePlugins: readonly PluginEntity[] = [
  plugin('Entra', 'Microsoft Entra', 'Skills that interact with the Microsoft Graph APIs.'),
  plugin('M365', 'Microsoft Defender XDR', 'Skills that read incidents and alerts.'),
  plugin(
    'ThreatIntelligence.DTI',
    'Microsoft Threat Intelligence',
    'Skills that read threat intelligence.',
  ),
  plugin('Fusion', 'Microsoft Sentinel', 'Skills that read incidents and workspaces.'),
  plugin('Intune', 'Microsoft Intune', 'Skills that read devices and policies.', false),
]
