import { readFileSync, writeFileSync } from 'node:fs'
import { placeholderUrl, writeDocuments } from './documents.ts'
import { drawIcon } from './icon.ts'

// `npm run documents`: writes both documents from the routes and their schemas, for the address given, if one is; and draws the icon.
const { definition, openApi } = await writeDocuments(process.argv[2] ?? placeholderUrl)
writeFileSync('apiDefinition.swagger.json', definition)
writeFileSync('openapi/openapi.yaml', openApi)
const { properties } = JSON.parse(readFileSync('apiProperties.json', 'utf8')) as {
  properties: { iconBrandColor: string }
}
writeFileSync('icon.png', drawIcon(properties.iconBrandColor))
