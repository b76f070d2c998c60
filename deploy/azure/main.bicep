// The service on Azure Container Apps, Azure Managed Redis behind a private endpoint, and no secret
// anywhere: Entra and Redis trust one user-assigned identity. `azd up` runs it (azure.yaml), or
//   az deployment group create -g GROUP -f main.bicep -p entraClientId=API_APP_ID image=IMAGE
// Not compiled nor deployed here: what was looked at, row by row, is in docs/operations.md#azure.

targetScope = 'resourceGroup'

@description('Application id of the API app (scripts/register.sh prints it)')
param entraClientId string

@description('Tenant of the API app')
param entraTenantId string = tenant().tenantId

@description('Image to run. The first run of azd has none yet, and takes a page that says hello')
param image string = ''

param location string = resourceGroup().location

@description('azd finds what it deployed by this name')
param environmentName string = resourceGroup().name

@minValue(2)
@maxValue(20)
param minReplicas int = 2

// Names are unique for each resource group, and may be seen by others: they say nothing.
var suffix = uniqueString(resourceGroup().id)
var name = 'copilot-connector-${suffix}'
var tags = { 'azd-env-name': environmentName }
var hello = 'mcr.microsoft.com/azuredocs/containerapps-helloworld:latest'
var ready = !empty(image)
var acrPull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
  tags: tags
}

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' = {
  name: 'copilot${suffix}'
  location: location
  tags: tags
  sku: {
    name: 'Basic'
  }
  properties: {
    adminUserEnabled: false
  }
}

resource pull 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, identity.id, acrPull)
  scope: registry
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', acrPull)
  }
}

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    retentionInDays: 30
    sku: {
      name: 'PerGB2018'
    }
  }
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: ['10.80.0.0/16']
    }
    subnets: [
      {
        name: 'apps'
        properties: {
          addressPrefix: '10.80.0.0/23'
          delegations: [
            {
              name: 'apps'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.80.2.0/27'
        }
      }
    ]
  }

  resource apps 'subnets' existing = {
    name: 'apps'
  }

  resource endpoints 'subnets' existing = {
    name: 'endpoints'
  }
}

resource redis 'Microsoft.Cache/redisEnterprise@2025-07-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: 'Balanced_B0'
  }
  properties: {
    minimumTlsVersion: '1.2'
    highAvailability: 'Enabled'
    publicNetworkAccess: 'Disabled'
  }
}

resource database 'Microsoft.Cache/redisEnterprise/databases@2025-07-01' = {
  parent: redis
  name: 'default'
  properties: {
    clientProtocol: 'Encrypted'
    port: 10000
    // Idempotency keys must not be evicted: they expire by themselves.
    evictionPolicy: 'NoEviction'
    // One address for all shards, so REDIS_MODE is standalone. OSSCluster would hand out an address
    // and a port for each shard, which the private endpoint and every firewall would have to know;
    // it pays for traffic that one shard cannot take, and this service has far less.
    clusteringPolicy: 'EnterpriseCluster'
    // No password exists: who asks proves itself by a token of Entra.
    accessKeysAuthentication: 'Disabled'
    persistence: {
      aofEnabled: true
      aofFrequency: '1s'
    }
  }
}

resource redisAccess 'Microsoft.Cache/redisEnterprise/databases/accessPolicyAssignments@2025-07-01' = {
  parent: database
  name: 'connector'
  properties: {
    accessPolicyName: 'default'
    user: {
      objectId: identity.properties.principalId
    }
  }
}

resource redisZone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: 'privatelink.redis.azure.net'
  location: 'global'
  tags: tags

  resource link 'virtualNetworkLinks' = {
    name: 'link'
    location: 'global'
    properties: {
      registrationEnabled: false
      virtualNetwork: {
        id: network.id
      }
    }
  }
}

resource redisEndpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: '${name}-redis'
  location: location
  tags: tags
  properties: {
    subnet: {
      id: network::endpoints.id
    }
    privateLinkServiceConnections: [
      {
        name: 'redis'
        properties: {
          privateLinkServiceId: redis.id
          groupIds: ['redisEnterprise']
        }
      }
    ]
  }

  resource zoneGroup 'privateDnsZoneGroups' = {
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: 'redis'
          properties: {
            privateDnsZoneId: redisZone.id
          }
        }
      ]
    }
  }
}

resource environment 'Microsoft.App/managedEnvironments@2024-03-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: {
        customerId: logs.properties.customerId
        sharedKey: logs.listKeys().primarySharedKey
      }
    }
    vnetConfiguration: {
      infrastructureSubnetId: network::apps.id
    }
    workloadProfiles: [
      {
        name: 'Consumption'
        workloadProfileType: 'Consumption'
      }
    ]
  }
}

resource app 'Microsoft.App/containerApps@2024-03-01' = {
  // The name of an app has 32 characters at most.
  name: 'connector-${suffix}'
  location: location
  tags: union(tags, { 'azd-service-name': 'connector' })
  dependsOn: [
    pull
    redisAccess
    redisEndpoint
  ]
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    environmentId: environment.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: {
        external: true
        targetPort: ready ? 8080 : 80
        transport: 'http'
        allowInsecure: false
      }
      registries: [
        {
          server: registry.properties.loginServer
          identity: identity.id
        }
      ]
    }
    template: {
      terminationGracePeriodSeconds: 20
      containers: [
        {
          name: 'connector'
          image: ready ? image : hello
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
          env: [
            { name: 'PUBLIC_URL', value: 'https://connector-${suffix}.${environment.properties.defaultDomain}' }
            { name: 'ENTRA_TENANT_ID', value: entraTenantId }
            { name: 'ENTRA_CLIENT_ID', value: entraClientId }
            { name: 'ENTRA_CLIENT_ASSERTION', value: 'managed-identity' }
            { name: 'ENTRA_MANAGED_IDENTITY_CLIENT_ID', value: identity.properties.clientId }
            { name: 'REDIS_URL', value: 'rediss://${redis.properties.hostName}:${database.properties.port}' }
            { name: 'REDIS_MODE', value: 'standalone' }
            { name: 'REDIS_AUTH', value: 'entra' }
          ]
          probes: ready
            ? [
                { type: 'Startup', httpGet: { path: '/livez', port: 8080 }, periodSeconds: 1, failureThreshold: 30 }
                { type: 'Liveness', httpGet: { path: '/livez', port: 8080 }, periodSeconds: 10, timeoutSeconds: 2 }
                { type: 'Readiness', httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 2, timeoutSeconds: 1 }
              ]
            : []
        }
      ]
      scale: {
        minReplicas: minReplicas
        maxReplicas: 20
        rules: [
          { name: 'http', http: { metadata: { concurrentRequests: '200' } } }
        ]
      }
    }
  }
}

output SERVICE_URL string = 'https://${app.properties.configuration.ingress.fqdn}'
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = registry.properties.loginServer
// The API app must trust this identity: scripts/register.sh --managed-identity.
output IDENTITY_PRINCIPAL_ID string = identity.properties.principalId
