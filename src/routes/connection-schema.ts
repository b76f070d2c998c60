import { z } from 'zod'

const text = (title: string, description: string) => z.string().meta({ title, description })

const count = (title: string, description: string) => z.number().meta({ title, description })

const limited = (what: string) =>
  z.strictObject({
    limit: count('Limit', `How many ${what} the window allows.`),
    remaining: count('Remaining', 'How many are left.'),
    resetSeconds: count('Reset Seconds', 'Seconds until more are allowed.'),
  })

/** Who the service takes the caller for, and what it may still do. */
export const connectionInfo = z
  .strictObject({
    type: text('Connection Type', 'How the caller signed in.'),
    tenantId: text('Tenant Id', 'Tenant of the caller.'),
    identityId: text('Identity Id', 'Object id of the user, or client id of the app.'),
    workspaceId: text('Workspace Id', 'Security Copilot workspace of this service.'),
    plugins: z
      .array(text('Plugin', 'Name of a plugin.'))
      .meta({ title: 'Plugins', description: 'Names of the plugins that are enabled.' }),
    allowance: limited('calls').meta({
      title: 'Allowance',
      description: 'Calls of the connection.',
    }),
    budget: limited('evaluations')
      .optional()
      .meta({ title: 'Budget', description: 'Evaluations of the identity, if they are bounded.' }),
  })
  .meta({ description: 'Who calls, and that Microsoft Graph lets the caller in.' })

export type ConnectionInfo = z.output<typeof connectionInfo>
