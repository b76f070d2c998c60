import { lintConnector, readConnectorFiles } from './connector-files.ts'

// `npm run lint:connector`: checks the connector's files after you edited them, before you import
// them.
const breaches = lintConnector(readConnectorFiles())
for (const breach of breaches) console.error(breach)
if (breaches.length === 0) console.log('The connector files keep every rule')
process.exitCode = breaches.length === 0 ? 0 : 1
