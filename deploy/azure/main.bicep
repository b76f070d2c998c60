// The service on Azure Container Apps with Azure Managed Redis. Not compiled nor deployed here: no Bicep compiler was at hand.
//   az deployment group create -g GROUP -f main.bicep -p image=REGISTRY/security-copilot-connector:0.1.0 entraClientId=API_APP_ID \
//     registryServer=REGISTRY keyVaultName=VAULT identityName=IDENTITY
// The secret `entra-client-secret` lies in the Key Vault; the identity may read it and may pull the image.

@description('Image in a registry that the identity may pull from')
param image string

@description('Application id of the API app')
param entraClientId string

@description('Tenant of the API app')
param entraTenantId string = tenant().tenantId

@description('Key Vault with the secret entra-client-secret')
param keyVaultName string

@description('User-assigned identity that may read the secret and pull the image')
param identityName string

@description('Registry server of the image, for example contoso.azurecr.io')
param registryServer string

param location string = resourceGroup().location
param name string = 'security-copilot-connector'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' existing = {
  name: identityName
}

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: keyVaultName
}

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: name
  location: location
  properties: {
    retentionInDays: 30
    sku: {
      name: 'PerGB2018'
    }
  }
}

resource redis 'Microsoft.Cache/redisEnterprise@2025-04-01' = {
  name: name
  location: location
  sku: {
    name: 'Balanced_B0'
  }
  properties: {
    minimumTlsVersion: '1.2'
    highAvailability: 'Enabled'
  }
}

resource database 'Microsoft.Cache/redisEnterprise/databases@2025-04-01' = {
  parent: redis
  name: 'default'
  properties: {
    clientProtocol: 'Encrypted'
    port: 10000
    // Idempotency keys must not be evicted: they expire by themselves.
    evictionPolicy: 'NoEviction'
    clusteringPolicy: 'EnterpriseCluster'
    accessKeysAuthentication: 'Enabled'
  }
}

resource environment 'Microsoft.App/managedEnvironments@2024-03-01' = {
  name: name
  location: location
  properties: {
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: {
        customerId: logs.properties.customerId
        sharedKey: logs.listKeys().primarySharedKey
      }
    }
  }
}

resource app 'Microsoft.App/containerApps@2024-03-01' = {
  name: name
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    environmentId: environment.id
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: {
        external: true
        targetPort: 8080
        transport: 'http'
        allowInsecure: false
      }
      registries: [
        {
          server: registryServer
          identity: identity.id
        }
      ]
      secrets: [
        {
          name: 'entra-client-secret'
          keyVaultUrl: '${vault.properties.vaultUri}secrets/entra-client-secret'
          identity: identity.id
        }
        {
          name: 'redis-url'
          value: 'rediss://:${database.listKeys().primaryKey}@${redis.properties.hostName}:10000'
        }
      ]
    }
    template: {
      terminationGracePeriodSeconds: 20
      containers: [
        {
          name: 'connector'
          image: image
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
          env: [
            { name: 'PUBLIC_URL', value: 'https://${name}.${environment.properties.defaultDomain}' }
            { name: 'ENTRA_TENANT_ID', value: entraTenantId }
            { name: 'ENTRA_CLIENT_ID', value: entraClientId }
            { name: 'ENTRA_CLIENT_SECRET', secretRef: 'entra-client-secret' }
            { name: 'REDIS_URL', secretRef: 'redis-url' }
          ]
          probes: [
            { type: 'Startup', httpGet: { path: '/livez', port: 8080 }, periodSeconds: 1, failureThreshold: 30 }
            { type: 'Liveness', httpGet: { path: '/livez', port: 8080 }, periodSeconds: 10, timeoutSeconds: 2 }
            { type: 'Readiness', httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 2, timeoutSeconds: 1 }
          ]
        }
      ]
      scale: {
        minReplicas: 2
        maxReplicas: 10
        rules: [
          { name: 'http', http: { metadata: { concurrentRequests: '200' } } }
        ]
      }
    }
  }
}

output url string = 'https://${app.properties.configuration.ingress.fqdn}'
