#!/bin/sh
# Makes the two app registrations of docs/connections.md in Entra, and the files that name them.
# It looks before it creates: run again, it changes nothing. It prints no secret.
set -eu

usage() {
  cat <<'TEXT'
Usage: scripts/register.sh [options]     after `az login`, as an admin who may consent

  --name NAME                  name of the API app; the client app's is "NAME client"
                               (Security Copilot Connector)
  --redirect URI               redirect address that the connector showed; may be given again
  --managed-identity ID        principal id of a managed identity that the API app shall trust
  --issuer URL --subject TEXT  issuer and subject of another identity that it shall trust,
                               of a Kubernetes service account say
  --with-secret                makes a secret for the API app, unless .env holds one
  --no-consent                 leaves the admin's consent to somebody else
  --no-files                   writes neither .env nor apiProperties.json
TEXT
}

name='Security Copilot Connector'
redirect='' identity='' issuer='' subject='' secret=no consent=yes files=yes
while [ $# -gt 0 ]; do
  case $1 in
    --name | --redirect | --managed-identity | --issuer | --subject)
      if [ -z "${2:-}" ]; then echo "Cannot register: $1 needs a value" >&2; exit 1; fi
      case $1 in
        --name) name=$2 ;;
        --redirect) redirect=$2 ;;
        --managed-identity) identity=$2 ;;
        --issuer) issuer=$2 ;;
        --subject) subject=$2 ;;
      esac
      shift
      ;;
    --with-secret) secret=yes ;;
    --no-consent) consent=no ;;
    --no-files) files=no ;;
    --help) usage; exit 0 ;;
    *) echo "Cannot register: $1 is no option" >&2; usage >&2; exit 1 ;;
  esac
  shift
done
if [ "${issuer:+set}" != "${subject:+set}" ]; then
  echo 'Cannot register: --issuer and --subject go together' >&2; exit 1
fi
if [ -n "$identity" ] && [ -n "$issuer" ]; then
  echo 'Cannot register: --managed-identity or --issuer, not both' >&2; exit 1
fi
case "$name$identity$issuer$subject$redirect" in
  *[\'\"\\]*) echo 'Cannot register: a value has a quote or a backslash' >&2; exit 1 ;;
esac
if [ $secret = yes ] && [ $files = no ]; then
  echo 'Cannot register: --with-secret writes .env, which --no-files forbids' >&2; exit 1
fi
cd "$(dirname "$0")/.."

graph=https://graph.microsoft.com/v1.0
# Microsoft Graph, and its delegated SecurityCopilotWorkspaces.Read.All and .ReadWrite.All.
graph_app=00000003-0000-0000-c000-000000000000
read_all=84499c31-ac2e-44d3-a0cf-a6c386d4dfe8
write_all=206291b0-2167-47a7-a640-6cdc1df710ba

patch_app() {
  az rest --method PATCH --url "$graph/applications(appId='$1')" \
    --headers content-type=application/json --body "$2" --output none
}

app_named() {
  found=$(az ad app list --filter "displayName eq '$1'" --query '[].appId' --output tsv)
  case $found in
    *[!0-9a-fA-F-]*) echo "Cannot register: several apps are named \"$1\"" >&2; exit 1 ;;
  esac
  if [ -z "$found" ]; then
    found=$(az ad app create --display-name "$1" --sign-in-audience AzureADMyOrg --query appId --output tsv)
    echo "created the app \"$1\"" >&2
  fi
  echo "$found"
}

# An app signs in, or is consented to, by its service principal in the tenant.
known_to_tenant() {
  if [ -z "$(az ad sp list --filter "appId eq '$1'" --query '[].id' --output tsv)" ]; then
    az ad sp create --id "$1" --output none
  fi
}

tenant=$(az account show --query tenantId --output tsv)

# The API app: its address, its scope, its permissions at Graph.
api=$(app_named "$name")
if [ -z "$(az ad app show --id "$api" --query "identifierUris[?@=='api://$api']" --output tsv)" ]; then
  az ad app update --id "$api" --identifier-uris "api://$api" --output none
fi
scope_query="api.oauth2PermissionScopes[?value=='access_as_user'].id"
scope=$(az ad app show --id "$api" --query "$scope_query" --output tsv)
if [ -z "$scope" ]; then
  scope=$(cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen)
  patch_app "$api" "{\"api\":{\"requestedAccessTokenVersion\":2,\"oauth2PermissionScopes\":[{\
\"id\":\"$scope\",\"value\":\"access_as_user\",\"type\":\"User\",\"isEnabled\":true,\
\"adminConsentDisplayName\":\"Ask Security Copilot as the user\",\
\"adminConsentDescription\":\"Ask Security Copilot as the signed-in user\",\
\"userConsentDisplayName\":\"Ask Security Copilot as you\",\
\"userConsentDescription\":\"Ask Security Copilot as you\"}]}}"
fi
granted=$(az ad app show --id "$api" --query 'requiredResourceAccess[].resourceAccess[].id' --output tsv)
for permission in $read_all $write_all; do
  case $granted in
    *$permission*) ;;
    *)
      az ad app permission add --id "$api" --api $graph_app \
        --api-permissions "$permission=Scope" --output none
      ;;
  esac
done
known_to_tenant "$api"
if [ $consent = yes ]; then
  az ad app permission admin-consent --id "$api" --output none
fi

# The client app: it asks for that scope, and is trusted with it beforehand.
client=$(app_named "$name client")
known_to_tenant "$client"
asked=$(az ad app show --id "$client" --query 'requiredResourceAccess[].resourceAccess[].id' --output tsv)
case $asked in
  *$scope*) ;;
  *)
    az ad app permission add --id "$client" --api "$api" --api-permissions "$scope=Scope" --output none
    ;;
esac
trusted=$(az ad app show --id "$api" --query 'api.preAuthorizedApplications' --output json | tr -d ' \n')
case $trusted in
  *$client*) ;;
  *)
    # Those that are there stay: the list is written whole.
    applications="[{\"appId\":\"$client\",\"delegatedPermissionIds\":[\"$scope\"]}"
    case $trusted in
      \[\{*) applications="$applications,${trusted#?}" ;;
      *) applications="$applications]" ;;
    esac
    patch_app "$api" "{\"api\":{\"preAuthorizedApplications\":$applications}}"
    ;;
esac
if [ -n "$redirect" ]; then
  addresses=$(az ad app show --id "$client" --query 'web.redirectUris' --output tsv)
  case " $(echo "$addresses" | tr '\t\n' '  ') " in
    *" $redirect "*) ;;
    *)
      # shellcheck disable=SC2086 # one word an address
      az ad app update --id "$client" --web-redirect-uris $addresses "$redirect" --output none
      ;;
  esac
fi

# An identity that the API app trusts in place of a secret.
if [ -n "$identity" ]; then
  issuer="https://login.microsoftonline.com/$tenant/v2.0" subject=$identity
fi
if [ -n "$issuer" ]; then
  known=$(az ad app federated-credential list --id "$api" --query "[?subject=='$subject'].name" --output tsv)
  if [ -z "$known" ]; then
    # A name of its own for each subject, of characters that a name may have.
    label="connector-$(printf %s "$issuer $subject" | cksum | cut -d ' ' -f 1)"
    az ad app federated-credential create --id "$api" --output none --parameters "{\"name\":\"$label\",\
\"issuer\":\"$issuer\",\"subject\":\"$subject\",\"audiences\":[\"api://AzureADTokenExchange\"]}"
  fi
fi

if [ $files = yes ]; then
  umask 077
  touch .env
  chmod 600 .env
  # Sets a variable of .env and leaves every other line as it is.
  set_variable() {
    grep -v "^$1=" .env >.env.new || true
    # The value comes by standard input, so that it is in no command line.
    { printf '%s=' "$1"; cat; } >>.env.new
    mv .env.new .env
  }
  echo "$tenant" | set_variable ENTRA_TENANT_ID
  echo "$api" | set_variable ENTRA_CLIENT_ID
  if [ $secret = yes ] && ! grep -q '^ENTRA_CLIENT_SECRET=.' .env; then
    value=$(az ad app credential reset --id "$api" --append --query password --output tsv)
    printf '%s\n' "$value" | set_variable ENTRA_CLIENT_SECRET
  fi
  sed -e "s/<<Enter your client app ID>>/$client/" -e "s/<<Enter your API app ID>>/$api/" \
    -e "s/<<Enter your tenant ID>>/$tenant/" apiProperties.json >apiProperties.json.new
  # Its permissions stay what they are.
  cat apiProperties.json.new >apiProperties.json
  rm apiProperties.json.new
fi

echo "ENTRA_TENANT_ID=$tenant"
echo "ENTRA_CLIENT_ID=$api"
echo "client app: $client"
echo "Left for you: the name of your organisation, as publisher in apiProperties.json."
