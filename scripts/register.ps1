<#
.SYNOPSIS
Makes the two app registrations of docs/connections.md in Entra, and the files that name them.
.DESCRIPTION
The same az calls in the same order as scripts/register.sh. It looks before it creates: run again,
it changes nothing. It prints no secret.
.EXAMPLE
scripts/register.ps1 -ManagedIdentity 11111111-2222-3333-4444-555555555555
#>
[CmdletBinding()]
param(
  [string]$Name = 'Security Copilot Connector',
  [string]$Redirect = '',
  # Principal id of a managed identity that the API app shall trust.
  [string]$ManagedIdentity = '',
  # Another identity that it shall trust.
  [string]$Issuer = '',
  [string]$Subject = '',
  # Makes a secret for the API app, unless .env holds one.
  [switch]$WithSecret,
  [switch]$NoConsent,
  # Writes neither .env nor apiProperties.json.
  [switch]$NoFiles
)
$ErrorActionPreference = 'Stop'

if ([bool]$Issuer -ne [bool]$Subject) { throw 'Cannot register: -Issuer and -Subject go together' }
if ($ManagedIdentity -and $Issuer) { throw 'Cannot register: -ManagedIdentity or -Issuer, not both' }
if ("$Name$ManagedIdentity$Issuer$Subject$Redirect" -match '[''"\\]') {
  throw 'Cannot register: a value has a quote or a backslash'
}
if ($WithSecret -and $NoFiles) { throw 'Cannot register: -WithSecret writes .env, which -NoFiles forbids' }
Set-Location (Join-Path $PSScriptRoot '..')

$graph = 'https://graph.microsoft.com/v1.0'
# Microsoft Graph, and its delegated SecurityCopilotWorkspaces.Read.All and .ReadWrite.All.
$graphApp = '00000003-0000-0000-c000-000000000000'
$readAll = '84499c31-ac2e-44d3-a0cf-a6c386d4dfe8'
$writeAll = '206291b0-2167-47a7-a640-6cdc1df710ba'

function Invoke-Az {
  $output = & az @args
  if ($LASTEXITCODE -ne 0) { throw "Cannot register: az ended with $LASTEXITCODE" }
  $output
}

# A JSON argument goes by a file: Windows takes its quotes away.
function Invoke-AzJson([string[]]$Arguments, $Value) {
  $file = New-TemporaryFile
  try {
    Set-Content -LiteralPath $file -Value (ConvertTo-Json $Value -Depth 9 -Compress) -Encoding ascii
    Invoke-Az @Arguments "@$file"
  } finally { Remove-Item -LiteralPath $file }
}

function Set-App([string]$Id, $Value) {
  Invoke-AzJson @('rest', '--method', 'PATCH', '--url', "$graph/applications(appId='$Id')",
    '--headers', 'content-type=application/json', '--output', 'none', '--body') $Value
}

function Get-AppNamed([string]$Title) {
  $found = @(Invoke-Az ad app list --filter "displayName eq '$Title'" --query '[].appId' --output tsv)
  if ($found.Count -gt 1) { throw "Cannot register: several apps are named `"$Title`"" }
  if ($found.Count -eq 1) { return $found[0] }
  Invoke-Az ad app create --display-name $Title --sign-in-audience AzureADMyOrg --query appId --output tsv
  Write-Verbose "created the app `"$Title`""
}

# An app signs in, or is consented to, by its service principal in the tenant.
function Confirm-Principal([string]$Id) {
  if (-not (Invoke-Az ad sp list --filter "appId eq '$Id'" --query '[].id' --output tsv)) {
    Invoke-Az ad sp create --id $Id --output none
  }
}

$tenant = Invoke-Az account show --query tenantId --output tsv

# The API app: its address, its scope, its permissions at Graph.
$api = Get-AppNamed $Name
if (-not (Invoke-Az ad app show --id $api --query "identifierUris[?@=='api://$api']" --output tsv)) {
  Invoke-Az ad app update --id $api --identifier-uris "api://$api" --output none
}
$scopeQuery = "api.oauth2PermissionScopes[?value=='access_as_user'].id"
$scope = Invoke-Az ad app show --id $api --query $scopeQuery --output tsv
if (-not $scope) {
  $scope = [guid]::NewGuid().ToString()
  Set-App $api @{ api = @{ requestedAccessTokenVersion = 2; oauth2PermissionScopes = @(@{
    id = $scope; value = 'access_as_user'; type = 'User'; isEnabled = $true
    adminConsentDisplayName = 'Ask Security Copilot as the user'
    adminConsentDescription = 'Ask Security Copilot as the signed-in user'
    userConsentDisplayName = 'Ask Security Copilot as you'
    userConsentDescription = 'Ask Security Copilot as you'
  }) } }
}
$granted = @(Invoke-Az ad app show --id $api --query 'requiredResourceAccess[].resourceAccess[].id' --output tsv)
foreach ($permission in $readAll, $writeAll) {
  if ($granted -notcontains $permission) {
    Invoke-Az ad app permission add --id $api --api $graphApp --api-permissions "$permission=Scope" --output none
  }
}
Confirm-Principal $api
if (-not $NoConsent) {
  Invoke-Az ad app permission admin-consent --id $api --output none
}

# The client app: it asks for that scope, and is trusted with it beforehand.
$client = Get-AppNamed "$Name client"
Confirm-Principal $client
$asked = @(Invoke-Az ad app show --id $client --query 'requiredResourceAccess[].resourceAccess[].id' --output tsv)
if ($asked -notcontains $scope) {
  Invoke-Az ad app permission add --id $client --api $api --api-permissions "$scope=Scope" --output none
}
$trusted = @(Invoke-Az ad app show --id $api --query 'api.preAuthorizedApplications' --output json |
  ConvertFrom-Json | Where-Object { $_ })
if ($trusted.appId -notcontains $client) {
  # Those that are there stay: the list is written whole.
  $applications = @(@{ appId = $client; delegatedPermissionIds = @($scope) }) + $trusted
  Set-App $api @{ api = @{ preAuthorizedApplications = $applications } }
}
if ($Redirect) {
  $addresses = @(Invoke-Az ad app show --id $client --query 'web.redirectUris' --output tsv)
  if ($addresses -notcontains $Redirect) {
    Invoke-Az ad app update --id $client --web-redirect-uris @addresses $Redirect --output none
  }
}

# An identity that the API app trusts in place of a secret.
if ($ManagedIdentity) {
  $Issuer = "https://login.microsoftonline.com/$tenant/v2.0"
  $Subject = $ManagedIdentity
}
if ($Issuer) {
  $known = Invoke-Az ad app federated-credential list --id $api --query "[?subject=='$Subject'].name" --output tsv
  if (-not $known) {
    $label = 'connector-' + [guid]::NewGuid().ToString('N').Substring(0, 10)
    Invoke-AzJson @('ad', 'app', 'federated-credential', 'create', '--id', $api, '--output', 'none',
      '--parameters') @{
      name = $label; issuer = $Issuer; subject = $Subject; audiences = @('api://AzureADTokenExchange')
    }
  }
}

if (-not $NoFiles) {
  if (-not (Test-Path .env)) { New-Item .env -ItemType File | Out-Null }
  # The user who runs this, and nobody else.
  if ($IsWindows) {
    & icacls .env /inheritance:r /grant:r "$($env:USERNAME):F" | Out-Null
  } else {
    & chmod 600 .env
  }
  # Sets a variable of .env and leaves every other line as it is.
  function Set-Variable-Line([string]$Key, [string]$Value) {
    $lines = @(Get-Content .env | Where-Object { $_ -notlike "$Key=*" }) + "$Key=$Value"
    Set-Content .env $lines
  }
  Set-Variable-Line ENTRA_TENANT_ID $tenant
  Set-Variable-Line ENTRA_CLIENT_ID $api
  if ($WithSecret -and -not (Select-String -Path .env -Pattern '^ENTRA_CLIENT_SECRET=.' -Quiet)) {
    $value = Invoke-Az ad app credential reset --id $api --append --query password --output tsv
    Set-Variable-Line ENTRA_CLIENT_SECRET $value
  }
  $text = Get-Content apiProperties.json -Raw
  $text = $text.Replace('<<Enter your client app ID>>', $client).Replace('<<Enter your API app ID>>', $api)
  Set-Content apiProperties.json $text.Replace('<<Enter your tenant ID>>', $tenant) -NoNewline
}

"ENTRA_TENANT_ID=$tenant"
"ENTRA_CLIENT_ID=$api"
"client app: $client"
