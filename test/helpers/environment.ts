/** A complete environment; nothing in it is a real tenant. */
export const environmentVariables = {
  GRAPH_BASE_URL: 'http://127.0.0.1:1/beta',
  PUBLIC_URL: 'https://copilot.example',
  ENTRA_TENANT_ID: '11111111-1111-4111-8111-111111111111',
  ENTRA_CLIENT_ID: '22222222-2222-4222-8222-222222222222',
  ENTRA_CLIENT_SECRET: 'a-secret-of-this-api',
}
