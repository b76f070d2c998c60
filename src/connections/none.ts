import { ConnectorError } from '../errors.ts'
import { carriesCredentials, type Authenticate } from './connection.ts'

/**
 * Refuses every caller. It stands where bearer tokens and service principals are verified in the next release:
 * until then no request of `npm start` reaches Graph.
 */
export const refuseEveryone: Authenticate = async headers => {
  const why = carriesCredentials(headers)
    ? 'this release cannot verify credentials yet'
    : 'the request carries no credentials'
  throw new ConnectorError('AuthenticationRequired', `Cannot accept the call: ${why}`, {
    headers: { 'www-authenticate': 'Bearer' },
  })
}
