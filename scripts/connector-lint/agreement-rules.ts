import { whole, type Rule } from './rule.ts'

/**
 * What must agree between the files of a connector: `{ definition, properties, icon }`, where
 * `icon` is the PNG's bytes.
 */
export const agreementRules: readonly Rule[] = [
  whole(
    'OAuth in the definition goes with Entra in the properties',
    ({ definition, properties }) => {
      const kinds = Object.values(definition.securityDefinitions).map(
        (one: unknown) => (one as { type: string }).type,
      )
      const { token } = properties.properties.connectionParameters
      return kinds.includes('oauth2') === (token?.oAuthSettings?.identityProvider === 'aad')
    },
  ),
  whole(
    'the policies send the three headers of a service principal, and no other',
    ({ properties }) => {
      const names = properties.properties.policyTemplateInstances.map(
        (policy: { parameters: Record<string, string> }) =>
          policy.parameters['x-ms-apimTemplateParameter.name'],
      )
      return names.toSorted().join() === 'x-entra-client-id,x-entra-client-secret,x-entra-tenant-id'
    },
  ),
  whole(
    'a header that a policy sends is no parameter of the definition',
    ({ definition }) => !/x-entra-/.test(JSON.stringify(definition.paths)),
  ),
  whole('the icon is a square PNG of 100 to 230 pixels a side', ({ icon }) => {
    const [width, height] = [icon.readUInt32BE(16), icon.readUInt32BE(20)]
    return (
      icon.toString('latin1', 1, 4) === 'PNG' && width === height && width >= 100 && width <= 230
    )
  }),
]
