import { writeFileSync } from 'node:fs'
import { placeholderUrl, writeDocuments } from './documents.ts'

// `npm run documents`: writes both documents from the routes and their schemas, for the address
// given, if one is.
const { definition, openApi } = await writeDocuments(process.argv[2] ?? placeholderUrl)
writeFileSync('apiDefinition.swagger.json', definition)
writeFileSync('openapi/openapi.yaml', openApi)
